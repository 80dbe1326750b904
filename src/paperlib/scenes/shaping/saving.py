"""Write a scene as one clean cube, as it was understood."""

from pathlib import Path

import xarray as xr

from ...errors import InputError
from ...outputs import writing

SUFFIXES = (".zarr", ".nc")
#: Side in pixels of a stored chunk, which holds one date of all bands.
CHUNK = 512


def save_cube(scene: xr.DataArray, path: str | Path) -> None:
    """Write a scene (band, time, y, x) as a Zarr folder or NetCDF file that `open_scene` reads the same.

    One float32 variable `reflectance`, NaN where there is nothing, and `mask`, 1 where a pixel must not be used; names,
    scale, offset, grid and dates are those that were understood. Written by chunks, beside its place, and renamed.
    Raises `InputError` for another ending, and where it cannot be written.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}.", "Give OUT.zarr or OUT.nc.", kind="output.place")
    plain = scene.chunk({"band": -1, "time": 1, "y": CHUNK, "x": CHUNK}).drop_vars("mask")
    plain.encoding = {}
    cube = plain.to_dataset(name="reflectance")
    mask = scene.mask.chunk({"time": 1, "y": CHUNK, "x": CHUNK}).astype("uint8").drop_vars("mask")
    cube["mask"] = mask.assign_attrs(long_name="1 where a pixel must not be used")
    cube.attrs = {"sensor": scene.attrs.get("sensor", ""), "source": str(scene.attrs.get("source", ""))}
    cube["reflectance"].attrs = {"resampling": scene.attrs.get("resampling", "")}
    needed = int(4 * scene.size)
    with writing(path, folder=path.suffix == ".zarr", needed=needed // 4, errors=(RuntimeError,)) as part:
        if path.suffix == ".zarr":
            cube.to_zarr(part, mode="w", zarr_format=2)
        else:
            sizes = dict(scene.sizes) | {"time": 1}
            chunks = {"reflectance": tuple(min(sizes[dim], CHUNK) for dim in scene.dims)}
            chunks["mask"] = chunks["reflectance"][1:]
            packing = {name: {"zlib": True, "complevel": 1, "chunksizes": chunks[name]} for name in chunks}
            cube.to_netcdf(part, encoding=packing, engine="h5netcdf")
