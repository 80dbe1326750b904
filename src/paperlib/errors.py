"""A user's mistake as data: what is wrong, what to do about it, and which kind of mistake it is."""

from dataclasses import dataclass

#: The fix of a finding that tells only what was done; reports to a client leave such findings out.
NOTHING_TO_DO = "Nothing has to be done."


@dataclass(frozen=True)
class Finding:
    """Something wrong or doubtful in the input: an "error" stops a run, a "warning" makes its results worse.

    `kind` names the rule, such as "labels.code" or "scene.bands", so that code and tests need not read English.
    """

    level: str
    subject: str
    value: str
    place: str
    fix: str
    kind: str = ""


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun for a message, as in "1 polygon" and "2 polygons".

    `many` is the plural where it takes more than an s: `counted(2, "polygon lies", "polygons lie")`.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


class _Report:
    """What an error and a warning have in common: the text is the problem followed by the fix."""

    level = ""

    def __init__(self, problem: str, fix: str = "", *, kind: str = "", place: str = ""):
        super().__init__(f"{problem} {fix}" if fix else problem)  # type: ignore[call-arg]
        self.problem, self.fix, self.kind, self.place = problem, fix, kind, place

    def __reduce__(self):
        # Without it, a process pool would rebuild the error from its text alone.
        return _rebuild, (type(self), self.problem, self.fix, self.kind, self.place)

    def finding(self, subject: str, place: str = "") -> Finding:
        """The same as one line of the pre-flight report; `place` is used where the error names none itself."""
        return Finding(self.level, subject, self.problem, self.place or str(place), self.fix, self.kind)


class InputError(_Report, ValueError):
    """A scene, polygon file, setting or parameter that cannot be used as it is.

    Parameters
    ----------
    problem: what was looked for and what was found.
    fix: what the user can do about it, with the option of the command line that decides, if there is one.
    kind: the rule that was broken, such as "labels.code".
    place: the file, row or date concerned, where the problem does not name it.

    The command line prints the message without a traceback and exits with 2.
    """

    level = "error"


class InputWarning(_Report, UserWarning):
    """Something doubtful that does not stop a run; the fields are those of `InputError`."""

    level = "warning"


def _rebuild(report, problem: str, fix: str, kind: str, place: str):
    return report(problem, fix, kind=kind, place=place)
