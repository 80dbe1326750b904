"""The examples run."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_kubernetes_offers_the_address_that_it_names():
    """Without a cluster: the file has what the operator's documentation requires, and the commands in its comment fit."""
    text = (EXAMPLES / "kubernetes.yaml").read_text()
    cluster = yaml.safe_load(text)
    assert (cluster["apiVersion"], cluster["kind"]) == ("kubernetes.dask.org/v1", "DaskCluster")
    name, scheduler, worker = cluster["metadata"]["name"], cluster["spec"]["scheduler"], cluster["spec"]["worker"]
    assert scheduler["service"]["selector"]["dask.org/cluster-name"] == name
    ports = {port["name"]: port["containerPort"] for port in scheduler["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"]: port["port"] for port in scheduler["service"]["ports"]} == ports
    assert f"service/{name}-scheduler {ports['tcp-comm']}" in text and f"localhost:{ports['tcp-comm']}" in text
    mounts = {mount["name"] for mount in worker["spec"]["containers"][0]["volumeMounts"]}
    assert mounts == {volume["name"] for volume in worker["spec"]["volumes"]}


def test_live_map_is_stored_without_outputs():
    cells = [cell for cell in nbformat.read(EXAMPLES / "explore.ipynb", 4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


@pytest.mark.skipif(importlib.util.find_spec("lonboard") is None, reason="the extra `interactive` is not installed")
def test_live_map(run, tmp_path, monkeypatch):
    """It shows a map with every layer, and answers a click."""
    monkeypatch.setenv("PAPERLIB_QUIET", "1")
    target = tmp_path / "explore.ipynb"
    command = [sys.executable, "-m", "papermill", "explore.ipynb", str(target), "-y", "names: [TempCNN, iota2_base]"]
    subprocess.run(command, cwd=EXAMPLES, check=True, capture_output=True, timeout=400)
    executed = nbformat.read(target, 4)
    state = executed.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    kinds = [one["state"].get("_layer_type") for one in state]
    assert kinds.count("bitmap") == 2 + 3 and kinds.count("polygon") == 1  # two dates; truth and two models
    answers = [one["state"]["outputs"] for one in state if one["state"].get("outputs")]
    assert len(answers) == 1 and "truth" in str(answers[0]) and "image/png" in str(answers[0])
