"""Local L2A products of ESA and Theia, their offsets and masks; files that are cut short."""

import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from paperlib.compositing.acquisitions import (
    CLOUD,
    EMPTY,
    LAND,
    SNOW,
    WATER,
    Area,
    Reader,
    Unreadable,
    local_acquisitions,
    read_flags,
)
from paperlib.errors import InputError
from paperlib.scenes.formats import l2a
from paperlib.scenes.rasters import Grid
from support import imagery, spoiling
from support.spoiling import generated

GRIDS = tuple(Grid(imagery.CRS_TILE, imagery.transform(p), 1280 // p, 1280 // p) for p in (10, 20))
WHOLE = slice(0, 64)


def flags(acquisition):
    with Reader() as reader:
        return read_flags(reader, acquisition, Area(*GRIDS, WHOLE, WHOLE), WHOLE, WHOLE)


def test_products_of_both_kinds_are_found_at_any_depth_in_order_of_date(tmp_path):
    imagery.write_theia(tmp_path / "31TCJ", "20180820")
    imagery.write_safe(tmp_path / "a" / "..", "20180815")
    found = local_acquisitions(tmp_path)
    assert [(f"{acquisition.date:%m-%d}", acquisition.tile, acquisition.platform) for acquisition in found] == [
        ("08-15", "T31TCJ", "2A"),
        ("08-20", "T31TCJ", "2A"),
    ]
    assert found[0].bands["B8A"].href.endswith("R20m/T31TCJ_20180815T105021_B8A_20m.jp2")
    assert found[1].bands["B8"].href.endswith("_FRE_B8.tif") and found[1].bands["B8"].nodata == -10000
    assert [local_acquisitions(path)[0].name for path in tmp_path.rglob("*.SAFE")] == [
        found[0].name
    ]  # the product itself


@pytest.mark.parametrize(
    ("baseline", "declared", "expected"),
    [("0208", None, 0.0), ("0400", -1000, -0.1), ("0511", -1000, -0.1), ("9999", -1000, -0.1), ("9999", None, 0.0)],
)
def test_the_offset_of_an_esa_product_is_that_of_its_metadata(tmp_path, baseline, declared, expected):
    imagery.write_safe(tmp_path, baseline=baseline, offset=declared)
    layers = local_acquisitions(tmp_path)[0].bands.values()
    assert {(layer.scale, layer.offset) for layer in layers} == {(1e-4, expected)}


def test_without_metadata_the_baseline_in_the_name_decides_or_nothing_does(tmp_path):
    for baseline, expected in (("0301", 0.0), ("0400", -0.1)):
        path = imagery.write_safe(tmp_path / baseline, baseline=baseline)
        (path / "MTD_MSIL2A.xml").unlink()
        assert local_acquisitions(path)[0].bands["B2"].offset == expected
    path = imagery.write_safe(tmp_path / "own", baseline="9999")
    (path / "MTD_MSIL2A.xml").unlink()
    with pytest.warns(UserWarning, match="does not tell the reflectance offset"), pytest.raises(InputError):
        local_acquisitions(path)


def test_metadata_that_lack_a_needed_offset_are_refused(tmp_path):
    path = imagery.write_safe(tmp_path, baseline="0400", offset=-1000)
    text = (path / "MTD_MSIL2A.xml").read_text()
    (path / "MTD_MSIL2A.xml").write_text(text.replace('<BOA_ADD_OFFSET band_id="8">-1000</BOA_ADD_OFFSET>', ""))
    with pytest.warns(UserWarning, match="no BOA_ADD_OFFSET of B8A"), pytest.raises(InputError):
        local_acquisitions(path)


def test_a_product_without_a_band_is_left_out_with_a_warning(tmp_path):
    imagery.write_safe(tmp_path, "20180815")
    path = imagery.write_theia(tmp_path, "20180820")
    next(path.glob("*_FRE_B11.tif")).unlink()
    with pytest.warns(UserWarning, match=r"Left out: .*_FRE_B11\.tif"):
        assert [f"{acquisition.date:%m-%d}" for acquisition in local_acquisitions(tmp_path)] == ["08-15"]


def test_no_product_is_an_error_that_says_what_was_looked_for(tmp_path):
    with pytest.raises(InputError, match=r"S2A_MSIL2A_\.\.\.\.SAFE were looked for.*none was found"):
        local_acquisitions(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        local_acquisitions(tmp_path / "nowhere")


def test_of_a_product_and_its_reprocessed_version_only_the_newer_counts(tmp_path):
    for baseline in ("0208", "0500"):
        imagery.write_safe(tmp_path, baseline=baseline, offset=-1000 if baseline == "0500" else None)
    assert [acquisition.version for acquisition in local_acquisitions(tmp_path)] == [5.0]


def test_scl_classes_become_flags(tmp_path):
    scl = np.zeros((64, 64), int)
    scl[:, :12] = np.arange(12)
    scl[:, 12] = 77
    imagery.write_safe(tmp_path, scl=scl)
    expected = [EMPTY, EMPTY, LAND, CLOUD, LAND, LAND, WATER, LAND, CLOUD, CLOUD, CLOUD, SNOW, EMPTY]
    found = flags(local_acquisitions(tmp_path)[0])
    assert found[0, :13].tolist() == expected and (found == found[0]).all()


def test_theia_masks_become_flags(tmp_path):
    clm, mg2 = np.zeros((64, 64), int), np.zeros((64, 64), int)
    clm[0, 0], clm[0, 1] = 1, 128  # any cloud bit, the thinnest cirrus too
    mg2[0, 2], mg2[0, 3], mg2[0, 1] = 1, 4, 1
    path = imagery.write_theia(tmp_path, clm=clm, mg2=mg2)
    found = flags(local_acquisitions(tmp_path)[0])
    assert found[0, :5].tolist() == [CLOUD, CLOUD, WATER, SNOW, LAND] and (found[1:] == LAND).all()
    fine = imagery.image(0, 10, "uint8")
    fine[3, 5] = 2  # one pixel of 10 m
    imagery.write(next((path / "MASKS").glob("*_CLM_R1.tif")), fine, 10)
    found = flags(local_acquisitions(tmp_path)[0])
    assert found[1, 2] == CLOUD and (found == CLOUD).sum() == 1
    next((path / "MASKS").glob("*_MG2_R1.tif")).unlink()
    assert flags(local_acquisitions(tmp_path)[0])[0, 2] == LAND


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["jp2", "tif"])
@pytest.mark.fault("a Sentinel-2 image cut short", "an error that names it, never wrong values", "nothing")
def test_a_truncated_file_is_never_read_as_values(tmp_path, kind, share):
    random = np.random.default_rng(0).integers(1, 9000, (64, 64))
    write = imagery.write_safe if kind == "jp2" else imagery.write_theia
    acquisition = local_acquisitions(write(tmp_path, values=random))[0]
    href = acquisition.bands["B2"].href
    with open(href, "r+b") as file:
        file.truncate(int(share * file.seek(0, 2)))
    with Reader() as reader, pytest.raises(Unreadable, match=r"B0?2.*cannot be read.*complete") as caught:
        reader.read(acquisition, href, GRIDS[0], slice(0, 128), slice(0, 128))
    assert caught.value.acquisition is acquisition


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_a_truncated_jpeg_2000_file_of_many_tiles_is_noticed_too(tmp_path, share):
    """With several threads, GDAL gives what it finds in memory for the tiles that are not there."""
    acquisition = local_acquisitions(imagery.write_safe(tmp_path))[0]
    grid = Grid(imagery.CRS_TILE, imagery.transform(10), 1024, 1024)
    path = tmp_path / "B02_10m.jp2"
    smooth = gaussian_filter(np.random.default_rng(0).uniform(1, 9000, (1024, 1024)), 3)
    imagery.write(path, smooth.astype(np.uint16), 10)
    with open(path, "r+b") as file:
        file.truncate(int(share * file.seek(0, 2)))
    with Reader() as reader, pytest.raises(Unreadable, match="cannot be read"):
        reader.read(acquisition, str(path), grid, slice(0, 1024), slice(0, 1024))


def test_a_file_on_another_grid_or_of_another_kind_is_refused(tmp_path):
    acquisition = local_acquisitions(imagery.write_theia(tmp_path))[0]
    with Reader() as reader, pytest.raises(Unreadable, match="integers on"):
        reader.read(acquisition, acquisition.bands["B5"].href, GRIDS[0], WHOLE, WHOLE)
    imagery.write(tmp_path / "float.tif", np.ones((128, 128), np.float32), 10)
    shutil.move(tmp_path / "float.tif", acquisition.bands["B2"].href)
    with Reader() as reader, pytest.raises(Unreadable, match="float32"):
        reader.read(acquisition, acquisition.bands["B2"].href, GRIDS[0], WHOLE, WHOLE)


def test_the_rule_of_baselines():
    assert [l2a.offset_of(version) for version in (2.08, 3.01, 4.0, 5.11, 99.99, 0)] == [
        0.0,
        0.0,
        -0.1,
        -0.1,
        None,
        None,
    ]


@generated
@given(data=st.data())
@pytest.mark.fault(
    "metadata of an ESA product spoilt (generated)", "the scale and offsets it says, or an error", "nothing"
)
def test_spoilt_metadata_give_scale_and_offsets_or_an_error(tmp_path, data):
    if not (tmp_path / "p").exists():
        imagery.write_safe(tmp_path / "p", baseline="0400", offset=-1000)
    (path,) = (tmp_path / "p").rglob("MTD_MSIL2A.xml")
    whole = tmp_path / "whole.xml"
    if not whole.exists():
        whole.write_bytes(path.read_bytes())
    text = whole.read_bytes()
    number = data.draw(spoiling.TEXTS).encode("utf-8", "replace")
    path.write_bytes(data.draw(st.one_of(
        spoiling.spoilt_bytes(text), st.just(text.replace(b">-1000<", b">" + number + b"<", 1)),
        st.just(text.replace(b">10000<", b">" + number + b"<", 1)),
    )))  # fmt: skip
    try:
        scale, offsets = l2a._safe_scale(path, 4.0)
    except InputError as error:
        assert "MTD_MSIL2A.xml" in str(error)
    else:
        assert 1e-6 <= scale <= 1 and all(abs(offset) <= 1 for offset in offsets.values())
