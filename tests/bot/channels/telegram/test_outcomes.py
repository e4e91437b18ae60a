"""The table of answers and what they mean, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram.answers import Answer, Failure, Phase, read_answer, tolerant_loads
from bot.channels.telegram.outcomes import (
    is_bad_token,
    is_not_editable,
    is_not_modified,
    is_wrong_file,
    outcome_of,
    retry_after,
)
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


def _no(status: int, description: str) -> Answer:
    return Answer(status, description=description)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, is_ok=True, result={"message_id": 7}), Sent("7")),
        (Answer(200, is_ok=True, result=True), Sent("")),
        (Answer(200, description="HTTP 200 without ...", is_readable=False), InDoubt("HTTP 200 without ...")),
        (_no(200, "odd"), InDoubt("odd")),
        (Answer(429, description="Too Many Requests", retry_after=7), Throttled(7)),
        (_no(429, "Too Many Requests: retry after 245"), Throttled(245)),
        (_no(429, "slow down"), Throttled(5)),
        (Answer(429, is_readable=False), Throttled(5)),
        (_no(403, "Forbidden: bot was blocked by the user"), Unreachable("blocked")),
        (_no(403, "Forbidden: user is deactivated"), Unreachable("deactivated")),
        (_no(403, "Forbidden: bot was kicked from the supergroup chat"), Unreachable("kicked")),
        (_no(403, "Forbidden: bot is not a member of the channel chat"), Unreachable("kicked")),
        (_no(403, "Forbidden: bot can't initiate conversation with a user"), Unreachable("never_started")),
        (_no(403, "Forbidden: bot can't send messages to bots"), Unreachable("is_a_bot")),
        (_no(403, "Forbidden: something new"), Unreachable("forbidden")),
        (_no(400, "Bad Request: chat not found"), Unreachable("chat_not_found")),
        (_no(400, "Bad Request: PEER_ID_INVALID"), Unreachable("chat_not_found")),
        (_no(400, "Bad Request: not enough rights to send text messages to the chat"), Unreachable("no_rights")),
        (Answer(400, description="upgraded", migrate_to=-1001234567890), Migrated("-1001234567890")),
        (_no(400, "Bad Request: can't parse entities"), ContentRejected("Bad Request: can't parse entities")),
        (_no(400, "Bad Request: message is too long"), ContentRejected("Bad Request: message is too long")),
        (_no(400, "Bad Request: BUTTON_DATA_INVALID"), ContentRejected("Bad Request: BUTTON_DATA_INVALID")),
        (_no(413, "Request Entity Too Large"), ContentRejected("Request Entity Too Large")),
        (_no(401, "Unauthorized"), Unauthorized("Unauthorized")),
        (_no(404, "Not Found"), Unauthorized("Not Found")),
        (Answer(404, description="HTTP 404", is_readable=False), NotAccepted("HTTP 404")),
        (Answer(302, description="HTTP 302", is_readable=False), NotAccepted("HTTP 302")),
        (Answer(413, description="HTTP 413", is_readable=False), ContentRejected("HTTP 413")),
        (_no(409, "Conflict"), NotAccepted("Conflict")),
        (_no(500, "Internal Server Error"), InDoubt("Internal Server Error")),
        (Answer(502, description="HTTP 502", is_readable=False), InDoubt("HTTP 502")),
        (Failure(Phase.CONNECT, "refused"), NotAccepted("refused")),
        (Failure(Phase.ANSWER, "reset"), InDoubt("reset")),
    ],
)
def test_table(answer: Answer | Failure, expected: SendOutcome) -> None:
    assert outcome_of(answer) == expected


def test_special_refusals() -> None:
    assert is_wrong_file(_no(400, "Bad Request: wrong file identifier/HTTP URL specified"))
    assert is_not_editable(_no(400, "Bad Request: message to edit not found"))
    assert is_not_modified(_no(400, "Bad Request: message is not modified: specified new ..."))
    assert not is_not_editable(_no(400, "Bad Request: message is too long"))
    assert not is_wrong_file(Failure(Phase.ANSWER, "wrong file identifier"))
    assert is_bad_token(_no(401, "Unauthorized"))
    assert not is_bad_token(Answer(404, is_readable=False))
    assert retry_after(Answer(429, retry_after=0)) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>502</html>", b"[]", b"null", b'{"ok": 1}', b"\xff\xfe", b"[" * 100_000, b'{"ok":true']
)
def test_what_no_bot_api_server_says_is_unreadable(body: bytes) -> None:
    answer = read_answer(200, body)
    assert not answer.is_readable
    assert not answer.is_ok


def test_odd_parameters_are_dropped() -> None:
    body = b'{"ok":false,"description":5,"parameters":{"retry_after":"x","migrate_to_chat_id":true}}'
    assert read_answer(429, body) == Answer(429, description="5")


def test_halves_of_surrogate_pairs_do_not_stop_a_batch() -> None:
    assert tolerant_loads(rb'{"text": "a\ud800b"}') == {"text": "a?b"}


@given(st.integers(100, 599), st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_every_answer_has_an_outcome(status: int, body: bytes) -> None:
    assert isinstance(outcome_of(read_answer(status, body)), SendOutcome)
