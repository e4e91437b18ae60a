"""What buttons carry: `version:kind:...`, at most 64 bytes, and to be checked as if forged."""

from dataclasses import dataclass

from crm.kit.errors import InvalidError

MAX_BYTES = 64
_VERSION = "1"


@dataclass(frozen=True)
class StartTap:
    """Starts the flow that declares `Button(name)`."""

    name: str
    argument: str = ""


@dataclass(frozen=True)
class AnswerTap:
    """Answers question `step` of run `run` with the option at `index`; the special choices are negative."""

    run: int
    step: int
    index: int


@dataclass(frozen=True)
class ContentTap:
    """A button of a message that operators wrote: `place` (row.column) in the content that `kind` and `ref` name."""

    kind: str
    ref: str
    place: str


DONE = -1
SKIP = -2
Tap = StartTap | AnswerTap | ContentTap


class ButtonTooLong(InvalidError):
    """A button may carry at most 64 bytes."""


def start_data(name: str, argument: str = "") -> str:
    """Data of a button that starts a flow, e.g. `start_data("survey", "nps")`. Raises ButtonTooLong."""
    data = f"{_VERSION}:s:{name}:{argument}" if argument else f"{_VERSION}:s:{name}"
    if len(data.encode()) > MAX_BYTES:
        raise ButtonTooLong
    return data


def answer_data(run: int, step: int, index: int) -> str:
    """Data of a button that answers a question."""
    return f"{_VERSION}:a:{run}:{step}:{index}"


def content_prefix(kind: str, ref: str) -> str:
    """What the data of an operator's buttons starts with; `:row.column` follows. `kind` is one letter."""
    return f"{_VERSION}:{kind}:{ref}"


def read_tap(data: str | None) -> Tap | None:
    """What a tapped button carried; None if we never made such a button, or a version ago."""
    parts = (data or "").split(":", 3)
    match parts:
        case [version, "s", name, *rest] if version == _VERSION and name:
            return StartTap(name, rest[0] if rest else "")
        case [version, "a", run, rest] if version == _VERSION:
            step, _, index = rest.partition(":")
            numbers = [run, step, index.removeprefix("-")]
            if all(part.isascii() and part.isdigit() for part in numbers):
                return AnswerTap(int(run), int(step), int(index))
        case [version, kind, ref, place] if version == _VERSION and len(kind) == 1:
            return ContentTap(kind, ref, place)
    return None
