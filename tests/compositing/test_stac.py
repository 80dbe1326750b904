"""Search in a STAC service on this machine: naming schemes, offsets, faults, and addresses that must not be opened."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from paperlib.compositing import acquisitions, stac
from paperlib.compositing.synthesis import synthesise
from paperlib.errors import InputError
from paperlib.scenes.formats import remote
from paperlib.scenes.sensors import BANDS
from support import imagery, spoiling
from support.spoiling import generated

MONTH = ["2018-08-15"]


@pytest.fixture
def service(tmp_path, monkeypatch):
    monkeypatch.setattr(acquisitions, "PAUSE", 0.01)
    with imagery.service(tmp_path) as running:
        yield running


def search(service, **options):
    return stac.search(MONTH, **{"tile": "31TCJ", "endpoint": service.endpoint} | options)


def test_all_pages_of_the_window_come_in_order_of_date(service):
    for date in ("2018-09-07", "2018-07-23", "2018-08-01", "2018-07-22", "2018-09-08", "2018-08-02"):
        service.add(date)
    found = search(service)
    assert [f"{acquisition.date:%m-%d}" for acquisition in found] == ["07-23", "08-01", "08-02", "09-07"]
    assert [path for _, path in service.log].count("/v1/search") == 2
    wider = search(service, window_days=48)
    assert [f"{acquisition.date:%m-%d}" for acquisition in wider] == [
        "07-22",
        "07-23",
        "08-01",
        "08-02",
        "09-07",
        "09-08",
    ]


@pytest.mark.parametrize("scheme", range(3))
def test_each_service_names_bands_in_its_own_way(service, scheme):
    item = service.add(scheme=scheme)
    (acquisition,) = search(service)
    names = stac.NAMES[scheme].split()
    assert tuple(acquisition.bands) == BANDS
    assert [layer.href for layer in acquisition.bands.values()] == [item["assets"][name]["href"] for name in names[:-1]]
    assert acquisition.masks == {"SCL": item["assets"][names[-1]]["href"]}
    assert (acquisition.tile, acquisition.platform, acquisition.version) == ("T31TCJ", "2A", 2.08)


@pytest.mark.parametrize(
    ("own", "asset", "expected"),
    [
        ({"s2:processing_baseline": "02.08"}, {}, (1e-4, 0.0)),
        ({"s2:processing_baseline": "02.08"}, {"raster:bands": [{"scale": 1e-4, "offset": -0.1}]}, (1e-4, 0.0)),
        ({"s2:processing_baseline": "04.00"}, {}, (1e-4, -0.1)),
        ({"processing:version": "05.09"}, {"raster:scale": 1e-4, "raster:offset": -0.1}, (1e-4, -0.1)),
        ({"processing:version": "05.09"}, {"bands": [{"raster:scale": 2e-4, "raster:offset": -0.2}]}, (2e-4, -0.2)),
        ({"s2:processing_baseline": "05.00"}, {"raster:bands": [{"scale": 1e-4, "offset": -0.1}]}, (1e-4, -0.1)),
        (
            {"s2:processing_baseline": "05.00", "earthsearch:boa_offset_applied": True},
            {"raster:bands": [{"scale": 1e-4, "offset": -0.1}]},
            (1e-4, 0.0),
        ),
        (
            {"s2:processing_baseline": "05.00", "earthsearch:boa_offset_applied": False},
            {"raster:bands": [{"scale": 1e-4, "offset": -0.1}]},
            (1e-4, -0.1),
        ),
    ],
)
def test_scale_and_offset_follow_the_metadata(service, own, asset, expected):
    item = service.add()
    item["properties"].pop("s2:processing_baseline")
    item["properties"] |= own
    for one in item["assets"].values():
        one.update(asset)
    (acquisition,) = search(service)
    assert {(layer.scale, layer.offset) for layer in acquisition.bands.values()} == {expected}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda item: item["assets"].pop("rededge2"), "no asset rededge2"),
        (lambda item: item["assets"].pop("scl"), "no asset scl"),
        (lambda item: item["properties"].pop("s2:processing_baseline"), "reflectance is not known"),
        (lambda item: item["properties"].update({"s2:processing_baseline": "99.99"}), "reflectance is not known"),
        (lambda item: item["assets"]["nir"].update({"raster:scale": "NaN"}), "give no reflectance"),
        (lambda item: item["properties"].update({"datetime": None}), "no date"),
        (lambda item: item.pop("assets"), "no valid Sentinel-2 L2A item"),
        (lambda item: item["assets"].update(blue=[]), "no valid Sentinel-2 L2A item"),
    ],
)
@pytest.mark.fault(
    "a missing asset, a broken item", "the item is left out with a warning that names it", "that acquisition"
)
def test_an_item_that_cannot_be_used_is_left_out_with_a_warning(service, spoil, said):
    service.add("2018-08-10")
    spoil(service.add("2018-08-20"))
    with pytest.warns(UserWarning, match=f"Left out: item 'S2A_31TCJ_20180820_0_L2A'.*{said}"):
        assert [f"{acquisition.date:%m-%d}" for acquisition in search(service)] == ["08-10"]


@pytest.mark.parametrize(
    "href",
    [
        "/etc/passwd",
        "../../../etc/passwd",
        "file:///etc/passwd",
        "/vsizip//home/x.zip",
        "http://example.org/B02.tif",
        "https://example.org/B02.tif",
        "http://127.0.0.1.example.org/B02.tif",
        "https://127.0.0.1@example.org/B02.tif",
        "https://127.0.0.1\\@example.org/B02.tif",
        "zip+https://127.0.0.1/x.zip!B02.tif",
        "https://127.0.0.1/x.zip!B02.tif",
        "https://[bad/B02.tif",
        "s3://eodata/B02.jp2",
        "ftp://127.0.0.1/B02.tif",
        "https://127.0.0.1/a b.tif",
        None,
    ],
)
@pytest.mark.fault(
    "an image address on another host, or a local path",
    "never opened; the acquisition is left out with a warning",
    "that acquisition",
)
def test_an_address_elsewhere_or_a_local_path_is_never_opened(service, href):
    service.add("2018-08-10")
    service.add("2018-08-20")["assets"]["green"]["href"] = href
    with pytest.warns(UserWarning, match="Left out: item"):
        assert [f"{acquisition.date:%m-%d}" for acquisition in search(service)] == ["08-10"]


def test_a_host_that_the_user_allows_is_used_and_https_is_taken_for_object_storage(service):
    item = service.add()
    for name, asset in item["assets"].items():
        asset["href"] = f"https://images.example.org/{name}.tif"
    with (
        pytest.warns(UserWarning, match=r"its host is none of 127\.0\.0\.1"),
        pytest.raises(InputError, match="the first"),
    ):
        search(service)
    assert search(service, hosts=["images.example.org"])[0].bands["B2"].href == "https://images.example.org/blue.tif"
    item["assets"]["blue"] = {"href": "s3://eodata/x", "alternate": {"https": {"href": "https://images.example.org/x"}}}
    assert search(service, hosts=["images.example.org"])[0].bands["B2"].href == "https://images.example.org/x"


@pytest.mark.parametrize("name", ["../../escape", "/tmp/escape", "a\0b", "x" * 5000])
@pytest.mark.fault("an item name that leads out of the folder", "never used as a path", "nothing")
def test_names_of_items_never_become_paths(service, tmp_path, name):
    service.add()["id"] = name
    (product,) = synthesise(search(service), MONTH, tmp_path / "out")
    assert product == tmp_path / "out" / "T31TCJ" / "SENTINEL2X_20180815-000000-000_L3A_T31TCJ_D_V1-1"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "S2A_31TCJ_20180815_0_L2A"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"T31TCJ", ".partial"}


@pytest.mark.parametrize("tile", ["../../..", "31TCJ/..", "31TCI", "61TCJ", "T31TC", "", "31TCJ\n"])
def test_an_item_of_no_valid_tile_is_no_acquisition(service, tile):
    service.add("2018-08-10")
    service.add("2018-08-20")["properties"]["grid:code"] = f"MGRS-{tile}"
    with pytest.warns(UserWarning, match="no tile"):
        found = search(service, tile=None, bbox=imagery.bbox())
    assert [f"{acquisition.date:%m-%d}" for acquisition in found] == ["08-10"]


def test_other_tiles_in_the_area_are_left_away_when_a_tile_is_named(service):
    service.add("2018-08-10")
    other = service.add("2018-08-20")["properties"]
    other |= {"grid:code": "MGRS-31TDJ"}
    assert {acquisition.tile for acquisition in search(service)} == {"T31TCJ"}
    assert {acquisition.tile for acquisition in search(service, tile=None, bbox=imagery.bbox())} == {"T31TCJ", "T31TDJ"}
    other |= {"grid:code": None, "s2:mgrs_tile": "31TCJ"}
    assert len(search(service)) == 2
    other |= {"s2:mgrs_tile": None, "mgrs:utm_zone": 31, "mgrs:latitude_band": "T", "mgrs:grid_square": "CJ"}
    assert len(search(service)) == 2


def test_only_the_newest_version_of_a_passage_counts_but_all_its_parts_do(service):
    service.add("2018-08-15", number=0)
    service.add("2018-08-15", number=1, **{"s2:processing_baseline": "05.00"})
    service.add("2018-08-15", number=2, **{"s2:processing_baseline": "05.00"})
    service.add("2018-08-15", number=3, platform="sentinel-2b")
    service.add("2018-08-15", number=4)
    assert [(acquisition.name[-5], acquisition.platform) for acquisition in search(service)] == [
        ("1", "2A"),
        ("2", "2A"),
        ("3", "2B"),
    ]


@pytest.mark.parametrize("fault", [500, 503, 429])
@pytest.mark.fault(
    "a search service that fails or hangs for a while", "asked again with growing pauses; the same result", "nothing"
)
def test_a_failing_service_is_asked_again(service, fault):
    service.add()
    service.faults |= {"/v1": [fault], "/v1/search": [fault, fault]}
    assert len(search(service)) == 1
    assert [path for _, path in service.log] == ["/v1"] * 2 + ["/v1/search"] * 3


@pytest.mark.parametrize("fault", [500, 404, "garbage"])
@pytest.mark.parametrize("path", ["/v1", "/v1/search"])
@pytest.mark.fault("a search service that stays broken", "an error with its address", "nothing")
def test_a_service_that_stays_broken_is_an_error_with_its_address(service, monkeypatch, path, fault):
    monkeypatch.setattr(stac, "RETRIES", 2)
    service.add()
    service.faults, service.lasting = {path: [fault]}, (fault,)
    with pytest.raises(InputError, match=f"{service.endpoint} gave no answer that can be used"):
        search(service)


def test_a_service_that_hangs_is_given_up(service, monkeypatch):
    monkeypatch.setattr(stac, "RETRIES", 1)
    monkeypatch.setattr(stac, "TIMEOUT", 0.2)
    service.hang, service.faults, service.lasting = 1.0, {"/v1/search": ["hang"]}, ("hang",)
    with pytest.raises(InputError, match="gave no answer"):
        search(service)


def test_no_service_is_an_error(service):
    with pytest.raises(InputError, match="gave no answer"):
        stac.search(MONTH, tile="31TCJ", endpoint="http://127.0.0.1:9/v1")
    for endpoint in ("http://example.org/v1", "file:///tmp", "/tmp", "ftp://127.0.0.1"):
        with pytest.raises(InputError, match=r"https address is expected|no address of a service"):
            stac.search(MONTH, tile="31TCJ", endpoint=endpoint)


def test_links_and_redirects_of_a_service_lead_nowhere_else(service, tmp_path):
    service.add()
    with imagery.service(tmp_path) as other:
        service.search = other.search
        with pytest.raises(InputError, match="gave no answer"):
            search(service)
        service.search = f"{service.endpoint}/search"
        service.faults = {"/v1": [f"{other.base}/v1"]}
        with pytest.raises(InputError, match="gave no answer"):
            search(service)
        assert other.log == []


def test_nothing_found_says_what_was_asked(service):
    with pytest.raises(InputError, match=r"v1, collection sentinel-2-l2a, T31TCJ .*2018-07-23.*none was found"):
        search(service)
    with pytest.raises(InputError, match="Say where"):
        stac.search(MONTH, endpoint=service.endpoint)


@pytest.mark.parametrize(
    ("tile", "epsg", "left", "top"),
    [("31TCJ", 32631, 300000, 4900020), ("22HBD", 32722, 199980, 5900020), ("T31UFU", 32631, 600000, 5900040)],
)
def test_the_place_of_a_tile_follows_from_its_name(tile, epsg, left, top):
    """Against the corners of real products, which lie up to 40 m off the square."""
    found, (west, south, east, north) = stac.tile_bounds(tile)
    assert found == epsg and abs(west - left) <= 20 and abs(north - top) <= 40
    assert (east - west, north - south) == (109800, 109800)


@pytest.mark.parametrize("tile", ["31TZZ", "31ICJ", "tcj", "31TCJ1", "31tcj", "00TCJ"])
def test_what_is_no_tile_is_refused(tile):
    with pytest.raises(InputError, match="no Sentinel-2 tile"):
        stac.tile_bounds(tile)


@generated
@given(data=st.data())
@pytest.mark.fault(
    "an item with anything wrong (generated)", "an acquisition on allowed hosts alone, or an error", "nothing"
)
def test_a_spoilt_item_gives_a_acquisition_or_an_error(service, data):
    item = data.draw(spoiling.spoilt(service.items[0] if service.items else service.add()))
    allowed = stac.allowed_hosts(service.endpoint)
    try:
        acquisition = stac.acquisition_of_item(item, allowed)
    except InputError as error:
        assert "item" in str(error) and len(str(error)) < 1000
    else:
        assert (
            tuple(acquisition.bands) == BANDS
            and stac.TILE.fullmatch(acquisition.tile)
            and acquisition.date == acquisition.date.normalize()
        )
        for href in (*acquisition.masks.values(), *(layer.href for layer in acquisition.bands.values())):
            assert stac.check_address(href, allowed) == href
        assert all(0 < layer.scale <= 0.01 and abs(layer.offset) <= 1 for layer in acquisition.bands.values())


def test_images_in_a_bucket_of_the_service_need_keys_and_others_are_never_opened(service, tmp_path, monkeypatch):
    """CDSE: s3://eodata, with the keys of an account in GDAL's variables."""
    item = service.add("2018-08-10")
    for asset in item["assets"].values():
        asset["href"] = asset["href"].replace(service.base, "s3://eodata")
        asset["alternate"] = {"https": {"href": "https://download.dataspace.copernicus.eu/x"}}
    allowed = stac.allowed_hosts("https://stac.dataspace.copernicus.eu/v1")
    for key in remote.KEYS:
        monkeypatch.delenv(key, raising=False)
    with pytest.raises(InputError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") as caught:
        stac.acquisition_of_item(item, allowed)
    assert "keys of eodata.dataspace.copernicus.eu" in str(caught.value)
    for name, value in zip(remote.KEYS, ("AKEY", "SECRET"), strict=True):
        monkeypatch.setenv(name, value)
    acquisition = stac.acquisition_of_item(item, allowed)
    assert acquisition.bands["B2"].href.startswith("s3://eodata/") and acquisition.masks["SCL"].startswith("s3://")
    (service.root / "eodata").symlink_to(service.root)
    monkeypatch.setenv("AWS_S3_ENDPOINT", service.base.removeprefix("http://"))
    monkeypatch.setenv("AWS_HTTPS", "NO")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTING", "FALSE")
    (product,) = synthesise([acquisition], ["2018-08-10"], tmp_path / "out")
    assert product.is_dir()
    item["assets"]["blue"]["href"] = "s3://another/B02.tif"
    assert stac.acquisition_of_item(item, allowed).bands["B2"].href.startswith("https://download.dataspace")


def test_images_of_planetary_computer_are_signed_when_they_are_opened(service, tmp_path, monkeypatch):
    signed = []
    monkeypatch.setattr(remote, "SIGNED", "127.0.0.1")
    package = SimpleNamespace(sign=lambda href: signed.append(href) or f"{href}?sig=abc")
    monkeypatch.setitem(sys.modules, "planetary_computer", package)
    service.add(platform="sentinel-2c")
    (acquisition,) = search(service)
    assert acquisition.platform == "2C" and "sig=" not in acquisition.bands["B2"].href
    synthesise([acquisition], MONTH, tmp_path / "out")
    assert {href.rpartition("/")[2] for href in signed} == {f"{name}.tif" for name in stac.NAMES[0].split()}


def test_values_near_64000_are_no_reflectance(service, tmp_path):
    """Earth Search served a tile with such values; a pixel counts from other acquisitions alone."""
    corrupt = np.full((64, 64), 1000)
    corrupt[:20] = 64000
    service.add("2018-08-10", values=corrupt)
    service.add("2018-08-20", values=2000)
    (product,) = synthesise(search(service), MONTH, tmp_path / "out")
    with rasterio.open(next(product.glob("*_FRC_B2.tif"))) as file:
        image = file.read(1)
    assert (image[:40] == 2000).all() and (image[40:] < 2000).all() and (image[40:] > 1000).all()
