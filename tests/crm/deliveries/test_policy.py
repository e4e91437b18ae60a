"""The pure decisions, by tables and by hypothesis."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.deliveries import policy
from crm.deliveries.policy import Candidate, Gates, Result
from crm.deliveries.types import MessageClass, NotAccepted, Reason, Sent, Throttled
from crm.kit.ids import uuid7

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
THIS = UUID(int=0x0123456789ABCDEF)


def _candidate(**changes: Any) -> Candidate:
    return Candidate(
        delivery_id=THIS,
        member_id=1,
        step=0,
        tries=0,
        doubts=0,
        person_id=1,
        has_own=False,
        is_active=True,
        locale="en",
        zone=None,
        identity_id=7,
        bot_id=3,
        channel="telegram",
        address="42",
        is_reachable=True,
        is_consented=True,
        bot_status="active",
        bot_paused_until=None,
        bulk_rate=25.0,
    )._replace(**changes)


def _gates(**changes: Any) -> Gates:
    values: dict[str, Any] = {
        "now": NOW,
        "message_class": MessageClass.MARKETING,
        "send_before": None,
        "quiet_start": None,
        "quiet_end": None,
        "default_zone": "UTC",
        "channels": frozenset({"telegram"}),
    }
    return Gates(**{**values, **changes})


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        ({"has_own": True}, Reason.MOVED),
        ({"is_active": False}, Reason.INACTIVE),
        ({"identity_id": None}, Reason.NO_IDENTITY),
        ({"is_reachable": False}, Reason.UNREACHABLE),
        ({"is_consented": False}, Reason.NO_CONSENT),
        ({"is_consented": None}, Reason.NO_CONSENT),
    ],
)
def test_gates_that_suppress(candidate: dict[str, Any], reason: Reason) -> None:
    verdict = policy.judge(_candidate(**candidate), _gates())
    assert verdict is not None
    assert (verdict.outcome, verdict.reason) == ("suppressed", reason)


def test_open_gates() -> None:
    assert policy.judge(_candidate(), _gates()) is None
    assert policy.judge(_candidate(is_consented=False), _gates(message_class=MessageClass.RECEIPT)) is None


@pytest.mark.parametrize(
    ("candidate", "until"),
    [
        ({"bot_status": "stopped"}, NOW + policy.BOT_STOPPED_WAIT),
        ({"channel": "webchat"}, NOW + policy.BOT_STOPPED_WAIT),
        ({"bot_paused_until": NOW + timedelta(seconds=9)}, NOW + timedelta(seconds=9)),
    ],
)
def test_gates_that_defer(candidate: dict[str, Any], until: datetime) -> None:
    verdict = policy.judge(_candidate(**candidate), _gates())
    assert verdict is not None
    assert (verdict.outcome, verdict.not_before) == ("deferred", until)
    late = policy.judge(_candidate(**candidate), _gates(send_before=NOW + timedelta(seconds=1)))
    assert late is not None
    assert (late.outcome, late.reason) == ("suppressed", Reason.EXPIRED)


@pytest.mark.parametrize(
    ("local", "zone", "until"),
    [
        ("2026-03-01T21:59:59", "Asia/Shanghai", None),
        ("2026-03-01T22:00:00", "Asia/Shanghai", "2026-03-02T08:00:00"),
        ("2026-03-02T07:59:59", "Asia/Shanghai", "2026-03-02T08:00:00"),
        ("2026-03-02T08:00:00", "Asia/Shanghai", None),
        ("2026-03-28T23:00:00", "Europe/Berlin", "2026-03-29T08:00:00"),
    ],
)
def test_quiet_hours_over_midnight(local: str, zone: str, until: str | None) -> None:
    home = ZoneInfo(zone)
    now = datetime.fromisoformat(local).replace(tzinfo=home)
    found = policy.quiet_until(now, home, time(22), time(8))
    assert found == (datetime.fromisoformat(until).replace(tzinfo=home) if until else None)


@given(
    st.integers(0, 365 * 86400 * 1000),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"]),
    st.times(),
    st.times(),
)
def test_after_quiet_hours_it_is_not_quiet(milliseconds: int, zone: str, start: time, end: time) -> None:
    home = ZoneInfo(zone)
    now = NOW + timedelta(milliseconds=milliseconds)
    until = policy.quiet_until(now, home, start, end)
    if until is None:
        return
    assert now < until <= now + timedelta(hours=26)
    again = policy.quiet_until(until, home, start, end)
    assert again is None or again > until


def test_an_unknown_zone_stops_nobody() -> None:
    gates = _gates(quiet_start=time(0), quiet_end=time(1))
    assert policy.judge(_candidate(zone="Mars/Base"), gates) is None


def test_outcomes_that_burn_a_try_and_those_that_do_not() -> None:
    throttled = policy.conclude(_candidate(), Throttled(9), MessageClass.MARKETING, NOW, 0.0)
    assert (throttled.outcome, throttled.not_before) == ("deferred", NOW + timedelta(seconds=9))
    later = policy.conclude(_candidate(), Throttled(10), MessageClass.MARKETING, NOW, 1.0)
    assert later.not_before == NOW + timedelta(seconds=11), "never sooner than asked, and not all at once"
    refused = policy.conclude(_candidate(), NotAccepted("x" * 999), MessageClass.MARKETING, NOW, 0.5)
    assert (refused.outcome, refused.not_before) == ("retry", NOW + timedelta(seconds=1))
    assert len(refused.detail or "") == 300
    last = policy.conclude(_candidate(tries=4), NotAccepted("x"), MessageClass.MARKETING, NOW, 0.5)
    assert (last.outcome, last.not_before) == ("failed", None)
    sent = policy.conclude(_candidate(), Sent("m1", awaits_receipt=True), MessageClass.MARKETING, NOW, 0.5)
    assert (sent.outcome, sent.provider_ref, sent.awaits_receipt) == ("sent", "m1", True)
    hours = policy.conclude(_candidate(), Throttled(10_072), MessageClass.MARKETING, NOW, 1.0)
    assert hours.not_before == NOW + timedelta(seconds=10_077)


def test_waits_grow_and_stay_below_a_minute_and_a_fifth() -> None:
    assert [policy.backoff(tries, 0.5) for tries in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert policy.backoff(50, 1.0) == pytest.approx(72)
    assert policy.backoff(1, 0.0) == pytest.approx(0.8)


@pytest.mark.parametrize(("rate", "group", "window"), [(0.5, 1, 1), (4, 4, 8), (25, 25, 50), (1000, 25, 500)])
def test_sizes_follow_the_rate(rate: float, group: int, window: int) -> None:
    assert (policy.group_size(rate), policy.window_size(rate)) == (group, window)


def test_a_success_ends_a_streak_of_content_errors() -> None:
    bad, good = Result(THIS, 1, "failed", Reason.CONTENT), Result(THIS, 1, "sent")
    other = Result(THIS, 1, "suppressed", "blocked")
    assert policy.content_streak(3, [bad, other, bad]) == 5
    assert policy.content_streak(3, [bad, good, bad]) == 1


def test_the_partition_follows_from_the_source() -> None:
    january = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
    assert policy.month_of_source(str(uuid7(january)), NOW).isoformat() == "2026-01-01"
    assert policy.month_of_source("17", NOW).isoformat() == "2026-03-01"
    assert policy.month_of(datetime(2026, 2, 1, 2, tzinfo=ZoneInfo("Asia/Shanghai"))).isoformat() == "2026-01-01"
