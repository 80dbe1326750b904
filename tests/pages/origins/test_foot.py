"""The foot of a page: folded, with one line that says how much is behind it."""

import json
import re
from pathlib import Path

from paperlib import Experiment
from paperlib.pages.origins.foot import foot
from paperlib.pages.origins.recording import Recording


def recorded() -> Recording:
    recording = Recording([Path("/somewhere/training/TempCNN-1"), Path("results/rim.csv"), Path("results/rim.csv")])
    recording.glued = {"best": ("0.5", {"training/TempCNN-1"}), "name": ("a </script><b>", set())}
    return recording


def test_one_line_says_what_is_folded():
    made = foot(Experiment("tiny", settings={"train.epochs": 3}), recorded(), 1.5)
    html = made._repr_html_()
    summary = re.search("<summary>(.*?)</summary>", html)[1]
    assert html.startswith('<details class="origins"') and "open" not in html.partition(">")[0]
    assert "2 numbers, 2 artifacts, commit " in summary and made.facts["machine"] in summary
    assert '<tr id="number-best"><th>best</th><td>0.5</td><td><code>training/TempCNN-1</code></td></tr>' in html
    assert "/somewhere" not in html and "<b>" not in html and html.count("</script>") == 1
    data = json.loads(re.search(r'class="origins-data">(.*?)</script>', html)[1])
    assert data["settings"] == "tiny with train.epochs=3" and data["commit"] == made.facts["commit"]
    assert data["numbers"][0] == {"key": "best", "value": "0.5", "artifacts": ["training/TempCNN-1"]}
    assert "train.learning_rate" in html and "typed in the notebook" in html


def test_a_page_without_numbers_states_its_artifacts():
    html = foot(Experiment("tiny"), Recording([Path("store/map/a-1")]), 1.0)
    assert "1 artifact, commit" in html and "numbers" not in html.partition("</summary>")[0]
    assert "<code>map/a-1</code>" in html
