"""codecheck.yml lists what is there, and a value that has moved is found."""

import importlib.util
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

PROJECT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("codecheck_script", PROJECT / "codecheck" / "check.py")
codecheck = importlib.util.module_from_spec(spec)
spec.loader.exec_module(codecheck)

QUICK = [entry for entry in codecheck.manifest() if "tolerance" in entry]


def test_the_manifest_is_as_codecheck_has_it():
    text = (PROJECT / "codecheck.yml").read_text()
    content = yaml.safe_load(text)
    assert text.startswith("---\n") and content["version"].startswith("https://codecheck.org.uk/spec/config/")
    assert content["paper"]["title"] and all(author["name"] for author in content["paper"]["authors"])
    for entry in content["manifest"]:
        assert (PROJECT / entry["file"]).is_file() and entry["comment"] and entry["command"], entry
        script = entry["command"].partition("python ")[2].split(" ")[0]
        assert not script or (PROJECT / script).is_file(), entry


def test_every_quick_file_is_listed_once_and_made():
    listed = [Path(entry["file"]).stem for entry in QUICK]
    kept = {path.stem for path in (PROJECT / codecheck.FOLDER).iterdir()}
    assert sorted(listed) == sorted(codecheck.makers()) == sorted(kept)


@pytest.mark.parametrize("entry", QUICK, ids=lambda entry: Path(entry["file"]).stem)
def test_a_changed_value_is_found(entry, tmp_path):
    kept = PROJECT / entry["file"]
    made = tmp_path / kept.name
    shutil.copyfile(kept, made)
    assert codecheck.faults(kept, made, entry["tolerance"]) == []
    table = pd.read_csv(kept)
    column = table.select_dtypes("number").columns[-1] if len(table.select_dtypes("number").columns) else None
    if column is None:  # texts alone
        table.iloc[1, 1] = "2017-01-01"
    else:
        table[column] = table[column].astype(float)
        table.loc[table[column].first_valid_index(), column] += entry["tolerance"] + 1e-3
    table.to_csv(made, index=False)
    (fault,) = codecheck.faults(kept, made, entry["tolerance"])
    assert kept.name in fault and "kept:" in fault
    table.iloc[1:].to_csv(made, index=False)
    assert "rows" in codecheck.faults(kept, made, entry["tolerance"])[0]
    made.unlink()
    assert "was not made" in codecheck.faults(kept, made, entry["tolerance"])[0]


def test_a_fault_ends_the_command_with_an_error(tmp_path, monkeypatch, capsys):
    """The whole command, with files that are copied instead of computed."""

    def copy(folder: Path) -> None:
        for entry in QUICK:
            shutil.copyfile(PROJECT / entry["file"], folder / Path(entry["file"]).name)

    monkeypatch.setattr(codecheck, "make", copy)
    assert codecheck.main() == 0 and f"All {len(QUICK)} files" in capsys.readouterr().out

    def move(folder: Path) -> None:
        copy(folder)
        table = pd.read_csv(folder / "parameters.csv")
        table.loc[0, "parameters"] += 1
        table.to_csv(folder / "parameters.csv", index=False)

    monkeypatch.setattr(codecheck, "make", move)
    assert codecheck.main() == 1 and "parameters.csv, parameters, row 2" in capsys.readouterr().out
