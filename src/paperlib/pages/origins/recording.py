"""What a notebook does, cell by cell: the artifacts that each cell asks for, and the numbers that it glues.

A number that a cell glues comes from the artifacts that the cell asks for, and from those of all cells that have set a name
that it reads. What is kept in memory is asked for once: a cell that uses it after another cell has no artifact of its own,
and then the artifacts so far are stated, which are more than the number needs.
"""

import ast
import re
from pathlib import Path
from typing import Any, NamedTuple

from ... import store

#: Type of the text that `myst_nb.glue` publishes for a value that is not displayed.
GLUED = "application/papermill.record/text/plain"


class Number(NamedTuple):
    """A glued number, text or other value of a page."""

    key: str
    value: str
    artifacts: tuple[str, ...]  # names of folders of the store as stage/name-key, or of files of measurements


class Recording:
    """What one notebook has done so far. `asked` grows with each artifact that is asked for, see `store.asked`."""

    def __init__(self, asked: list[Path]):
        self.asked, self.before, self.source = asked, 0, ""
        self.sources: dict[str, set[str]] = {}  # of each name that a cell has set: the artifacts behind it
        self.glued: dict[str, tuple[str, set[str]]] = {}  # the value of each key, and the artifacts behind its cell
        self.in_cell: dict[str, str] = {}

    def begin_cell(self, source: str) -> None:
        """A cell of this source is about to run."""
        self.before, self.source, self.in_cell = len(self.asked), source, {}

    def publish(self, message: dict) -> dict:
        """A message that the kernel is about to send; of a glued value, the key and the text are noted."""
        content = message.get("content", {})
        key, data = content.get("metadata", {}).get("scrapbook", {}).get("name"), content.get("data", {})
        if key:
            self.in_cell[key] = data.get(GLUED, data.get("text/plain", ""))
        return message

    def end_cell(self) -> None:
        """The cell has run."""
        behind = self._behind()
        for name in names(self.source)[1]:
            self.sources[name] = behind
        self.glued |= self._in_cell()
        self.in_cell = {}

    def _behind(self) -> set[str]:
        """Artifacts behind what the cell has done so far."""
        own = {_named(path) for path in self.asked[self.before :]}
        return own.union(*(self.sources.get(name, set()) for name in names(self.source)[0]))

    def _in_cell(self) -> dict[str, tuple[str, set[str]]]:
        behind = self._behind() or {_named(path) for path in self.asked}
        return {key: (value, behind) for key, value in self.in_cell.items()}

    def numbers(self) -> list[Number]:
        """All glued values so far, in their order."""
        found = (self.glued | self._in_cell()).items()
        return [Number(key, _plain(value), tuple(sorted(behind))) for key, (value, behind) in found]

    def artifacts(self) -> list[str]:
        """All artifacts asked for so far, each once, in alphabetical order."""
        return sorted({_named(path) for path in self.asked})


def _plain(value: str) -> str:
    """The text of a value without quotation marks, and without the type of a number of NumPy."""
    return re.sub(r"^np\.\w+\((.*)\)$", r"\1", value).strip("'\"")


def _named(path: Path) -> str:
    """An artifact as stage/name-key, a file of measurements as results/NAME.csv."""
    return f"{path.parent.name}/{path.name}"


def names(source: str) -> tuple[set[str], set[str]]:
    """Names that a cell reads, and those that it sets, imports aside; both empty for what is no plain Python."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return set(), set()
    read: set[str] = set()
    written: set[str] = set()
    for node in (node for node in nodes if isinstance(node, ast.Name)):
        (read if isinstance(node.ctx, ast.Load) else written).add(node.id)
    return read, written


def record(kernel: Any) -> Recording:
    """Record all that the kernel of a notebook runs from now on; `kernel` is what IPython's `get_ipython` returns."""
    recording = Recording(store.asked)
    kernel.events.register("pre_run_cell", lambda info: recording.begin_cell(info.raw_cell or ""))
    kernel.events.register("post_run_cell", lambda _: recording.end_cell())
    if hasattr(kernel.display_pub, "register_hook"):
        kernel.display_pub.register_hook(recording.publish)
    return recording


def current() -> Recording:
    """The recording of this notebook, which begins when it first imports `paperlib.pages.page`; else an empty one."""
    global _recording
    if _recording is None:
        try:
            from IPython import get_ipython
        except ImportError:
            kernel = None
        else:
            kernel = get_ipython()  # type: ignore[no-untyped-call]
        _recording = record(kernel) if kernel is not None else Recording(store.asked)
    return _recording


_recording: Recording | None = None
