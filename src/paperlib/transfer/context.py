"""Networks that see the surroundings of a pixel: how many judged polygons share these with polygons of training."""

from collections.abc import Iterable

from .. import models
from ..labels import separation
from ..runs.experiment import Experiment


def shared_context(run: Experiment, names: Iterable[str]) -> list[str]:
    """A sentence for each network of patches: validation and test polygons that lie within its reach of a training polygon.

    Such polygons look more like the training than new places do, so that their scores are better than those of new places.
    """
    pixel = abs(float(run.scene.rio.resolution()[0]))
    reach = {name: models.find(name).receptive_field // 2 * pixel for name in names if _sees_around(name)}
    if not reach:
        return []
    table = separation(run.polygons, reach).set_index("pair")
    lines = []
    for name, metres in reach.items():
        near = [
            f"{table.loc[f'{part} - train', f'within {name} ({metres:.0f} m)']} of "
            f"{table.loc[f'{part} - train', 'polygons']} {part} polygons"
            for part in ("validation", "test")
        ]
        lines.append(
            f"{name} sees {metres:.0f} m around a pixel; {near[0]} and {near[1]} lie that near to a training polygon. Their "
            "scores say less about new places."
        )
    return lines


def _sees_around(name: str) -> bool:
    model = models.find(name)
    return model.receptive_field > 1 and not model.needs_superpixels
