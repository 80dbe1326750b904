"""Fixtures that several test files use."""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real Theia L3A data, beside the project and never part of it; the test skips where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real Theia L3A data is not at {folder}")
    return folder


@pytest.fixture
def is_whole() -> Callable:
    """Asserts of a drawing that nothing is clipped or unlabelled and that neither pyplot nor settings keep a trace."""

    def check(draw: Callable, rows_are_named: bool = False) -> None:
        before = dict(matplotlib.rcParams)
        figure = draw()
        assert dict(matplotlib.rcParams) == before
        assert plt.get_fignums() == []  # pyplot would show it a second time

        assert figure._repr_png_().startswith(b"\x89PNG")  # what a notebook shows
        needed, given = figure.get_tightbbox(), figure.get_size_inches()
        assert needed.x0 >= -0.01 and needed.y0 >= -0.01, "clipped at the left or at the foot"
        assert needed.x1 <= given[0] + 0.01 and needed.y1 <= given[1] + 0.01, "clipped at the right or at the top"
        assert 4 <= given[0] <= 8

        panels = [ax for ax in figure.axes if ax.get_visible()]
        assert any(ax.get_xlabel() for ax in panels)
        assert rows_are_named or any(ax.get_ylabel() for ax in panels)
        assert not any("[metre]" in ax.get_xlabel() + ax.get_ylabel() for ax in panels)

    return check
