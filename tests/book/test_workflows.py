"""Workflows of GitHub and the environment of Binder: their commands, files and versions exist, and rights are few."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def load(path: Path) -> dict:
    """A workflow; YAML reads the key `on` as True."""
    content = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in content.items()}


def steps(path: Path) -> list[dict]:
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def targets() -> set[str]:
    return set(re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), re.M))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_commands_exist_and_actions_are_pinned(path):
    assert load(path)["name"] == path.stem
    for step in steps(path):
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", step["uses"]), step["uses"]
        else:
            command, *words = step["run"].split()
            if command == "make":
                assert set(words) <= targets(), step["run"]
            elif "apt-get" in words:  # a system package; tests that need it are skipped without it
                assert step["continue-on-error"] is True, step["run"]
            else:
                assert os.access(PROJECT / command, os.X_OK) and not words, step["run"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_job_has_few_rights_and_an_end(path):
    workflow = load(path)
    assert workflow["permissions"], "without a list a token may do everything"
    assert all(job.get("timeout-minutes") or "deploy" in str(job["steps"]) for job in workflow["jobs"].values())
    if "pull_request" in workflow["on"]:
        assert workflow["permissions"] == {"contents": "read"} and "secrets." not in path.read_text()
        assert not any("permissions" in job for job in workflow["jobs"].values())
    assert "pull_request_target" not in workflow["on"]
    if "workflow_run" in workflow["on"]:  # has rights that a fork's code must not get
        assert not any("run" in step or "checkout" in step["uses"] for step in steps(path))
        assert "${{" not in path.read_text(), "what comes from outside is never pasted into a script"


def test_the_book_is_built_weekly_published_by_tag_and_previewed():
    book, preview, comment = (load(PROJECT / ".github" / "workflows" / f"{name}.yml") for name in
                              ("book", "preview", "preview-comment"))  # fmt: skip
    assert book["on"]["schedule"] and book["on"]["push"]["tags"]
    assert "refs/tags/v" in book["jobs"]["publish"]["if"] and book["jobs"]["publish"]["needs"] == "build"
    assert comment["on"]["workflow_run"]["workflows"] == [preview["name"]]
    kept = [step["with"]["name"] for step in preview["jobs"]["build"]["steps"] if "upload" in step.get("uses", "")]
    assert kept == ["execution-reports", "book-preview"]
    assert all(f'"{name}"' in str(comment["jobs"]) for name in kept[1:])


def test_reports_of_failed_notebooks_are_kept_wherever_a_book_is_built():
    for path in WORKFLOWS:
        commands = {step.get("run") for step in steps(path)}
        if commands & {"make book", ".ci/run"}:
            kept = [step for step in steps(path) if step.get("with", {}).get("name") == "execution-reports"]
            assert len(kept) == 1 and kept[0]["if"] == "failure()"


def test_binder_installs_what_conda_users_get():
    mine, theirs = (yaml.safe_load((PROJECT / folder / "environment.yml").read_text()) for folder in (".", "binder"))
    assert theirs["channels"] == mine["channels"] and theirs["dependencies"][:-1] == mine["dependencies"][:-1]
    requirement = theirs["dependencies"][-1]["pip"][0]
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    folder, names = re.fullmatch(r"-e (\S+)\[([\w,]+)\]", requirement).groups()
    assert (PROJECT / "binder" / folder).resolve() == PROJECT and set(names.split(",")) <= set(extras)


def test_binder_starts_at_a_size_it_can_bear():
    answer = subprocess.run(
        [PROJECT / "binder" / "start", "sh", "-c", "echo $PAPERLIB_PRESET"], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "tiny\n"
