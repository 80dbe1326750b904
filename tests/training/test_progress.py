"""One line for all trainings: what it says, when it says that all are done, and that logs get no line that is rewritten."""

import io
import sys

import pytest

from paperlib import environment
from paperlib.training.progress import COSTS, Progress, Task, spoken


def tasks() -> list[Task]:
    return [
        Task("3D-CNN", "", 1, 2, epochs=10), Task("3D-CNN", "", 2, 2, epochs=10),
        Task("TempCNN", "dates=shuffled", 1, 1, epochs=10), Task("iota2_base", "", 1, 1, epochs=0),
    ]  # fmt: skip


def row(epoch: int, macro_f1: float, seconds: float) -> dict:
    return {"epoch": epoch, "macro_f1": macro_f1, "seconds": seconds}


def test_time_left_is_foretold_from_the_first_epoch():
    progress = Progress(tasks(), workers=2, show=False)
    assert progress.seconds_left() is None
    progress.begin(0)
    progress.epoch(0, row(1, 0.5, 6.0))
    # 9 and 10 epochs of 6 s, and 10 of another network, on two processors
    other = 60 * COSTS["TempCNN"] / COSTS["3D-CNN"]
    assert progress.seconds_left() == pytest.approx((54 + 60 + other) / 2)
    progress.begin(2)
    progress.epoch(2, row(5, 0.5, 10.0))  # 2 s an epoch, as measured now
    assert progress.seconds_left() == pytest.approx((54 + 60 + 10) / 2)
    for number in (0, 2, 3):
        progress.finish(number)
    assert progress.seconds_left() == pytest.approx(60)  # the last one runs alone
    progress.finish(1)
    assert progress.seconds_left() == 0


def test_a_log_gets_whole_lines(capsys):
    with Progress(tasks()[1:], show=True, then="2 maps") as progress:
        for number in range(3):
            progress.begin(number)
            if number < 2:
                progress.epoch(number, row(1, 0.5, 6.0))
                progress.epoch(number, row(2, 0.25, 12.0))
            progress.finish(number)
    out, said = capsys.readouterr()
    lines = said.splitlines()
    assert not out and "\r" not in said and "\x1b" not in said and len(lines) == 4
    assert lines[0].startswith("an epoch of 3D-CNN takes 6.0 s: 0 of 3 trainings done, about ")
    assert lines[1].startswith("trained 3D-CNN 2 of 2 in") and "macro F1 0.500 on validation" in lines[1]
    assert lines[2].startswith("trained TempCNN (dates=shuffled) 1 of 1 in")
    assert lines[3].endswith("3 of 3 trainings done, then 2 maps")


def test_the_time_of_the_whole_command_is_said_from_the_first_epoch(capsys):
    with Progress(tasks()[:2], then="2 maps", after=200.0) as progress:
        progress.begin(0)
        progress.epoch(0, row(1, 0.5, 6.0))
        for number in range(2):
            progress.finish(number)
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.endswith("0 of 2 trainings done, about 2 min left, then 2 maps, about 3 min; in all about 5 min")
    assert last.endswith("2 of 2 trainings done, then 2 maps, about 3 min")


def test_a_terminal_gets_one_line_that_is_rewritten(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    assert environment.watched()
    with Progress(tasks(), workers=2, then="2 maps") as progress:
        progress.bar.mininterval = 0
        progress.begin(0)
        progress.epoch(0, row(3, 0.4567, 6.0))
        progress.begin(1)
        shown = terminal.getvalue().split("\r")[-1]
    assert shown.startswith(
        "3D-CNN 1 of 2: epoch 3 of 10, macro F1 0.457 | 3D-CNN 2 of 2 begins | 0 of 4 trainings done"
    )
    assert "left, then 2 maps" in shown and "\n" not in terminal.getvalue()


def test_nothing_is_shown_when_nobody_asks(capsys):
    with Progress(tasks(), show=False) as progress:
        progress.begin(0)
        progress.epoch(0, row(1, 0.5, 1.0))
        progress.finish(0)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.44, "0.4 s"), (42.4, "42 s"), (99.4, "99 s"), (150, "2 min"), (5400, "1 h 30 min")]
)
def test_durations_in_words(seconds, text):
    assert spoken(seconds) == text


def test_a_training_beyond_those_of_the_settings_is_not_one_of_them():
    assert [Task("3D-CNN", "", number, 5, epochs=10).name for number in (5, 7)] == ["3D-CNN 5 of 5", "3D-CNN 7"]
