"""An ensemble is the mean of its members' probabilities, in samples and in maps, and says how far they disagree."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from paperlib.errors import InputError
from paperlib.evaluation.metrics import macro_f1
from paperlib.mapping.scene_maps import map_scene, read_map
from paperlib.runs.ensembles import combine, ensemble_of, ensemble_scores, write_ensemble
from paperlib.training.trials import ANSWERS, answers
from support.stac_rules import validate

NAMES = ("TempCNN", "2D-CNN")  # of different halos


@pytest.fixture(scope="module")
def members(run):
    return [
        replace(run.classifier(name), temperature=temperature)
        for name, temperature in zip(NAMES, (0.05, 0.03), strict=True)
    ]


def test_probabilities_are_the_mean_of_the_members(run, members):
    together, x = combine(members), run.samples["test"].x[:5]
    shares = []
    for member in members:
        cut = together.halo - member.halo
        inner = slice(cut, -cut or None)
        shares.append(member.probabilities(x[..., inner, inner]))
    assert together.halo == 4 and (shares[0] - shares[1]).abs().max() > 0.1
    torch.testing.assert_close(together.probabilities(x), torch.stack(shares).mean(0), atol=1e-5, rtol=0)


def test_the_map_is_that_of_the_mean_with_the_disagreement_beside_it(run, members, tmp_path):
    scene = run.scene.isel(y=slice(20, 70), x=slice(30, 85))
    map_scene(combine(members), scene, tmp_path, window=32, every=True)
    shares = []
    for member in members:
        whole = (slice(0, 50), slice(0, 55))
        values, _ = member.inputs.read_around(scene, *whole, member.halo)
        shares.append(member.probabilities(torch.from_numpy(values)[None])[0])
    mean = torch.stack(shares).mean(0)
    codes = np.array([cover.code for cover in run.legend])[mean.argmax(0)]
    found = read_map(tmp_path / "class.tif").values
    usable = found != 0
    assert (found == codes)[usable].mean() > 0.999 and usable.mean() > 0.9
    apart = (shares[0] - shares[1]).abs().sum(0) / 4  # of two members, each is half of that away from the mean
    disagreement = read_map(tmp_path / "disagreement.tif").values
    assert np.abs(disagreement - 100 * apart.numpy())[usable].max() < 0.6 and np.ptp(disagreement[usable]) > 5
    assert {path.stem for path in tmp_path.iterdir()} == {
        "class", "confidence", "margin", "entropy", "probabilities", "disagreement",
    }  # fmt: skip


def test_trainings_of_a_run_are_combined_scored_and_mapped(run, tmp_path):
    table = ensemble_scores(run, [["TempCNN"], list(NAMES)])
    assert table["trainings"].tolist() == [1, 2]
    assert table.loc[0, "ensemble_test"] == pytest.approx(table.loc[0, "macro_f1_test"], abs=1e-6)  # of one member
    assert ensemble_of(run, NAMES).name == "TempCNN+2D-CNN ensemble"
    write_ensemble(run, ["TempCNN"], tmp_path / "ensemble")
    np.testing.assert_array_equal(read_map(tmp_path / "ensemble" / "class.tif"), run.class_map("TempCNN"))
    assert not read_map(tmp_path / "ensemble" / "disagreement.tif").values[run.class_map("TempCNN").values > 0].any()
    item = json.loads((tmp_path / "ensemble" / "item.json").read_text())
    validate(item)
    assert (
        "disagreement" in item["assets"]
        and item["properties"]["paperlib:classifier"]["members"][0]["name"] == "TempCNN"
    )


def test_what_has_no_mean_is_said(run, members):
    other = replace(members[1], legend=members[1].legend[::-1])
    with pytest.raises(InputError, match="2D-CNN reads other bands or dates than TempCNN, or has other classes"):
        combine([members[0], other])
    members[1].model.needs_superpixels = True
    with pytest.raises(InputError, match="have no mean"):
        combine(members)
    del members[1].model.needs_superpixels


@pytest.mark.parametrize("part", ["validation", "test"])
def test_scores_are_those_of_the_classifiers_on_the_samples_also_without_kept_answers(run, part, tmp_path):
    table, samples = ensemble_scores(run, [list(NAMES)]), run.trained.samples("2D-CNN")[part]
    assert table.loc[0, f"ensemble_{part}"] == macro_f1(ensemble_of(run, NAMES).evaluate(samples).confusion)
    kept, label = run.trained.answers("2D-CNN", 0, part)
    shutil.copytree(run.trained.training("2D-CNN"), tmp_path / "earlier")
    (tmp_path / "earlier" / ANSWERS).unlink()  # earlier versions kept none
    again, same = answers(tmp_path / "earlier", part, lambda: samples)
    torch.testing.assert_close(kept, again)
    assert torch.equal(label, same)
