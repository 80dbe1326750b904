"""Deflated chunks of cubes are read as HDF5 and Zarr themselves read them."""

import pickle

import h5py
import numcodecs
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.errors import InputError
from paperlib.scenes.cubes.deflated import inflate_directly
from paperlib.scenes.cubes.variables import Variable

SHAPE = (3, 17, 23)


@pytest.fixture(scope="module")
def cubes(tmp_path_factory):
    """Cubes by how they are packed; the second date of each lacks its last rows, which were never written."""
    made = {}
    values = np.random.default_rng(0).integers(-3000, 12000, SHAPE)
    for dtype in ("i2", "u1", "f4", "f8"):
        for shuffle in (True, False):
            path = tmp_path_factory.mktemp("cubes") / f"{dtype}-{shuffle}.nc"
            with h5py.File(path, "w") as file:
                data = file.create_dataset(
                    "b", SHAPE, dtype, chunks=(1, 8, 10), compression="gzip", compression_opts=1, shuffle=shuffle,
                    fillvalue=7,
                )  # fmt: skip
                data[0], data[2], data[1, :8] = (
                    values[0].astype(dtype),
                    values[2].astype(dtype),
                    values[1, :8].astype(dtype),
                )
                for name, size in zip(("time", "y", "x"), SHAPE, strict=True):
                    file[name] = np.arange(size, dtype="f8")
                    file[name].make_scale(name)
                for number, name in enumerate(("time", "y", "x")):
                    data.dims[number].attach_scale(file[name])
            made[path.stem] = path
    return made


def _as_stored(path):
    return xr.open_dataset(path, mask_and_scale=False, decode_times=False, chunks=None, cache=False, engine="h5netcdf")


def places(size):
    bounds = st.one_of(st.none(), st.integers(-size - 2, size + 2))
    steps = st.sampled_from([None, 1, 2, 3])
    return st.one_of(st.integers(-size, size - 1), st.builds(slice, bounds, bounds, steps))


@settings(max_examples=30)
@given(data=st.data())
def test_any_part_is_what_hdf5_reads(cubes, data):
    path = data.draw(st.sampled_from(sorted(cubes.values())))
    key = tuple(data.draw(places(size)) for size in SHAPE)
    with _as_stored(path) as stored:
        ours = inflate_directly(stored, path)
        np.testing.assert_array_equal(ours["b"][key].values, stored["b"][key].values)
        turned = ours["b"].transpose("x", "time", "y")[::-1].isel(time=[2, 0])
        np.testing.assert_array_equal(
            turned.values, stored["b"].transpose("x", "time", "y")[::-1].isel(time=[2, 0]).values
        )


def test_deflated_variables_are_not_read_by_hdf5(cubes, monkeypatch):
    path = cubes["i2-True"]
    with _as_stored(path) as stored:
        ours = inflate_directly(stored, path)
        assert "Deflated" in repr(ours["b"].variable._data)
        again = pickle.loads(pickle.dumps(ours["b"].variable._data))  # as a worker of Dask gets it
        expected = stored["b"].values
        monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda *_: pytest.fail("HDF5 reads"))
        np.testing.assert_array_equal(ours["b"].values, expected)
        np.testing.assert_array_equal(ours["b"].copy(data=again.get_duck_array()).values, expected)


@pytest.mark.parametrize("options", [{}, {"chunks": (1, 8, 10)}, {"chunks": (1, 8, 10), "compression": "lzf"}])
def test_what_is_packed_otherwise_stays_as_it_is(tmp_path, options):
    path = tmp_path / "b.nc"
    with h5py.File(path, "w") as file:
        file.create_dataset("b", data=np.arange(np.prod(SHAPE)).reshape(SHAPE), **options)
    with xr.open_dataset(path, engine="h5netcdf", phony_dims="access") as stored:
        assert "Deflated" not in repr(inflate_directly(stored, path)["b"].variable._data)


def test_a_damaged_chunk_is_an_error_in_words(cubes, tmp_path):
    path = tmp_path / "damaged.nc"
    path.write_bytes(cubes["i2-True"].read_bytes())
    with h5py.File(path) as file:
        place = file["b"].id.get_chunk_info_by_coord((0, 0, 0))
    content = bytearray(path.read_bytes())
    content[place.byte_offset + 8 : place.byte_offset + place.size] = bytes(place.size - 8)
    path.write_bytes(content)
    with _as_stored(path) as stored:
        variable = Variable(path, inflate_directly(stored, path)["b"])
        with pytest.raises(InputError, match=r"damaged\.nc cannot be read"):
            variable.read(time=slice(0, 1), y=slice(0, 8), x=slice(0, 10))


def test_zarr_inflates_with_it_too(tmp_path):
    values = np.random.default_rng(1).integers(0, 9999, SHAPE).astype("i2")
    packed = zarr.create_array(
        tmp_path / "b", data=values, chunks=(1, 8, 10), compressors=numcodecs.Zlib(1), zarr_format=2
    )
    np.testing.assert_array_equal(packed[:], values)
    assert type(zarr.open_array(tmp_path / "b").compressors[0]).__module__ == "paperlib.scenes.cubes.deflated"


def test_windows_that_fill_chunks_are_not_kept_and_others_are(cubes):
    path = cubes["i2-True"]
    with _as_stored(path) as stored:
        variable = Variable(path, inflate_directly(stored, path)["b"])
        expected = stored["b"].values
        whole = variable.read(time=slice(0, 3), y=slice(8, 17), x=slice(10, 23))  # up to both ends
        assert not variable._kept
        part = variable.read(time=slice(0, 3), y=slice(7, 17), x=slice(10, 23))
        assert variable._kept
        np.testing.assert_array_equal(part, expected[:, 7:17, 10:23])
        np.testing.assert_array_equal(whole, expected[:, 8:17, 10:23])
        again = variable.read(time=slice(0, 3), y=slice(8, 17), x=slice(10, 23))  # of those that are kept
        np.testing.assert_array_equal(again, whole)
