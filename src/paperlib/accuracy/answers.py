"""Interpreted points and the design they belong to, brought together by id."""

from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError, counted
from ..mapping.class_map import ClassMap
from .design import Design, check_map, locations
from .points import listed, read_places

#: How far (pixels) an interpreted point may lie from its place in the design: programs round coordinates.
NEAR = 1.5


def joined(design: Design, reference: pd.Series, maps: list[ClassMap]) -> pd.DataFrame:
    """The points of a design with their reference class, joined by id, after `maps` are found to be those of the design.

    Raises `InputError` for a map changed since the design, ids that the design lacks, and points without a label.
    """
    if len(maps) != len(design.maps):
        raise InputError(
            f"The sample was drawn on {len(design.maps)} maps; {len(maps)} are given.",
            "Give the maps of the design: one for its accuracy, two to compare them.",
            kind="design.map",
        )
    for position, class_map in enumerate(maps):
        check_map(design, class_map, position)
    table = design.table()
    foreign, missing = reference.index.difference(table.index), table.index.difference(reference.index)
    if len(foreign):
        raise InputError(
            f"{len(foreign)} interpreted points have ids that the design lacks: {listed(foreign)}.",
            "Use the points and the design.json of one draw.",
            kind="points.foreign",
        )
    if len(missing):
        raise InputError(
            f"Points of the design without a reference class: {len(missing)} of {len(table)}, id {listed(missing)}.",
            "Label all of them: leaving out the difficult ones makes every estimate too good.",
            kind="points.unlabelled",
        )
    return table.join(reference.rename("reference"))


def class_names(answers: pd.Series, names: dict[int, str], new_classes: bool) -> pd.Series:
    """Reference classes by the names of the map, which codes and other cases of letters stand for.

    Raises `InputError` for classes that the map lacks unless `new_classes`.
    """
    known = {name.casefold(): name for name in names.values()} | {str(code): name for code, name in names.items()}
    found = answers.map(lambda answer: known.get(answer.casefold(), ""))
    unknown = sorted(set(answers[found == ""]))
    if unknown and not new_classes:
        raise InputError(
            f"The map has no class {', '.join(unknown)}; it has {', '.join(f'{c} {n}' for c, n in names.items())}.",
            "Correct the spelling, or accept them with --new-classes.",
            kind="points.class",
        )
    return found.where(found != "", answers)


def check_places(path: str | Path, design: Design, class_map: ClassMap) -> None:
    """Raise `InputError` where interpreted points of a file lie elsewhere than in their design, or outside the map.

    A label of another place says nothing of the point that was drawn. Files without places are not checked.
    """
    places = read_places(path)
    if places is None:
        return
    crs, transform, (rows, columns) = class_map.grid
    drawn = locations(design, class_map).set_index("id").geometry
    given = places[places.index.isin(drawn.index)].to_crs(crs)
    pixel = np.stack(~transform @ (given.x.to_numpy(), given.y.to_numpy()))
    wanted = drawn.loc[given.index]
    far = np.abs(pixel - np.stack(~transform @ (wanted.x.to_numpy(), wanted.y.to_numpy()))).max(0) > NEAR
    if not far.any():
        return
    outside = far & ~((pixel >= 0).all(0) & (pixel[0] < columns) & (pixel[1] < rows))
    beyond = f", {outside.sum()} of them outside the map (id {listed(given.index[outside])})" if outside.any() else ""
    raise InputError(
        f"{counted(far.sum(), f'point of {path} lies', f'points of {path} lie')} elsewhere "
        f"than in the design: id {listed(given.index[far])}{beyond}.",
        "Label the points where they were drawn; a moved point is no part of the random sample.",
        kind="points.place",
    )
