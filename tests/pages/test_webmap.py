"""The interactive map packs what the run has, and a browser shows it, by mouse and by keyboard."""

import base64
import copy
import io
import json
import re
import shutil
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import rioxarray
import xarray as xr
from matplotlib.colors import to_rgb
from PIL import Image
from shapely import Point

from paperlib.figures.images import composite
from paperlib.pages.explore import contents, probabilities, webmap
from paperlib.pages.kept.kept_results import first_run
from paperlib.scenes import sensors

BOOK = Path(__file__).parents[2] / "book"
EXTRA = BOOK / "extra"
NAMES = ("2D-CNN", "iota2_base")
SERIES_BYTES = 1_200_000  # a square that is large enough to hold clouds
VIEWPORT = '<meta name="viewport" content="width=device-width">'
sys.path.insert(0, str(BOOK / "_ext"))


@pytest.fixture(scope="module")
def scene(run) -> xr.DataArray:
    """All of the scene, read in one go."""
    return run.scene.compute()


@pytest.fixture(scope="module")
def html(run):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contents, "SERIES_BYTES", SERIES_BYTES)
        return webmap.interactive_map(run, names=NAMES, first=first_run(run))


@pytest.fixture(scope="module")
def data(html):
    return packed(html)


@pytest.fixture(scope="module")
def kept(html):
    return packed(html, "kept")


def packed(html: str, key: str = "") -> dict:
    return json.loads(re.search(rf'class="webmap-data" data-run="{key}"[^>]*>(.*?)</script>', html, re.S)[1])


def unpack(text: str, kind: str = "u1") -> np.ndarray:
    """The inverse of `packing.pack`, written for itself."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(np.dtype(kind).itemsize, -1)
    return np.ascontiguousarray(planes.T).view(kind).ravel()


def decode(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))).convert("RGB"))


# -- what is packed ----------------------------------------------------------------------------------------------------


def test_classes_confidence_and_areas_are_those_of_the_maps(run, data):
    assert [one["name"] for one in data["maps"]] == ["truth", *NAMES]
    for one, codes in zip(data["maps"], run.class_maps(NAMES).values(), strict=True):
        assert np.array_equal(unpack(one["classes"]), codes.values.ravel())
        assert sum(one["hectares"]) == pytest.approx(192 * 192 / 100, rel=1e-3)  # UTM
        assert one["hectares"][3] == pytest.approx((codes.values == run.legend[3].code).sum() / 100, rel=1e-3, abs=0.01)
    assert data["maps"][0]["confidence"] is None
    for one in data["maps"][1:]:
        assert np.array_equal(unpack(one["confidence"]), run.confidence_map(one["name"]).values.ravel())
    assert [(cover["code"], cover["colour"]) for cover in data["legend"]] == [(c.code, c.colour) for c in run.legend]


def test_probabilities_of_all_classes_are_those_of_the_whole_map(run, data):
    """Of the class on the map, the confidence says it; a part knows what lies around it."""
    every = run.override({"map.probabilities": True})
    legend = np.array([cover.code for cover in run.legend])[:, None, None]
    assert data["step"] == probabilities.STEPS[0] == 1 and data["maps"][0]["probabilities"] is None
    for one in data["maps"][1:]:
        stored = rioxarray.open_rasterio(every.map(one["name"]) / "probabilities.tif").values / 10_000
        levels = unpack(one["probabilities"]).reshape(stored.shape)
        on_the_map = unpack(one["classes"]).reshape(stored.shape[1:]) == legend
        assert not levels[on_the_map].any() and np.abs(levels - 100 * stored)[~on_the_map].max() <= 0.501
    part = {"y": slice(50, 90), "x": slice(0, 30)}
    for name in ("2D-CNN", "iota2_ctx"):
        stored = rioxarray.open_rasterio(every.map(name) / "probabilities.tif").values / 10_000
        assert np.abs(probabilities.probabilities(run, name, part) - stored[:, part["y"], part["x"]]).max() < 2e-3


def test_coarser_probabilities_come_before_a_smaller_map(run):
    """The step is the finest that fits."""
    rng = np.random.default_rng(0)
    shares = {"one": rng.dirichlet(np.ones(8), (64, 64)).transpose(2, 0, 1)}
    codes = {"one": np.array([cover.code for cover in run.legend], np.uint8)[shares["one"].argmax(0)]}
    sizes = {step: len(probabilities.pack_levels(shares["one"], codes["one"], run.legend, step)) for step in (1, 5, 10)}
    assert sizes[1] > sizes[5] > sizes[10]
    data = {"maps": [{"name": "truth"}, {"name": "one"}]}
    assert probabilities.add_probabilities(data, shares, codes, run.legend, sizes[5] + 10) and data["step"] == 5
    assert len(data["maps"][1]["probabilities"]) == sizes[5] and data["maps"][0]["probabilities"] is None
    assert not probabilities.add_probabilities(data, shares, codes, run.legend, 100)


def test_the_kept_run_is_the_middle_of_its_scene_without_probabilities(run, kept):
    first = first_run(run)
    assert [one["name"] for one in kept["maps"]] == ["truth", *first.maps.names()] and len(kept["maps"]) == 7
    assert kept["size"] == [1024, 1024] and kept["whole"] == [2048, 2048] and kept["offset"] == [512, 512]
    assert not kept["images"] and kept["series"] is None and not kept["polygons"]["features"]
    for one, codes in zip(kept["maps"], first.class_maps(first.maps.names()).values(), strict=True):
        assert np.array_equal(unpack(one["classes"]), codes.values.ravel())
        assert one["confidence"] is None and one["probabilities"] is None
    assert run.settings.map.palette == "" and 'data-run="kept"' not in webmap.interactive_map(run, 64, NAMES, run)


def test_composites_are_the_scene_in_colour_by_date(run, scene, data):
    assert list(data["images"]) == ["true colour", "near infrared"]
    expected = composite(scene, ("B8", "B4", "B3"))
    for date, uri, colours in zip(run.dates, data["images"]["near infrared"].values(), expected, strict=True):
        assert date in data["images"]["near infrared"]
        assert np.abs(decode(uri) / 255 - colours).mean() < 0.03  # stored with loss


def test_series_are_those_of_the_scene(scene, data):
    series = data["series"]
    rows, columns = series["size"]
    part = scene[..., series["row"] : series["row"] + rows, series["column"] : series["column"] + columns]
    stored = unpack(series["values"], "<i2").reshape(part.shape)
    assert rows * columns * 2 * 110 <= SERIES_BYTES and series["bands"] == list(part["band"].values)
    assert np.array_equal(stored == contents.NO_VALUE, np.isnan(part.values))
    assert np.nanmax(np.abs(np.where(stored == contents.NO_VALUE, np.nan, stored / 10_000) - part.values)) < 5.1e-5
    assert series["scale"] == 10_000 and series["unit"] == "reflectance (0 to 1)"
    assert [series["bands"][series[role]] for role in ("red", "infrared")] == ["B4", "B8"]
    assert np.array_equal(unpack(series["mask"]).astype(bool), part["mask"].values.ravel()) and part["mask"].any()


def test_radar_has_a_scale_a_unit_and_lines_of_its_own(run, scene):
    """Decibels x 10000 do not fit into 16 bits; NDVI needs red and infrared."""
    radar = scene[:2].assign_coords(band=["VV", "VH"]).copy(data=scene[:2].values * 10 - 25)
    radar.attrs = {"sensor": "sentinel-1"}
    place = radar["x"][80].item(), radar["y"][80].item()
    series = contents.contents(radar, {}, {}, run.polygons, run.legend, place)["series"]
    (rows, columns), scale = series["size"], series["scale"]
    part = radar[..., series["row"] : series["row"] + rows, series["column"] : series["column"] + columns]
    stored = unpack(series["values"], "<i2").reshape(part.shape)
    assert scale == 1000 and np.nanmin(part.values) < -20
    assert np.nanmax(np.abs(np.where(stored == contents.NO_VALUE, np.nan, stored / scale) - part.values)) < 5.1e-4
    assert series["unit"] == "value" and series["red"] is None and len({line for line, _ in series["styles"]}) == 2


def test_polygons_keep_class_set_and_place(run, data):
    features = data["polygons"]["features"]
    assert len(features) == len(run.polygons)
    for feature, row in zip(features, run.polygons.itertuples(), strict=True):
        assert feature["properties"] == {"polygon": row.polygon_id, "code": row.code, "set": row.set}
        assert np.allclose(feature["geometry"]["coordinates"][0], row.geometry.exterior.coords, atol=0.051)


def test_larger_scenes_are_cut_and_say_so(run):
    data = packed(webmap.interactive_map(run, side=64, names=NAMES))
    assert data["size"] == [64, 64] and data["whole"] == [192, 192]
    (row, column), series = data["offset"], data["series"]
    codes = run.class_map("2D-CNN").values[row : row + 64, column : column + 64]
    assert np.array_equal(unpack(data["maps"][1]["classes"]), codes.ravel())
    assert data["extent"][0] == pytest.approx(float(run.scene["x"][column]) - 5)
    assert data["extent"][3] == pytest.approx(float(run.scene["y"][row]) + 5)
    assert len(data["polygons"]["features"]) < len(run.polygons)
    assert series["row"] >= 0 and series["row"] + series["size"][0] <= 64


def test_the_noisiest_scene_stays_below_the_limit(run, monkeypatch):
    """Noise does not compress at all; two years of dates."""
    size, dates = 500, 24
    rng = np.random.default_rng(0)
    noisy, dataset = copy.copy(run), copy.copy(run.dataset)
    noisy.dataset = dataset
    places = {"y": 4_836_000.0 - 10 * np.arange(size), "x": 356_000.0 + 10 * np.arange(size)}
    dataset.scene = xr.DataArray(
        rng.random((10, dates, size, size), dtype=np.float32),
        dims=("band", "time", "y", "x"),
        coords={
            "band": list(sensors.BANDS),
            "time": np.datetime64("2018-01-15", "ns") + np.arange(dates) * np.timedelta64(30, "D"),
            **places,
            "mask": (("time", "y", "x"), np.zeros((dates, size, size), bool)),
        },
    ).rio.write_crs(32631)
    codes = np.array([cover.code for cover in run.legend], np.uint8)[rng.integers(0, 8, (7, size, size))]
    noisy.class_maps = lambda names: {f"map {n}": xr.DataArray(c, places) for n, c in enumerate(codes)}
    noisy.confidence_map = lambda name: xr.DataArray(rng.integers(0, 101, (size, size)).astype(np.uint8), places)
    guess = rng.dirichlet(np.ones(8), (size, size)).astype(np.float32).transpose(2, 0, 1)
    monkeypatch.setattr(webmap.probabilities, "probabilities", lambda run, name, part: guess[:, part["y"], part["x"]])
    html = webmap.interactive_map(noisy, names=[f"map {n}" for n in range(1, 7)])
    data = packed(html)
    assert len(html.encode()) <= webmap.LIMIT
    assert 100 < data["size"][0] < webmap.SIDE
    assert len(data["images"]["true colour"]) == contents.COMPOSITE_DATES and len(data["series"]["dates"]) == dates


def test_nothing_kept_beside_the_page_is_large_or_points_elsewhere():
    for path in (path for path in EXTRA.rglob("*") if path.is_file()):
        assert path.stat().st_size < 1_000_000, path
    for path in (EXTRA / "map").iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|fetch\(|XMLHttpRequest|@import", text)


# -- in a browser ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(html, tmp_path_factory) -> str:
    """Address of a page that holds the map alone, with the files of the book beside it."""
    import downloads  # of book/_ext

    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(EXTRA, folder, dirs_exist_ok=True)
    page = folder / "page.html"
    html = downloads.lighten(html, "page", folder / "_figures")
    assert "webmap.loaded" in (folder / "_figures" / "page-kept.js").read_text()[:100] and len(html) < 2_500_000
    page.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8">{VIEWPORT}<title>Map</title><body>{html}</body></html>'
    )
    return page.as_uri()


@pytest.fixture
def page(browser, site):
    """The loaded page; at the end, assert that no other host was asked and that nothing was logged."""
    context = browser.new_context(viewport={"width": 900, "height": 1400})
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site)
    page.locator(".webmap-map canvas").first.wait_for()
    page.wait_for_function("document.querySelector('.webmap').map.getLayers().item(0).getSource() !== null")
    yield page
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
    assert said == []
    context.close()


def draw(page) -> np.ndarray:
    """The map as it is on the screen, drawn to the end."""
    page.evaluate("""() => new Promise(done => {
        const map = document.querySelector(".webmap").map; map.once("rendercomplete", done); map.render(); })""")
    return np.asarray(Image.open(io.BytesIO(page.locator(".webmap-map").screenshot())).convert("RGB"))


def on_screen(page, data, row: int, column: int) -> tuple[int, int]:
    """Where the centre of a pixel of the scene is inside the map, (x, y)."""
    left, _, _, top = data["extent"]
    place = [left + 10 * column + 5, top - 10 * row - 5]
    x, y = page.evaluate("place => document.querySelector('.webmap').map.getPixelFromCoordinate(place)", place)
    return round(x), round(y)


def choose(page, name: str, value: str) -> None:
    page.locator(f"select[name={name}]").select_option(value)


def slide(page, name: str, value: int) -> None:
    page.locator(f"input[name={name}]").fill(str(value))


def places(data) -> list[tuple[int, int]]:
    """Pixels spread over the scene, away from the controls on the map and from the middle."""
    rows, columns = data["size"]
    return [
        (row, column) for row in range(35, rows - 30, 17) for column in range(9, columns, 16) if abs(column - 96) > 5
    ]


def colours(picture: np.ndarray, page, data) -> dict[tuple[int, int], tuple[int, ...]]:
    found = {}
    for place in places(data):
        x, y = on_screen(page, data, *place)
        found[place] = tuple(int(value) for value in picture[y, x])
    return found


def expected(run, codes) -> dict:
    table = {cover.code: tuple(round(255 * part) for part in to_rgb(cover.colour)) for cover in run.legend}
    return lambda place: table[int(codes.values[place])]


def test_swipe_and_opacity_move_what_is_shown(page, run, data):
    page.locator("input[name=polygons]").uncheck()
    choose(page, "right-map", "classes/truth")
    choose(page, "left-map", "classes/iota2_base")
    truth, forest = expected(run, run.truth), expected(run, run.class_map("iota2_base"))
    frame = [data["series"]["column"], data["series"]["column"] + data["series"]["size"][1]]
    for share in (0, 50, 100):
        slide(page, "swipe", share)
        shown = colours(draw(page), page, data)
        for place, colour in shown.items():
            if (
                min(abs(place[1] - edge) for edge in frame) > 2
                and min(abs(place[0] - data["series"]["row"] - edge) for edge in (0, data["series"]["size"][0])) > 2
            ):
                assert colour == (forest if place[1] < 192 * share / 100 else truth)(place), (share, place)
    assert any(truth(place) != forest(place) for place in places(data))
    whole = colours(draw(page), page, data)
    slide(page, "opacity", 0)
    below = colours(draw(page), page, data)
    choose(page, "left-map", "none")
    assert colours(draw(page), page, data) == below != whole


def test_each_layer_shows_its_own_values(page, run, data):
    page.locator("input[name=polygons]").uncheck()
    slide(page, "swipe", 0)
    choose(page, "right-map", "confidence/iota2_base")
    place = (60, 30)
    percent = int(run.confidence_map("iota2_base").values[place])
    colour = data["ramp"][percent]
    x, y = on_screen(page, data, *place)
    assert "#{:02x}{:02x}{:02x}".format(*draw(page)[y, x]) == colour
    choose(page, "right-map", "none")
    seen = []
    for image, date in (("true colour", run.dates[0]), ("true colour", run.dates[5]), ("near infrared", run.dates[5])):
        choose(page, "right-image", image)
        choose(page, "right-date", date)
        assert np.abs(draw(page)[y, x].astype(int) - decode(data["images"][image][date])[place]).max() <= 3
        assert page.locator(".webmap-tag.right").inner_text() == f"{image}, {date}"
        seen.append(draw(page))
    assert (seen[0] != seen[1]).any() and (seen[1] != seen[2]).any()


def answers(page) -> list[list[str]]:
    rows = page.locator(".webmap-answers tbody tr").all()
    return [[cell.inner_text().strip() for cell in row.locator("th, td").all()] for row in rows]


def check_pixel(page, run, scene, row: int, column: int) -> None:
    """What the panel says of a pixel is what the run says."""
    assert page.locator(".webmap-pixel h3").inner_text() == f"Pixel in row {row}, column {column} of the scene"
    names = {cover.code: cover.name for cover in run.legend}
    truth = int(run.truth.values[row, column])
    rows = answers(page)
    assert rows[0] == ["truth", names[truth], "–", "–"]
    for said, name in zip(rows[1:], NAMES, strict=True):
        code = int(run.class_map(name).values[row, column])
        percent = str(run.confidence_map(name).values[row, column])
        assert said == [name, names[code], percent, "yes" if code == truth else "no"]
    page.locator(".webmap-pixel details").evaluate("one => { one.open = true; }")
    lines = [
        [cell.inner_text() for cell in line.locator("th, td").all()]
        for line in page.locator(".webmap-pixel details tbody tr").all()
    ]
    pixel = scene[:, :, row, column]
    assert [line[0] for line in lines] == run.dates
    for line, day in zip(lines, range(len(run.dates)), strict=True):
        values = pixel.values[:, day]
        said = [np.nan if cell == "no data" else float(cell) for cell in line[1:11]]
        assert said == pytest.approx(values, abs=6e-5, nan_ok=True)
        red, infrared = (pixel.sel(band=band).values[day] for band in ("B4", "B8"))
        if not np.isnan(values).any():
            assert float(line[11]) == pytest.approx((infrared - red) / (infrared + red), abs=1e-3)
        assert line[12] == ("no" if pixel["mask"].values[day] else "yes")
    used = int((~pixel["mask"].values).sum())
    points = page.locator(".webmap-chart polyline[data-name=B8]").get_attribute("points")
    assert len(points.split()) == used
    chart = page.locator(".webmap-chart svg")
    assert {"reflectance (0 to 1)", "NDVI (-1 to 1)", "date (year-month)"} <= set(
        chart.locator("text").all_text_contents()
    )


def masked_place(scene, data) -> tuple[int, int]:
    """A pixel with series of which some dates are masked and some are not."""
    series = data["series"]
    mask = scene["mask"].values[:, series["row"] + 8 :, series["column"] + 8 :]
    mask = mask[:, : series["size"][0] - 16, : series["size"][1] - 16]
    row, column = np.argwhere(mask.any(0) & ~mask.all(0))[0]
    return int(row) + series["row"] + 8, int(column) + series["column"] + 8


def test_a_click_shows_series_and_answers(page, run, scene, data):
    row, column = masked_place(scene, data)
    x, y = on_screen(page, data, row, column)
    page.locator(".webmap-map").click(position={"x": x, "y": y})
    check_pixel(page, run, scene, row, column)


def test_a_pixel_inside_a_polygon_names_its_class_and_set(page, run, data):
    polygon = run.polygons[run.polygons["set"] == "test"].iloc[0]
    place = polygon.geometry.representative_point()
    row, column = int((data["extent"][3] - place.y) // 10), int((place.x - data["extent"][0]) // 10)
    assert polygon.geometry.contains(Point(data["extent"][0] + 10 * column + 5, data["extent"][3] - 10 * row - 5))
    x, y = on_screen(page, data, row, column)
    page.locator(".webmap-map").click(position={"x": x, "y": y})
    text = page.locator(".webmap-pixel p").first.inner_text()
    assert f"In polygon {polygon.polygon_id} of the set test: {polygon.class_name}" in text
    outside = (data["series"]["row"] - 5, data["series"]["column"] - 5)
    x, y = on_screen(page, data, *outside)
    page.locator(".webmap-map").click(position={"x": x, "y": y})
    assert "Only pixels inside the dashed square" in page.locator(".webmap-pixel").inner_text()
    assert page.locator(".webmap-chart").count() == 0 and len(answers(page)) == 3


def test_the_pointer_and_the_mark_name_classes_in_words(page, run, data):
    """Three of the paper's colours look alike to those who see no red or no green."""
    choose(page, "right-map", "classes/iota2_base")
    choose(page, "left-map", "confidence/2D-CNN")
    place = (60, 150)
    name = {cover.code: cover.name for cover in run.legend}[int(run.class_map("iota2_base").values[place])]
    percent = int(run.confidence_map("2D-CNN").values[place])
    expected = [f"confidence of 2D-CNN: {percent} %", f"iota2_base: {name}"]
    box, (x, y) = page.locator(".webmap-map").bounding_box(), on_screen(page, data, *place)
    page.mouse.move(box["x"] + x, box["y"] + y)
    assert page.locator(".webmap-tag").all_inner_texts() == expected
    page.mouse.move(1, 1)
    assert page.locator(".webmap-tag").all_inner_texts() == ["confidence of 2D-CNN", "iota2_base"]
    page.locator(".webmap-map").click(position={"x": x, "y": y})
    assert page.locator(".webmap-status").inner_text() == f"Mark at row 60, column 150. {'; '.join(expected)}"


def test_the_keyboard_does_what_the_mouse_does(page, run, scene, data):
    series = data["series"]
    row, column = series["row"] + series["size"][0] // 2, series["column"] + series["size"][1] // 2
    for _ in range(30):  # the map is reached by the tabulator alone
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "webmap-map":
            break
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    assert f"row {row + 9}, column {column + 1}" in page.locator(".webmap-status").inner_text()
    assert page.locator(".webmap-pixel h3").count() == 0
    page.keyboard.press("Enter")
    check_pixel(page, run, scene, row + 9, column + 1)
    page.locator("input[name=swipe]").focus()
    before = page.locator(".webmap-divider").bounding_box()["x"]
    page.keyboard.press("ArrowLeft")
    assert page.locator(".webmap-divider").bounding_box()["x"] < before


def test_the_address_holds_what_is_shown(page, browser, data):
    choose(page, "left-map", "confidence/2D-CNN")
    choose(page, "right-image", "near infrared")
    slide(page, "swipe", 30)
    x, y = on_screen(page, data, 60, 150)
    page.locator(".webmap-map").click(position={"x": x, "y": y})
    page.evaluate("document.querySelector('.webmap').map.getView().setResolution(1)")
    page.wait_for_function("location.hash.includes('%2C1.0')")
    other = browser.new_context(viewport={"width": 900, "height": 1400}).new_page()
    other.goto(page.url)
    other.locator(".webmap-pixel h3").wait_for()
    for one in (page, other):
        assert one.locator("select[name=left-map]").input_value() == "confidence/2D-CNN"
        assert one.locator("select[name=right-image]").input_value() == "near infrared"
        assert one.locator("input[name=swipe]").input_value() == "30"
        assert one.locator(".webmap-pixel h3").inner_text() == "Pixel in row 60, column 150 of the scene"
        assert one.evaluate("document.querySelector('.webmap').map.getView().getResolution()") == 1
    other.goto(
        page.url.split("#")[0] + "#swipe=900&left=nothing|x|y&mark=a,b&view=1"
    )  # an address that was cut or mistyped
    other.reload()
    other.locator(".webmap-map canvas").first.wait_for()
    assert other.locator("select[name=left-map]").input_value() == "none"
    other.context.close()


def test_two_corners_give_the_class_shares_of_a_rectangle(page, run, data):
    page.locator("input[name=rectangle]").check()
    corners = [(120, 90), (60, 40)]
    for row, column in corners:
        x, y = on_screen(page, data, row, column)
        page.locator(".webmap-map").click(position={"x": x, "y": y})
    rows = [
        [cell.inner_text().strip() for cell in row.locator("th, td").all()]
        for row in page.locator(".webmap-shares tbody tr").all()
    ]
    inside = np.s_[60:121, 40:91]
    maps = [run.truth, *(run.class_map(name) for name in NAMES)]
    names = {cover.name: cover.code for cover in run.legend}
    assert rows and "61 x 51 pixels" in page.locator(".webmap-shares caption").inner_text()
    for name, *shares in rows:
        expected = [100 * (codes.values[inside] == names[name]).mean() for codes in maps]
        assert [float(share) for share in shares] == pytest.approx(expected, abs=0.051)


def cells(page, table: str) -> list[list[str]]:
    rows = page.locator(f"{table} tbody tr").all()
    return [[cell.inner_text().strip() for cell in row.locator("th, td").all()] for row in rows]


def test_a_click_shows_the_probability_of_every_class(page, run, data):
    place = (60, 150)
    x, y = on_screen(page, data, *place)
    page.locator(".webmap-map").click(position={"x": x, "y": y})
    page.locator(".webmap-chances").wait_for()
    every = run.override({"map.probabilities": True})
    expected = {
        name: rioxarray.open_rasterio(every.map(name) / "probabilities.tif").values[:, *place] for name in NAMES
    }
    rows = cells(page, ".webmap-chances")
    assert [row[0] for row in rows] == [cover.name for cover in run.legend]
    for number, (_, *said) in enumerate(rows):
        assert [float(one) for one in said] == pytest.approx([expected[name][number] / 100 for name in NAMES], abs=0.51)
    chosen = [[cover.code for cover in run.legend].index(int(run.class_map(name).values[place])) for name in NAMES]
    bold = page.locator(".webmap-chances tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].slice(1).map(cell => cell.querySelector('strong') !== null))"
    )
    assert np.array_equal(np.array(bold), np.arange(len(run.legend))[:, None] == np.array(chosen))


def test_the_kept_run_is_shown_when_it_is_chosen(page, browser, run, kept):
    """It is not even read before, so that the page opens as fast without it."""
    assert page.locator(".webmap-app").count() == 1
    before = page.locator("select[name=left-map]").input_value()
    choose(page, "run", "kept")
    page.locator(".webmap-app >> nth=1").locator(".webmap-map canvas").first.wait_for()
    shown = page.locator(".webmap-app:not([hidden])")
    assert shown.count() == 1 and "run=kept" in page.url
    place, codes = (300, 700), first_run(run).class_maps(first_run(run).maps.names())
    left, _, _, top = kept["extent"]
    x, y = page.evaluate(
        "place => document.querySelector('.webmap').map.getPixelFromCoordinate(place)",
        [left + 10 * place[1] + 5, top - 10 * place[0] - 5],
    )
    shown.locator(".webmap-map").click(position={"x": x, "y": y})
    title = shown.locator(".webmap-pixel h3").inner_text()
    assert title == "Pixel in row 812, column 1212 of the scene"
    names = {cover.code: cover.name for cover in run.legend}
    truth = int(codes["truth"].values[place])
    said = cells(page, ".webmap-app:not([hidden]) .webmap-answers")
    assert [row[:2] for row in said] == [[name, names[int(one.values[place])]] for name, one in codes.items()]
    assert [row[2] for row in said[1:]] == [
        "yes" if int(one.values[place]) == truth else "no" for one in list(codes.values())[1:]
    ]
    assert "no probabilities" in shown.locator(".webmap-pixel").inner_text()
    other = browser.new_context(viewport={"width": 900, "height": 1400}).new_page()
    other.goto(page.url)
    other.locator(".webmap-pixel h3").wait_for()
    assert other.locator(".webmap-pixel h3").inner_text() == title and other.locator(".webmap-app").count() == 1
    other.context.close()
    choose(page, "run", "")
    assert page.locator(".webmap-app:not([hidden]) select[name=left-map]").input_value() == before
    assert page.locator(".webmap-app:not([hidden]) .webmap-pixel h3").count() == 0 and "run=kept" not in page.url


def test_a_phone_is_used_by_touch(browser, site, data):
    """A tap shows a pixel, two taps a rectangle, and a finger on the map scrolls the page as elsewhere."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(site)
    page.locator(".webmap-map canvas").first.wait_for()
    page.locator(".webmap-map").scroll_into_view_if_needed()
    box = page.locator(".webmap-map").bounding_box()
    x, y = on_screen(page, data, 60, 150)
    page.touchscreen.tap(box["x"] + x, box["y"] + y)
    page.locator(".webmap-chances").wait_for()
    assert page.locator(".webmap-pixel h3").inner_text() == "Pixel in row 60, column 150 of the scene"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("input[name=rectangle]").check()
    page.locator(".webmap-map").scroll_into_view_if_needed()
    box = page.locator(".webmap-map").bounding_box()
    for row, column in ((120, 90), (60, 40)):
        x, y = on_screen(page, data, row, column)
        page.touchscreen.tap(box["x"] + x, box["y"] + y)
    page.locator(".webmap-shares").wait_for()
    assert "61 x 51 pixels" in page.locator(".webmap-shares caption").inner_text()
    context.close()


def test_every_control_has_a_name(page):
    controls = page.locator(".webmap select, .webmap input").all()
    assert len(controls) == 11
    assert all(control.evaluate("one => one.labels[0].innerText.trim()") for control in controls)
    assert page.locator(".webmap-legend tbody tr").count() == 8


def test_nothing_is_wider_than_a_phone(browser, site):
    context = browser.new_context(viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.goto(site)
    page.locator(".webmap-map canvas").first.wait_for()
    page.locator(".webmap-map").press("Enter")
    page.locator(".webmap-pixel summary").click()
    assert page.locator(".webmap-pixel details table").bounding_box()["width"] > 400  # it scrolls in its own frame
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_in_dark(browser, site, scheme):
    """Contrast of text and ground at least 4.5, with the browser's own colours; the book's theme brings its own."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(site)
    page.add_style_tag(content=":root { color-scheme: light dark; }")
    page.locator(".webmap-map canvas").first.wait_for()
    pair = page.evaluate("""() => { const one = getComputedStyle(document.querySelector(".webmap-legend td"));
        return [one.color, one.backgroundColor].map(text => text.match(/[\\d.]+/g).slice(0, 3).map(Number)); }""")
    light = [np.array([0.2126, 0.7152, 0.0722]) @ (np.array(colour) / 255) ** 2.2 for colour in pair]
    assert (max(light) + 0.05) / (min(light) + 0.05) > 4.5
    assert (light[0] < light[1]) == (scheme == "light")
    context.close()


def test_a_picture_stands_in_where_scripts_are_off(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    picture = page.locator(".webmap-still img")
    assert picture.is_visible() and picture.evaluate("one => one.naturalWidth") > 300
    assert "class maps truth and 2D-CNN" in picture.get_attribute("alt")
    assert not page.locator(".webmap-app").is_visible()
    context.close()
