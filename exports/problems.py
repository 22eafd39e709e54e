"""What an export refuses, each with its facts."""

from typing import Any

from web.problems import Conflict, Invalid, NotFound, Problem, Unready


class BadChoice(Invalid):
    code, title = "bad-choice", "A choice of the export is not valid"


class NothingToExport(Invalid):
    code, title = "nothing-to-export", "The selection is empty"


class FormatUnsuited(Invalid):
    code, title = "format-unsuited", "The project's data cannot be written in this format"


class ContainerUnsuited(Invalid):
    code, title = "container-unsuited", "This format cannot be put into that container"


class TokenizerNotFound(Invalid):
    code, title = "tokenizer-not-found", "The tokenizer cannot be loaded"


class SnapshotExists(Conflict):
    code, title = "snapshot-exists", "The version exists already"


class SnapshotDiffers(Conflict):
    code, title = "snapshot-differs", "The snapshot's rows are no longer what was frozen"


def nothing_left(tally: dict[str, Any], *, format: str, needs: str) -> NothingToExport:
    """The problem of a selection without a row, with what was dropped and why."""
    reasons = sorted(tally["dropped"].items(), key=lambda item: -item[1])
    dropped = ", ".join(f"{count} {reason}" for reason, count in reasons)
    why = f"; of {tally['read']} preferences, dropped: {dropped}" if dropped else ""
    return NothingToExport(f"Nothing can be exported as {format}: it needs {needs}{why}.", **tally)


class CannotPush(Unready):
    status, code, title = 502, "cannot-push", "The dataset cannot be pushed"


class NotReady(Conflict):
    code, title = "not-ready", "The file is not ready yet"


class RangeOutside(Problem):
    status, code, title = 416, "range-outside", "The range lies outside the file"


class UnknownRow(NotFound):
    code, title = "unknown-row", "No preference has this row id"


class CannotWrite(Unready):
    status, code, title = 507, "cannot-write", "The file cannot be written"
