"""The decisions of deliveries: gates, what an outcome means, waits and sizes. Pure: no clock, no I/O."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Protocol, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm.deliveries.types import (
    ContentRejected,
    InDoubt,
    MessageClass,
    Migrated,
    NotAccepted,
    Reason,
    SendOutcome,
    Sent,
    Throttled,
    Unauthorized,
    Unreachable,
)

CHUNK = 500
GROUP = 25
MAX_TRIES = 5
MAX_BACKOFF = 60
CONTENT_ERRORS_TO_PAUSE = 20
LONG_THROTTLE = 600
"""Seconds of enforced silence after which the whole source is paused and someone is told."""
MOST_PARTS = 10
"""A text that is longer than this many messages is a mistake."""
PART_STEPS = 1000
"""Further parts of a message have the step of the first plus a multiple of this."""
BOT_STOPPED_WAIT = timedelta(seconds=30)
"""Whoever starts the bot again sees messages leave soon; chunks of a stopped bot are not even looked at."""
_JITTER = 0.1
"""How much later than asked some try again, so that not all do at once."""
_MOST_JITTER = 5.0
"""Seconds: after hours of silence nobody is to wait for minutes more."""
_GATE_AHEAD = 2.0
_MAX_DETAIL = 300
_UUID7 = 7


class Candidate(NamedTuple):
    """An open delivery with everything that the gates ask about."""

    delivery_id: UUID
    member_id: int
    step: int
    tries: int
    doubts: int
    person_id: int
    """The member, or the one into whom they were merged."""
    has_own: bool
    """That one has a delivery of their own from this source."""
    is_active: bool
    locale: str
    zone: str | None
    identity_id: int | None
    bot_id: int | None
    channel: str | None
    address: str | None
    is_reachable: bool | None
    is_consented: bool | None
    bot_status: str | None
    bot_paused_until: datetime | None
    bulk_rate: float | None


class Attempt(Protocol):
    """What concluding a call needs to know of the delivery."""

    @property
    def delivery_id(self) -> UUID:
        """Which delivery."""

    @property
    def identity_id(self) -> int | None:
        """To whom it went."""

    @property
    def tries(self) -> int:
        """Calls before this one that were certainly not taken."""

    @property
    def doubts(self) -> int:
        """Calls before this one whose fate is unknown."""


@dataclass(frozen=True)
class Gates:
    """What holds for every recipient of one source at this moment."""

    now: datetime
    message_class: MessageClass
    send_before: datetime | None
    quiet_start: time | None
    quiet_end: time | None
    default_zone: str
    channels: frozenset[str]
    """Those that this sender serves."""


@dataclass(frozen=True, slots=True)
class Result:
    """A line for the append-only log."""

    delivery_id: UUID
    identity_id: int | None
    outcome: str
    reason: str | None = None
    detail: str | None = None
    provider_ref: str | None = None
    not_before: datetime | None = None
    awaits_receipt: bool = False


def part_step(step: int, part: int) -> int:
    """The step of the delivery that holds a part (0 is the first) of the message of `step`."""
    return step % PART_STEPS + part * PART_STEPS


def step_of(step: int) -> int:
    """The step of the whole message, whichever part the delivery of this step holds."""
    return step % PART_STEPS


def part_of(step: int) -> int:
    """Which part of its message the delivery of this step holds."""
    return step // PART_STEPS


def judge(candidate: Candidate, gates: Gates) -> Result | None:
    """The verdict that keeps this delivery from being sent now; None when every gate is open."""
    reason = _suppression(candidate, gates)
    if reason is not None:
        return Result(candidate.delivery_id, candidate.identity_id, "suppressed", reason)
    wait = _wait(candidate, gates)
    if wait is None:
        return None
    until, reason = wait
    if gates.send_before is not None and until >= gates.send_before and not part_of(candidate.step):
        return Result(candidate.delivery_id, candidate.identity_id, "suppressed", Reason.EXPIRED, detail=reason)
    return Result(candidate.delivery_id, candidate.identity_id, "deferred", reason, not_before=until)


def _suppression(candidate: Candidate, gates: Gates) -> Reason | None:
    """The first of these that holds; what the first part of a message was granted in time, its others are too."""
    is_late = gates.send_before is not None and gates.now >= gates.send_before and not part_of(candidate.step)
    is_marketing = gates.message_class is MessageClass.MARKETING
    reasons = (
        (candidate.has_own, Reason.MOVED),
        (not candidate.is_active, Reason.INACTIVE),
        (is_late, Reason.EXPIRED),
        (candidate.identity_id is None, Reason.NO_IDENTITY),
        (not candidate.is_reachable, Reason.UNREACHABLE),
        (is_marketing and not candidate.is_consented, Reason.NO_CONSENT),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _wait(candidate: Candidate, gates: Gates) -> tuple[datetime, Reason] | None:
    if candidate.bot_status != "active" or candidate.channel not in gates.channels:
        return gates.now + BOT_STOPPED_WAIT, Reason.BOT_STOPPED
    if candidate.bot_paused_until is not None and candidate.bot_paused_until > gates.now:
        return candidate.bot_paused_until, Reason.THROTTLED
    is_begun = part_of(candidate.step) > 0
    if is_begun or gates.message_class is not MessageClass.MARKETING:
        return None
    if gates.quiet_start is not None and gates.quiet_end is not None:
        home = _zone(candidate.zone) or ZoneInfo(gates.default_zone)
        until = quiet_until(gates.now, home, gates.quiet_start, gates.quiet_end)
        if until is not None:
            return until, Reason.QUIET_HOURS
    return None


def _zone(name: str | None) -> ZoneInfo | None:
    """The zone of that name; None for one that this machine does not know, so that it stops nobody else."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def quiet_until(now: datetime, home: ZoneInfo, start: time, end: time) -> datetime | None:
    """When the quiet hours that `now` falls into are over, in UTC; None outside of them.

    A window whose end comes before its start crosses midnight. An end that the clocks skip is taken as the first
    moment after the gap; one that comes twice as the second, so that nothing is sent inside the window.
    """
    local = now.astimezone(home)
    clock = local.time()
    is_inside = start <= clock < end if start <= end else clock >= start or clock < end
    if not is_inside or start == end:
        return None
    day = local.date() + timedelta(days=1) if start > end and clock >= start else local.date()
    until = _instant(day, end, home)
    return until if until > now else now + timedelta(minutes=1)


def _instant(day: date, clock: time, home: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, home).replace(fold=1).astimezone(UTC)


def conclude(
    attempt: Attempt, outcome: SendOutcome, message_class: MessageClass, now: datetime, jitter: float
) -> Result:
    """What is recorded of one call. `jitter` is between 0 and 1."""
    if isinstance(outcome, Sent):
        reference, awaits_receipt = outcome.provider_ref, outcome.awaits_receipt
        return Result(attempt.delivery_id, attempt.identity_id, "sent", None, None, reference, None, awaits_receipt)
    line = Result(attempt.delivery_id, attempt.identity_id, "failed")
    match outcome:
        case Throttled(retry_after):
            until = now + timedelta(seconds=retry_after + min(_MOST_JITTER, _JITTER * retry_after) * jitter)
            line = replace(line, outcome="deferred", reason=Reason.THROTTLED, not_before=until)
        case Unauthorized(detail):
            line = replace(line, outcome="deferred", reason=Reason.BOT_STOPPED, detail=detail, not_before=now)
        case Unreachable(reason):
            line = replace(line, outcome="suppressed", reason=reason)
        case ContentRejected(detail):
            line = replace(line, reason=Reason.CONTENT, detail=detail)
        case Migrated(_):
            line = _again(line, attempt, "the chat moved more than once", now, jitter)
        case NotAccepted(detail):
            line = _again(line, attempt, detail, now, jitter)
        case InDoubt(detail):
            kind = doubtful(message_class, attempt.doubts)
            line = replace(line, outcome=kind, reason=Reason.IN_DOUBT, detail=detail)
        case _:
            assert_never(outcome)
    return replace(line, detail=line.detail[:_MAX_DETAIL]) if line.detail else line


def _again(line: Result, attempt: Attempt, detail: str, now: datetime, jitter: float) -> Result:
    tries = attempt.tries + 1
    line = replace(line, reason=Reason.NOT_ACCEPTED, detail=detail)
    if tries >= MAX_TRIES:
        return line
    return replace(line, outcome="retry", not_before=now + timedelta(seconds=backoff(tries, jitter)))


def doubtful(message_class: MessageClass, doubts: int) -> str:
    """`repeat` (send once more) or `uncertain` (hold) for a send whose fate nobody knows."""
    return "repeat" if message_class is not MessageClass.MARKETING and doubts == 0 else "uncertain"


def backoff(tries: int, jitter: float) -> float:
    """Seconds until the next try after `tries` failed ones: 1, 2, 4 .. 60, give or take a fifth."""
    return float(min(MAX_BACKOFF, 2 ** (tries - 1))) * (0.8 + 0.4 * jitter)


def group_size(rate: float) -> int:
    """How many are opened at once: what can be sent within a second, at most 25."""
    return max(1, min(GROUP, int(rate)))


def window_size(rate: float) -> int:
    """How many are judged at once: what can be sent within two seconds, so that a verdict is never old."""
    return max(1, min(CHUNK, int(rate * _GATE_AHEAD)))


def content_streak(before: int, results: list[Result]) -> int:
    """Content errors in a row after `results`, the latest last; other failures neither add nor end a streak."""
    for result in results:
        if result.reason == Reason.CONTENT:
            before += 1
        elif result.outcome == "sent":
            before = 0
    return before


def reference(delivery_id: UUID) -> str:
    """The short number that both copies of a repeated receipt bear."""
    return delivery_id.hex[-6:].upper()


def month_of(moment: datetime) -> date:
    """The partition of a source made at `moment`."""
    return moment.astimezone(UTC).date().replace(day=1)


def month_of_source(source_id: str, now: datetime) -> date:
    """The partition of an interactive source: told by its id when that is a UUID version 7, else the present month.

    A source with another id has to see to it by itself that it is not answered twice.
    """
    try:
        known = UUID(source_id)
    except ValueError:
        return month_of(now)
    is_timed = known.version == _UUID7
    return month_of(datetime.fromtimestamp((known.int >> 80) / 1000, UTC) if is_timed else now)
