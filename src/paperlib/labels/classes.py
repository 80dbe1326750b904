"""The legend of a table of polygons."""

import geopandas as gpd

from .. import nomenclature


def legend_of(polygons: gpd.GeoDataFrame) -> tuple[nomenclature.LandCover, ...]:
    """The classes of the polygons, in the order of class indices: of Table 2, or by code for their own nomenclature."""
    if "colour" not in polygons:
        return nomenclature.legend(polygons["code"].unique())
    own = polygons[["code", "class_name", "colour"]].drop_duplicates().sort_values("code")
    return tuple(nomenclature.LandCover(*row) for row in own.itertuples(index=False))
