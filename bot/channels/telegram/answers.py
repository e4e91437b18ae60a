"""What comes back from a Bot API server, or does not; pure."""

import json
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import orjson

_MAX_DESCRIPTION = 300


class Phase(Enum):
    """How far a call got before the connection failed."""

    CONNECT = auto()
    """Nothing was written: the server cannot have acted."""
    ANSWER = auto()
    """The request was, or may have been, written: the server may have acted."""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer came."""

    phase: Phase
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's answer. `is_readable` is False when something else than a Bot API server spoke (a proxy)."""

    status: int
    is_ok: bool = False
    result: Any = None
    description: str = ""
    retry_after: float | None = None
    """Seconds."""
    migrate_to: int | None = None
    is_readable: bool = True


Reply = Answer | Failure


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes along as the parameter `field`."""

    field: str
    filename: str
    content_type: str
    content: bytes


def read_answer(status: int, body: bytes) -> Answer:
    """The answer in a response's body, whatever the body is."""
    try:
        said = tolerant_loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("ok"), bool):
        return Answer(status, description=f"HTTP {status} without an answer of the Bot API", is_readable=False)
    parameters = said.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    return Answer(
        status,
        is_ok=said["ok"],
        result=said.get("result"),
        description=str(said.get("description", ""))[:_MAX_DESCRIPTION],
        retry_after=_number(parameters.get("retry_after")),
        migrate_to=_integer(parameters.get("migrate_to_chat_id")),
    )


def describe(reply: Reply) -> str:
    """A reply that was no yes, in words for a log."""
    return reply.description or f"HTTP {reply.status}" if isinstance(reply, Answer) else reply.detail


def tolerant_loads(data: bytes) -> Any:
    """JSON, also with halves of surrogate pairs, which become question marks. Raises ValueError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        lenient = json.dumps(json.loads(data), ensure_ascii=False, allow_nan=False)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return orjson.loads(lenient.encode("utf-8", "replace"))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
