"""Chunks of cubes are read as HDF5 and Zarr themselves read them."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import h5py
import numcodecs
import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.errors import InputError
from paperlib.scenes.chunks.arrays import read_through
from paperlib.scenes.chunks.hdf5 import deflated_arrays
from paperlib.scenes.chunks.zarr_folders import stored_arrays
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


def _as_stored(path, **options):
    options = {"engine": "h5netcdf"} | options
    return xr.open_dataset(path, mask_and_scale=False, decode_times=False, chunks=None, cache=False, **options)


def inflate_directly(stored, path):
    return read_through(stored, deflated_arrays(path, None, stored.data_vars))


def places(size):
    bounds = st.one_of(st.none(), st.integers(-size - 2, size + 2))
    steps = st.sampled_from([None, 1, 2, 3])
    return st.one_of(st.integers(-size, size - 1), st.builds(slice, bounds, bounds, steps))


@pytest.fixture(scope="module")
def files(cubes):
    """Of each cube, as HDF5 reads it and as we do."""
    stored = {path: _as_stored(path) for path in cubes.values()}
    yield [(cube, inflate_directly(cube, path)) for path, cube in stored.items()]
    for cube in stored.values():
        cube.close()


@settings(max_examples=30)
@given(data=st.data())
def test_any_part_is_what_hdf5_reads(files, data):
    stored, ours = data.draw(st.sampled_from(files))
    key = tuple(data.draw(places(size)) for size in SHAPE)
    np.testing.assert_array_equal(ours["b"][key].values, stored["b"][key].values)
    turned, expected = (cube["b"].transpose("x", "time", "y")[::-1].isel(time=[2, 0]) for cube in (ours, stored))
    np.testing.assert_array_equal(turned.values, expected.values)


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


def _packings():
    """Arrays of a Zarr folder by their names: version, and how they are packed."""
    old = {
        "zlib": {"compressors": numcodecs.Zlib(1)}, "gzip": {"compressors": numcodecs.GZip(1)},
        "zstd": {"compressors": numcodecs.Zstd(1), "dtype": "f4", "fill_value": np.nan},
        "blosc": {"compressors": numcodecs.Blosc(), "dtype": ">i2"}, "plain": {"compressors": None, "dtype": "u1"},
        "delta": {"filters": [numcodecs.Delta("i2")], "compressors": numcodecs.Zstd(1)},
        "scaled": {"filters": [numcodecs.FixedScaleOffset(100, 10, "f8", "i4")], "dtype": "f8"},
        "shuffled": {"filters": [numcodecs.Shuffle(2)], "compressors": numcodecs.LZ4()},
        "turned": {"order": "F", "compressors": numcodecs.BZ2()},
        "folders": {"chunk_key_encoding": {"name": "v2", "separator": "/"}, "fill_value": None},
    }  # fmt: skip
    turns = zarr.codecs.TransposeCodec(order=(2, 0, 1)), zarr.codecs.TransposeCodec(order=(0, 2, 1))
    new = {
        "gzip": {"compressors": zarr.codecs.GzipCodec()}, "zstd": {"dtype": "f4", "fill_value": np.nan},
        "blosc": {"compressors": zarr.codecs.BloscCodec()}, "plain": {"compressors": None, "dtype": "u1"},
        "big": {"serializer": zarr.codecs.BytesCodec(endian="big")}, "turned": {"filters": turns[:1]},
        "dots": {"chunk_key_encoding": {"name": "default", "separator": "."}},
        "turned twice": {"filters": turns},
        "packed twice": {"compressors": [zarr.codecs.ZstdCodec(), zarr.codecs.GzipCodec()]},
    }  # fmt: skip
    return {2: old, 3: new}


#: Arrays that zarr-python reads, each for a reason of its own.
LEFT = {
    "sharded": {"shards": (4, 16, 20)}, "checked": {"compressors": zarr.codecs.Crc32cCodec()},
    "texts": {"dtype": "U2", "fill_value": ""},
}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Zarr folders by version, with arrays in a group; one chunk of each was never written."""
    made = {}
    values = np.random.default_rng(0).integers(0, 250, SHAPE)
    for version, packings in _packings().items():
        made[version] = tmp_path_factory.mktemp("folders") / "b.zarr"
        group = zarr.open_group(made[version], mode="w", zarr_format=version).create_group("10m")
        for name, options in (packings | (LEFT if version == 3 else {})).items():
            options = {"dtype": "i2", "fill_value": 7, "chunks": (2, 8, 10)} | options
            dims = ("time", "y", "x")
            dims = {"dimension_names": dims} if version == 3 else {"attributes": {"_ARRAY_DIMENSIONS": dims}}
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "The data type")  # texts have no specification yet
                array = group.create_array(name, shape=SHAPE, **options, **dims)
            array[:2], array[2, 8:] = values[:2].astype(array.dtype), values[2, 8:].astype(array.dtype)
    return made


@pytest.fixture(scope="module")
def pairs(folders):
    """Of each folder, as zarr-python reads it and as we do."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The data type|Failed to open Zarr store with consolidated")
        stored = {v: _as_stored(path, engine="zarr", group="10m") for v, path in folders.items()}
        return [(s, read_through(s, stored_arrays(folders[v], "/10m", s.data_vars))) for v, s in stored.items()]


@settings(max_examples=40)
@given(data=st.data())
def test_any_part_of_a_folder_is_what_zarr_reads(pairs, data):
    stored, ours = data.draw(st.sampled_from(pairs))
    key = tuple(data.draw(places(size)) for size in SHAPE)
    name = data.draw(st.sampled_from(sorted(stored.data_vars)))
    np.testing.assert_array_equal(ours[name][key].values, stored[name][key].values)
    assert ours[name].dtype == stored[name].dtype and ours[name].encoding == stored[name].encoding


def test_arrays_of_a_folder_are_decoded_here_or_left(pairs, monkeypatch):
    expected = {id(ours): {name: stored[name].values for name in stored.data_vars} for stored, ours in pairs}
    monkeypatch.setattr(zarr.Array, "__getitem__", lambda *_: pytest.fail("Zarr reads"))
    monkeypatch.setattr(zarr.core.array.Array, "get_basic_selection", lambda *_, **__: pytest.fail("Zarr reads"))
    for (_, ours), names in zip(pairs, _packings().values(), strict=True):
        assert {name for name in ours.data_vars if "Stored" in repr(ours[name].variable._data)} == set(names)
        for name in names:
            again = pickle.loads(pickle.dumps(ours[name].variable._data))  # as a worker of Dask gets it
            np.testing.assert_array_equal(again.get_duck_array(), expected[id(ours)][name])
            with ThreadPoolExecutor(3) as pool:
                read = list(pool.map(lambda _, v=ours[name]: v.values, range(3)))
            np.testing.assert_array_equal(np.stack(read), np.stack([expected[id(ours)][name]] * 3))


@pytest.mark.parametrize(("version", "name"), [(v, n) for v, names in _packings().items() for n in names])
def test_a_damaged_chunk_of_a_folder_is_an_error_in_words(folders, pairs, version, name):
    _, ours = pairs[version - 2]
    number = zarr.open_array(folders[version] / "10m" / name, mode="r").metadata.encode_chunk_key((1, 1, 1))
    file = folders[version] / "10m" / name / number
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[: len(whole) // 2 - 1])
        variable = Variable(folders[version], ours[name])
        assert variable.read(time=slice(0, 1), y=slice(0, 8), x=slice(0, 10)).any()
        cut = "instead of" if name == "blosc" else ""  # whose library reads what lies beyond the end
        with pytest.raises(InputError, match=rf"b\.zarr cannot be read .*cannot be decoded.*{cut}"):
            variable.read(time=slice(2, 3), y=slice(8, 16), x=slice(10, 20))
    finally:
        file.write_bytes(whole)


def test_zarr_inflates_with_it_too(tmp_path):
    values = np.random.default_rng(1).integers(0, 9999, SHAPE).astype("i2")
    packed = zarr.create_array(
        tmp_path / "b", data=values, chunks=(1, 8, 10), compressors=numcodecs.Zlib(1), zarr_format=2
    )
    np.testing.assert_array_equal(packed[:], values)
    assert type(zarr.open_array(tmp_path / "b").compressors[0]).__module__ == "paperlib.scenes.chunks.zarr_folders"
