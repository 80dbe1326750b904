"""A run that is kept: written from a store, read back with the names of a run, marked stale when code or settings change."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from paperlib import Experiment, store
from paperlib.errors import InputError
from paperlib.evaluation import intervals
from paperlib.figures import charts, map_figures, score_figures
from paperlib.models import CLASSIFIERS
from paperlib.reproduction import claims, tables
from paperlib.reproduction.kept import code, staleness, writing
from paperlib.reproduction.kept.reading import KeptRun, is_kept, kept_run
from paperlib.reproduction.kept.staleness import confirm, stale
from paperlib.reproduction.kept.writing import keep, keep_other_maps


@pytest.fixture(scope="module")
def run(filled_store):
    return Experiment("tiny", store=filled_store)


@pytest.fixture(scope="module")
def written(run, shared_folder):
    folder = shared_folder / "kept"
    keep(run, folder, "a test machine")
    return folder


@pytest.fixture
def copy(written, tmp_path):
    return shutil.copytree(written, tmp_path / "kept")


def change(path, **facts):
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_what_the_project_keeps_is_whole_and_not_stale():
    """The results that the pages of the book show first; `make paper` makes them again."""
    assert is_kept()
    kept = kept_run()
    assert stale(kept) == []
    assert kept.names
    files = [path for path in kept.store.rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files) <= writing.LARGEST
    assert sum(path.stat().st_size for path in files) <= writing.WHOLE


def test_scores_curves_and_counts_are_those_of_the_run(run, written):
    kept = KeptRun(written)
    assert kept.names[: len(CLASSIFIERS)] == CLASSIFIERS
    assert kept.facts["machine"] == "a test machine"
    pd.testing.assert_frame_equal(kept.efficiency(CLASSIFIERS), run.efficiency())
    pd.testing.assert_frame_equal(kept.class_scores(CLASSIFIERS), run.class_scores())
    pd.testing.assert_frame_equal(kept.trained.history(), run.trained.history())
    mine, theirs = (one.trained.counts("test", CLASSIFIERS) for one in (kept, run))
    pd.testing.assert_frame_equal(intervals.macro_f1_intervals(*mine), intervals.macro_f1_intervals(*theirs))


def test_maps_truth_and_series_are_those_of_the_run(run, written):
    kept, theirs = KeptRun(written), run.class_maps()
    assert kept.class_maps().keys() == theirs.keys()
    for name, codes in kept.class_maps().items():
        np.testing.assert_array_equal(codes, theirs[name], name)
        assert codes.rio.bounds() == theirs[name].rio.bounds()
    mine, whole = kept.dataset.series(True), run.dataset.series(True)
    pd.testing.assert_frame_equal(mine, whole, check_exact=False, rtol=1e-4, check_dtype=False)
    pd.testing.assert_frame_equal(kept.dataset.pixel_counts(), run.dataset.pixel_counts())


def test_pages_draw_a_kept_run(written, is_whole):
    kept = KeptRun(written)
    tables.table_4(kept.class_scores(), kept.efficiency(), kept.legend)
    is_whole(lambda: map_figures.maps_figure(kept.class_maps(), kept.scene, kept.legend))
    is_whole(lambda: charts.series_figure(kept.dataset.series()))
    is_whole(lambda: score_figures.confusion_figure(kept.trained.confusions(), kept.legend))


def test_claims_that_need_trainings_which_are_not_kept_say_so(written):
    table = claims.claims_table(KeptRun(written)).set_index("claim")["verdict"]
    assert "no trainings of 3D-CNN with dates=shuffled" in table["3D-CNN learns from the order of the dates."]
    assert table["Pixel-based maps have more speckle."] == claims.ONE_MAP
    assert ":" not in table["A prior segmentation helps: iota2_ctx beats iota2_base."]


def test_what_is_not_finished_is_absent(run, filled_store, tmp_path):
    unfinished = tmp_path / "store"
    for name in ("scene", "samples", "superpixels", "training/iota2_base*"):
        for path in filled_store.glob(name):
            shutil.copytree(path, unfinished / path.relative_to(filled_store))
    keep(Experiment("tiny", store=unfinished), tmp_path / "kept")
    kept = KeptRun(tmp_path / "kept")
    assert kept.names == ("iota2_base",)
    assert kept.maps.names() == []
    assert kept.efficiency()["inference_seconds"].isna().all()
    with pytest.raises(InputError, match="no trainings of TempCNN"):
        kept.trained.counts("test", ["TempCNN"])
    with pytest.raises(InputError, match="no map of iota2_base"):
        kept.class_map("iota2_base")
    with pytest.raises(InputError, match="another scene or split"):
        kept.override({"sample.patch": 8})


def test_keeping_needs_samples(tmp_path):
    with pytest.raises(InputError, match="no samples"):
        keep(Experiment("tiny", store=tmp_path), tmp_path / "kept")
    with pytest.raises(InputError, match="No results are kept"):
        KeptRun(tmp_path / "kept")


def test_results_that_are_too_large_are_not_kept(run, tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "LARGEST", 1000)
    with pytest.raises(InputError, match=r"too large to be kept.*truth\.tif"):
        keep(run, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_a_map_by_another_training_is_not_shown(copy):
    change(copy / "maps" / "TempCNN" / "provenance.json", training=3)
    with pytest.raises(InputError, match="the map is by training 3, the best is 0"):
        KeptRun(copy).class_map("TempCNN")


def test_maps_by_further_trainings_are_kept_beside(run, copy):
    run.maps.by_trainings("iota2_base", [5])
    keep_other_maps(run, "iota2_base", [4, 5], copy)  # training 4 has none
    first, other = KeptRun(copy).maps.classes_by_training("iota2_base")
    np.testing.assert_array_equal(first, KeptRun(copy).class_map("iota2_base"))
    assert other.shape == first.shape and (other != first).any()
    kept = json.loads((copy / "maps" / "iota2_base" / "others" / "5" / "provenance.json").read_text())
    assert kept["training"] == 5 and kept["machine"]
    assert len(KeptRun(copy).maps.classes_by_training("TempCNN")) == 1


@pytest.mark.parametrize(
    "reason",
    ["nothing", "format", "key", "code of a model", "code of maps"],
)
def test_stale_results_are_named(copy, monkeypatch, reason):
    training = copy / "trainings" / "TempCNN" / "0" / "provenance.json"
    facts = json.loads(training.read_text())
    if reason == "format":
        monkeypatch.setattr(store, "FORMAT", store.FORMAT + 1)
    elif reason == "key":
        change(training, key="0" * 12)
    elif reason == "code of a model":
        change(training, code=facts["code"] | {"model TempCNN": "other"})
    elif reason == "code of maps":
        change(copy / "maps" / "TempCNN" / "provenance.json", code={"map": "other"})
    found = stale(KeptRun(copy))
    expected = {
        "nothing": [], "format": ["Format"], "key": ["the key is another: trainings/TempCNN/0."],
        "code of a model": ["Code of stage 'model TempCNN' changed"], "code of maps": ["Code of stage 'map' changed"],
    }[reason]  # fmt: skip
    assert len(found) == len(expected)
    assert all(part in text for part, text in zip(expected, found, strict=True))


def test_a_changed_preset_makes_results_stale(copy, monkeypatch):
    tiny = staleness.PRESETS["tiny"]
    monkeypatch.setitem(staleness.PRESETS, "tiny", staleness.override(tiny, {"train.epochs": 3}))
    (text,) = stale(KeptRun(copy))
    assert "the key is another" in text and "forest" not in text and "iota2" not in text


def test_code_that_gives_the_same_results_is_confirmed_with_a_reason(copy):
    path = copy / "trainings" / "TempCNN" / "0" / "provenance.json"
    change(path, code=json.loads(path.read_text())["code"] | {"training": "other"})
    with pytest.raises(InputError, match="No reason"):
        confirm(KeptRun(copy), " ")
    assert confirm(KeptRun(copy), "only a name changed") == ["training"]
    kept = KeptRun(copy)
    assert stale(kept) == []
    assert kept.facts["confirmed"][0]["why"] == "only a name changed"
    change(path, format=0)
    with pytest.raises(InputError, match="Format 0"):
        confirm(kept, "the same")


def test_what_was_confirmed_stays_so_when_more_is_kept(run, copy, monkeypatch):
    monkeypatch.setattr(code, "digest", lambda stage, commit="": "before" if commit else "now")
    keep(run, copy)
    assert stale(KeptRun(copy)), "the code of the commit of a training is another"
    confirm(KeptRun(copy), "the same")
    keep(run, copy)
    assert stale(KeptRun(copy)) == []


def test_a_digest_changes_with_code_alone(monkeypatch):
    def digest_of(text):
        monkeypatch.setattr(code, "_now", lambda file: text)
        return code.digest("superpixels")

    plain = digest_of("def f(x):\n    return x + 1\n")
    assert digest_of('"""Text."""\n\n\ndef f(x):\n    """Text."""\n    # why\n    return x + 1  # more\n') == plain
    assert digest_of("def f(x):\n    return x + 2\n") != plain
    assert digest_of('def f(x):\n    return "# no comment"\n') != digest_of('def f(x):\n    return "# other"\n')


def test_every_file_of_a_stage_exists():
    for stage in (*code.STAGES, *(f"{code.MODEL}{name}" for name in CLASSIFIERS)):
        assert code.digest(stage), stage
    assert code.digest("scene", "no-such-commit") == ""
    with pytest.raises(InputError, match="Unknown stage"):
        code.files_of("weather")
