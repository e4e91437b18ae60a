"""Signatures, times of retries, judgements, bodies."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.events.catalogue import CATALOGUE, CheckedIn, OrderPlaced
from crm.events.types import RecordedEvent
from crm.webhooks import bodies, policy, signing
from crm.webhooks.errors import InvalidEndpoint
from crm.webhooks.types import DisabledReason

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT_ID = UUID("019caa3d-1200-7000-8000-000000000001")


def test_the_specifications_own_vector() -> None:
    secret, message_id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    made = signing.signature(secret, message_id, 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_secret_in_use_signs() -> None:
    one, two = signing.new_secret(), signing.new_secret()
    assert one != two
    assert (one[:6], len(one)) == ("whsec_", 50)
    made = signing.headers([one, two], EVENT_ID, NOW, b"{}")
    assert made["webhook-id"] == str(EVENT_ID)
    assert made["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert made["webhook-signature"].split(" ") == [
        signing.signature(secret, str(EVENT_ID), int(NOW.timestamp()), b"{}") for secret in (one, two)
    ]


def test_the_times_of_retries() -> None:
    delays = [policy.next_delay(tries, 0) for tries in range(1, 12)]
    hours = timedelta(hours=1)
    assert delays[:5] == [timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), hours / 6, hours]
    assert delays[5:] == [3 * hours, 8 * hours, 8 * hours, 8 * hours, None, None]
    assert sum((one for one in delays if one), timedelta()) > timedelta(hours=24)


@given(tries=st.integers(1, 9), chance=st.floats(0, 1), asked=st.none() | st.floats(0, 1e9))
def test_a_delay_is_never_shorter_than_planned_and_bounded(tries: int, chance: float, asked: float | None) -> None:
    delay = policy.next_delay(tries, chance, asked)
    assert delay is not None
    planned = policy.DELAYS[tries - 1]
    most = max(planned * (1 + policy.JITTER), policy.LONGEST_WAIT)
    assert planned <= delay.total_seconds() <= most + 1e-6
    if asked is not None and asked <= policy.LONGEST_WAIT:
        assert delay.total_seconds() >= asked - 1e-6


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("9" * 30, 999999999.0),
        *((value, None) for value in (None, "", "soon", "-5", "1.5", "１２", "Sun, 99 Mar 2026", "\x00")),
    ],
)
def test_retry_after_is_read_with_care(value: str | None, seconds: float | None) -> None:
    assert policy.parse_retry_after(value, NOW) == seconds


def test_when_an_endpoint_is_given_up() -> None:
    day = timedelta(hours=24)
    assert policy.verdict(500, NOW - day, NOW) is DisabledReason.FAILING
    assert policy.verdict(None, NOW - day + timedelta(seconds=1), NOW) is None
    assert policy.verdict(410, NOW, NOW) is DisabledReason.GONE
    assert policy.verdict(404, NOW, NOW) is None


def test_what_is_kept_of_an_answer() -> None:
    assert policy.excerpt(b"") is None
    assert policy.excerpt(b" \n\t ") is None
    assert policy.excerpt(b"no\x00 \r\n such\xff hook") == "no such\ufffd hook"
    assert len(policy.excerpt("茶".encode() * 5000) or "") == 200


@pytest.mark.parametrize("name", ["", "  ", "\x00", "n" * 65])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(InvalidEndpoint):
        policy.valid_name(name)


def test_kinds_are_checked() -> None:
    assert policy.valid_kinds(["order_placed", "checked_in", "checked_in"], CATALOGUE) == ["checked_in", "order_placed"]
    assert policy.valid_kinds(["checked_in", "*"], CATALOGUE) == ["*"]
    for wrong in ([], ["nothing_such"], ["checked_in", ""]):
        with pytest.raises(InvalidEndpoint):
            policy.valid_kinds(wrong, CATALOGUE)


def _recorded(event: CheckedIn | OrderPlaced) -> RecordedEvent:
    return RecordedEvent(EVENT_ID, NOW, event.kind, event.member_id, "siyu", event.data())


def test_a_body_is_the_same_bytes_each_time() -> None:
    event = OrderPlaced(member_id=7, order_id=9, amount=Decimal("12.50"), currency="CNY", placed_at=NOW)
    body = bodies.event_body(_recorded(event), 3)
    back = RecordedEvent(EVENT_ID, NOW, event.kind, 7, "siyu", dict(reversed(event.data().items())))
    assert bodies.event_body(back, 3) == body
    assert json.loads(body) == {
        "id": str(EVENT_ID),
        "type": "order_placed",
        "timestamp": "2026-03-01T12:00:00.000000Z",
        "sequence": 3,
        "data": {
            "member_id": 7,
            "order_id": 9,
            "amount": "12.50",
            "currency": "CNY",
            "placed_at": "2026-03-01T12:00:00+00:00",
            "items": [],
        },
    }


def test_a_body_holds_the_events_fields_and_no_more() -> None:
    event = CheckedIn(member_id=7, local_date=date(2026, 3, 1), streak=2)
    assert set(json.loads(bodies.event_body(_recorded(event), 1))["data"]) == {
        *("member_id", "local_date", "streak", "channel")
    }
