"""What every drawing of the project has to be."""

from collections.abc import Callable

import matplotlib
import matplotlib.pyplot as plt


def assert_whole(draw: Callable, rows_are_named: bool = False) -> None:
    """Assert that nothing of a drawing is clipped or unlabelled and that neither pyplot nor settings keep a trace."""
    before = dict(matplotlib.rcParams)
    figure = draw()
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []  # pyplot would show it a second time

    assert figure._repr_png_().startswith(b"\x89PNG")  # what a notebook shows
    assert 30 < len(figure.alt) < 250 and figure.alt.endswith("."), "says in a sentence what it shows"
    assert len(figure.data) and not figure.data.isna().all().any(), "comes with what is drawn"
    needed, given = figure.get_tightbbox(), figure.get_size_inches()
    assert needed.x0 >= -0.01 and needed.y0 >= -0.01, "clipped at the left or at the foot"
    assert needed.x1 <= given[0] + 0.01 and needed.y1 <= given[1] + 0.01, "clipped at the right or at the top"
    assert 4 <= given[0] <= 8

    panels = [ax for ax in figure.axes if ax.get_visible()]
    assert any(ax.get_xlabel() for ax in panels)
    assert rows_are_named or any(ax.get_ylabel() for ax in panels)
    assert not any("[metre]" in ax.get_xlabel() + ax.get_ylabel() for ax in panels)
