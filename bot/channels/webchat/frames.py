"""Frames that pages send: checked, and refused with a code that says why."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

MAX_BYTES = 16 * 1024
_FRAME_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PAYLOAD = re.compile(r"[A-Za-z0-9_:.=-]{1,64}")
_MAX_TOKEN, _MAX_LOCALE, _MAX_DATA = 200, 16, 200


class BadFrameError(Exception):
    """A frame that cannot be used; `code` says why, `frame_id` which one it was if that much could be read."""

    def __init__(self, code: str, frame_id: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.frame_id = frame_id


@dataclass(frozen=True)
class Hello:
    """The first frame of every connection; `has_switched` when the visitor just chose this language."""

    token: str | None
    locale: str
    start: str | None
    has_switched: bool


@dataclass(frozen=True)
class Said:
    """A text. The page sends it again with the same id until it is acknowledged."""

    id: str
    text: str


@dataclass(frozen=True)
class Tapped:
    """A tap on a button; `message_id` names the message that it stands below."""

    id: str
    data: str
    message_id: str | None


@dataclass(frozen=True)
class AskedHistory:
    """The newest messages, or those before one."""

    before: UUID | None


@dataclass(frozen=True)
class Seen:
    """The newest message that the visitor saw."""

    message_id: UUID


Frame = Hello | Said | Tapped | AskedHistory | Seen


def read(data: str | bytes | None) -> Frame:
    """The frame in what came over the socket. Raises BadFrameError."""
    if not isinstance(data, str):
        raise BadFrameError("invalid_frame")
    if len(data) > MAX_BYTES or len(data.encode("utf-8", "replace")) > MAX_BYTES:
        raise BadFrameError("too_large")
    try:
        found = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadFrameError("invalid_frame") from error
    if not isinstance(found, dict):
        raise BadFrameError("invalid_frame")
    return _frame(found)


def _frame(found: dict[str, Any]) -> Frame:
    match found.get("type"):
        case "hello":
            start = _optional(found, "start", 1024)
            usable = start if start and _PAYLOAD.fullmatch(start) else None
            token, locale = _optional(found, "token", _MAX_TOKEN), _optional(found, "locale", _MAX_LOCALE)
            return Hello(token, locale or "", usable, found.get("switched") is True)
        case "text":
            return Said(_id(found), _required(found, "text", MAX_BYTES))
        case "tap":
            message_id = _optional(found, "message_id", 64)
            return Tapped(_id(found), _required(found, "data", _MAX_DATA), message_id)
        case "history":
            before = _optional(found, "before", 64)
            return AskedHistory(None if before is None else _uuid(before))
        case "seen":
            return Seen(_uuid(_required(found, "id", 64)))
    raise BadFrameError("unknown_frame")


def _id(found: dict[str, Any]) -> str:
    value = found.get("id")
    if not isinstance(value, str) or not _FRAME_ID.fullmatch(value):
        raise BadFrameError("invalid_frame")
    return value


def _optional(found: dict[str, Any], key: str, longest: int) -> str | None:
    value = found.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise BadFrameError("invalid_frame", _known_id(found))
    return value


def _required(found: dict[str, Any], key: str, longest: int) -> str:
    value = _optional(found, key, longest)
    if value is None or not value.strip():
        raise BadFrameError("invalid_frame", _known_id(found))
    return value


def _known_id(found: dict[str, Any]) -> str | None:
    value = found.get("id")
    return value if isinstance(value, str) and _FRAME_ID.fullmatch(value) else None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadFrameError("invalid_frame") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
