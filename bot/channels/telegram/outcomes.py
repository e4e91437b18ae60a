"""The one table that says what an answer to a send means; pure.

The Bot API has no idempotency key: whatever leaves open whether the message was taken is `InDoubt`, and only what
was certainly not taken may be tried again.
"""

import re
from http import HTTPStatus

from crm.deliveries.types import (
    ContentRejected,
    InDoubt,
    Migrated,
    NotAccepted,
    SendOutcome,
    Sent,
    Throttled,
    Unauthorized,
    Unreachable,
)

from .answers import Answer, Failure, Phase, Reply

_DEFAULT_RETRY_AFTER = 5.0
_RETRY_AFTER = re.compile(r"retry after (\d+)", re.IGNORECASE)
_UNREACHABLE = (
    ("bot was blocked by the user", "blocked"),
    ("user_is_blocked", "blocked"),
    ("user is deactivated", "deactivated"),
    ("user_deactivated", "deactivated"),
    ("group chat was deactivated", "deactivated"),
    ("bot was kicked", "kicked"),
    ("bot is not a member", "kicked"),
    ("can't initiate conversation", "never_started"),
    ("can't send messages to bots", "is_a_bot"),
    ("can't send messages to the bot", "is_a_bot"),
    ("chat not found", "chat_not_found"),
    ("user not found", "chat_not_found"),
    ("peer_id_invalid", "chat_not_found"),
    ("chat_id is empty", "chat_not_found"),
    ("chat_write_forbidden", "no_rights"),
    ("chat_restricted", "no_rights"),
    ("have no rights to send", "no_rights"),
    ("not enough rights to send", "no_rights"),
)
"""Words of a refusal, and the reason why no later message to this chat will be taken either."""
_WRONG_FILE = (
    "wrong file identifier",
    "wrong remote file",
    "wrong type of the web page content",
    "can't use file of type",
    "invalid file_id",
    "file_reference",
    "file reference",
    "file_id_invalid",
)
_NOT_EDITABLE = (
    "message can't be edited",
    "message to edit not found",
    "there is no text in the message to edit",
    "message_id_invalid",
    "message identifier is not specified",
    "message_edit_time_expired",
)
_NOT_MODIFIED = ("message is not modified", "message_not_modified")


def outcome_of(reply: Reply) -> SendOutcome:
    """What became of one message."""
    if isinstance(reply, Failure):
        return NotAccepted(reply.detail) if reply.phase is Phase.CONNECT else InDoubt(reply.detail)
    if reply.is_ok and reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return Sent(_message_id(reply))
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return InDoubt(_detail(reply))
    if reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return InDoubt(_detail(reply))
    if not reply.is_readable:
        return _refused_on_the_way(reply)
    return _refusal(reply)


def is_wrong_file(reply: Reply) -> bool:
    """Whether the server does not know the file id (any more): upload the file again."""
    return _is_about(reply, _WRONG_FILE)


def is_not_editable(reply: Reply) -> bool:
    """Whether the message to edit is gone or not of this kind: send a new one."""
    return _is_about(reply, _NOT_EDITABLE)


def is_not_modified(reply: Reply) -> bool:
    """Whether an edit would change nothing, which is success."""
    return _is_about(reply, _NOT_MODIFIED)


def is_bad_token(reply: Reply) -> bool:
    """Whether the server knows no bot with this token; 404 is its answer to what is not even shaped like one."""
    return isinstance(reply, Answer) and reply.is_readable and not reply.is_ok and reply.status in _BAD_TOKEN


_BAD_TOKEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)


def retry_after(answer: Answer) -> float:
    """Seconds of silence that a 429 asks for."""
    if answer.retry_after is not None:
        return max(1.0, answer.retry_after)
    found = _RETRY_AFTER.search(answer.description)
    return max(1.0, float(found.group(1))) if found else _DEFAULT_RETRY_AFTER


def _refusal(answer: Answer) -> SendOutcome:
    match answer.status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Throttled(retry_after(answer))
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.NOT_FOUND:
            return Unauthorized(_detail(answer))
        case HTTPStatus.FORBIDDEN:
            return Unreachable(_reason(answer) or "forbidden")
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return ContentRejected(_detail(answer))
        case HTTPStatus.BAD_REQUEST:
            return _bad_request(answer)
    return NotAccepted(_detail(answer))


def _bad_request(answer: Answer) -> SendOutcome:
    if answer.migrate_to is not None:
        return Migrated(str(answer.migrate_to))
    reason = _reason(answer)
    return Unreachable(reason) if reason else ContentRejected(_detail(answer))


def _refused_on_the_way(answer: Answer) -> SendOutcome:
    """A 3xx or 4xx that no Bot API server wrote: a proxy, or a wrong address; the message went nowhere."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(retry_after(answer))
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return ContentRejected(_detail(answer))
    return NotAccepted(_detail(answer))


def _reason(answer: Answer) -> str | None:
    said = answer.description.lower()
    return next((reason for words, reason in _UNREACHABLE if words in said), None)


def _is_about(reply: Reply, phrases: tuple[str, ...]) -> bool:
    if not isinstance(reply, Answer) or reply.is_ok or reply.status != HTTPStatus.BAD_REQUEST:
        return False
    said = reply.description.lower()
    return any(phrase in said for phrase in phrases)


def _message_id(answer: Answer) -> str:
    result = answer.result
    return str(result.get("message_id", "")) if isinstance(result, dict) else ""


def _detail(answer: Answer) -> str:
    return answer.description or f"HTTP {answer.status}"
