"""The report for a client: the numbers of the run, in one file that needs no other."""

import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from paperlib.errors import NOTHING_TO_DO, Finding, InputError
from paperlib.evaluation import metrics
from paperlib.mapping.scene_maps import read_map
from paperlib.pages import client_report

MODEL = "iota2_base"


@pytest.fixture(scope="module")
def report(filled_store, run, tmp_path_factory) -> BeautifulSoup:
    path = client_report.write_report(run, MODEL, tmp_path_factory.mktemp("report") / "report.html")
    return BeautifulSoup(path.read_text(), "html.parser")


def section(report: BeautifulSoup, title: str) -> list:
    """What stands between the heading `title` and the next one."""
    heading = next(tag for tag in report.find_all("h2") if tag.get_text() == title)
    parts = []
    for tag in heading.find_next_siblings():
        if tag.name == "h2":
            break
        parts.append(tag)
    return parts


def tables(report: BeautifulSoup, title: str) -> list[pd.DataFrame]:
    """The tables of a section, texts by column; "class" or a number in the index."""
    frames = []
    for table in [table for tag in section(report, title) for table in tag.find_all("table")]:
        rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.tbody.find_all("tr")]
        names = [cell.get_text() for cell in table.thead.tr.find_all("th")]
        frames.append(pd.DataFrame(rows, columns=names[-len(rows[0]) :]))
    return frames


def test_the_report_is_one_file_that_says_what_was_simulated(report):
    loaded = [tag.get("src") or tag.get("href") for tag in report.find_all(["img", "script", "link", "a"])]
    assert loaded and all(address.startswith("data:") for address in loaded)
    assert all(len(image["alt"]) > 30 for image in report.find_all("img"))
    assert "simulated" in report.h1.get_text() and "simulated" in report.select_one(".admonition").get_text()
    assert [tag.get_text() for tag in report.find_all("h2")] == [
        "The map", "Areas", "How accurate it is", "Where it is weak", "How it was made",
    ]  # fmt: skip


def test_areas_are_those_of_the_map(report, run):
    (areas,) = tables(report, "Areas")
    codes = read_map(run.map(MODEL) / "class.tif").values
    for cover, mapped in zip(run.legend, areas["mapped (ha)"].astype(float), strict=True):
        assert mapped == pytest.approx((codes == cover.code).sum() / 100, rel=2e-3, abs=0.06)


def test_the_weakest_class_and_the_mistakes_are_those_of_the_test_polygons(report, run):
    confusion = run.trained.confusions("test", [MODEL])[MODEL]
    f1 = pd.Series(metrics.f1(confusion), [cover.name for cover in run.legend])
    words = section(report, "Where it is weak")[0].get_text()
    assert re.search(r"least reliable class is (.+?) \(F1", words)[1] == f1.idxmin()
    mistakes, doubtful = tables(report, "Where it is weak")
    wrong = confusion * (1 - np.eye(len(f1), dtype=int))
    assert mistakes["test pixels"].astype(int).tolist() == sorted(wrong[wrong > 0], reverse=True)[: len(mistakes)]
    assert doubtful.iloc[:, 1].astype(float).is_monotonic_decreasing


def test_what_the_check_found_is_passed_on_where_it_needs_a_remedy(filled_store, run, tmp_path):
    findings = [
        Finding(
            "warning",
            "split",
            "3 of 29 test polygons lie <near> others",
            "polygon_id 7",
            "Draw polygons farther apart.",
        ),
        Finding("warning", "split", "8 polygons stay together", "", f"{NOTHING_TO_DO} To group otherwise, mend."),
    ]
    path = client_report.write_report(run, MODEL, tmp_path / "report.html", findings)
    (found,) = [
        tag for tag in section(BeautifulSoup(path.read_text(), "html.parser"), "Where it is weak") if tag.name == "ul"
    ]
    expected = "split: 3 of 29 test polygons lie <near> others. Draw polygons farther apart."
    assert [item.get_text() for item in found.find_all("li")] == [expected]


def test_polygons_are_counted_in_the_order_of_the_legend(report, run):
    counted = tables(report, "How it was made")[-2]
    assert counted.iloc[:, 0].tolist() == [cover.name for cover in run.legend]


def test_a_place_that_cannot_be_written_is_refused(filled_store, run, tmp_path):
    with pytest.raises(InputError):
        client_report.write_report(run, MODEL, tmp_path / "missing" / "report.html")


def test_the_report_of_a_region_is_of_all_tiles(region_run, tmp_path):
    path = client_report.write_report(region_run, MODEL, tmp_path / "report.html")
    report = BeautifulSoup(path.read_text(), "html.parser")
    (areas,) = tables(report, "Areas")
    codes = read_map(region_run.map(MODEL) / "class.tif")
    mapped = (codes.values > 0).sum() / 100
    assert areas["mapped (ha)"].astype(float).sum() == pytest.approx(mapped, rel=5e-3)
    images = [table for table in tables(report, "How it was made") if "masked (%)" in table]
    assert [len(table) for table in images] == [len(times) for times in region_run.dataset.region.times.values()]
