"""Use cases of points: earn, redeem, adjust, reverse, expire, and what a member sees of them.

Every posting has a key and happens once; it locks the member's account, so parallel postings wait in line.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events.types import RecordedEvent
from crm.kit.paging import Page, check_limit, decode_cursor, encode_cursor
from crm.points import (
    awarding,
    checkpoints,
    earning_rules,
    expiry,
    holds,
    pending,
    policy,
    repository,
    taking_back,
    telling,
    verification,
)
from crm.points.errors import NotReversible, TransactionNotFound
from crm.points.kinds import kind_named
from crm.points.pending import Waiting
from crm.points.posting import announce_adjustment, announce_earning, announce_spending, checked, post
from crm.points.repository import AnyRow, Line
from crm.points.types import (
    Account,
    Award,
    Checkpoint,
    Entry,
    EntryKind,
    LedgerReport,
    PointsSummary,
    Posting,
    WayToEarn,
)
from crm.profiles.types import Profile

_SHOWN = 5
_CONTRA = {
    EntryKind.EARN: Account.ISSUANCE,
    EntryKind.REDEEM: Account.REDEMPTION,
    EntryKind.ADJUST: Account.ADJUSTMENT,
    EntryKind.SPEND: Account.REDEMPTION,
}


async def award(session: AsyncSession, event: RecordedEvent, *, profile: Profile | None = None) -> list[Award]:
    """Give what the earning rules in force at the event's time say, once per (event, rule).

    Awards that were given before are answered again with `is_new` False. Rules that give 0 are left out.
    `profile` is the member's, when the caller has just read it in this transaction.
    """
    return await awarding.award(session, event, profile=profile)


async def earn(
    session: AsyncSession, member_id: int, points: int, *, rule: str, key: str, expires_at: datetime | None = None
) -> Posting:
    """Credit `points` (1 to 1e9) under the name of `rule`. What the member owes is made good first.

    Raises PointsOutOfRange, InvalidPostingKey, PostingKeyReused.
    """
    line = Line(
        member_id=member_id,
        kind=EntryKind.EARN,
        key=policy.check_key(key),
        points=policy.check_points(points),
        contra=Account.ISSUANCE,
        reason=policy.check_reason(rule),
        occurred_at=await clock.now(session),
        expires_at=expires_at,
    )
    posting = await post(session, line)
    if posting.is_new:
        await announce_earning(session, posting, line.reason)
    return posting


async def redeem(session: AsyncSession, member_id: int, points: int, *, reason: str, key: str) -> Posting:
    """Spend `points` (1 to 1e9), oldest expiry first.

    Raises InsufficientPoints (with `balance`), PointsOutOfRange, InvalidReason, InvalidPostingKey, PostingKeyReused.
    """
    line = Line(
        member_id=member_id,
        kind=EntryKind.REDEEM,
        key=policy.check_key(key),
        points=-policy.check_points(points),
        contra=Account.REDEMPTION,
        reason=policy.check_reason(reason),
        occurred_at=await clock.now(session),
    )
    await expiry.expire(session, expiry.OF_ONE_MEMBER, member_id)
    posting = await post(session, line)
    if posting.is_new:
        await announce_spending(session, posting, points, line.reason)
    return posting


async def adjust(session: AsyncSession, member_id: int, points: int, *, reason: str, key: str, by: str) -> Posting:
    """Correct the balance by signed `points`; `by` is who did it, e.g. `operator:3`. It never goes below zero.

    Raises InsufficientPoints, PointsOutOfRange, InvalidReason, InvalidPostingKey, PostingKeyReused.
    """
    line = Line(
        member_id=member_id,
        kind=EntryKind.ADJUST,
        key=policy.check_key(key),
        points=policy.check_adjustment(points),
        contra=Account.ADJUSTMENT,
        reason=policy.check_reason(reason),
        occurred_at=await clock.now(session),
        actor=by,
    )
    if points < 0:
        await expiry.expire(session, expiry.OF_ONE_MEMBER, member_id)
    posting = await post(session, line)
    if posting.is_new:
        await announce_adjustment(session, posting, line.reason)
    return posting


async def grant(session: AsyncSession, member_id: int, rule_id: int, *, key: str, by: str) -> Posting:
    """Give the points of the `manual` earning rule `rule_id` by hand; they wait when the rule says so.

    Raises RuleNotFound, RuleNotGrantable.
    """
    rule = await earning_rules.grantable(session, rule_id)
    at = await clock.now(session)
    line = Line(
        member_id=member_id,
        kind=EntryKind.EARN,
        key=policy.check_key(key),
        points=policy.check_points(rule.parameters["points"]),
        contra=Account.ISSUANCE,
        reason=policy.check_reason(rule.name),
        occurred_at=at,
        actor=by,
        rule_id=rule.id,
        expires_at=await earning_rules.expiry(session, rule, at),
    )
    starting = kind_named(rule.kind).parameters.model_validate(rule.parameters)
    if starting.is_pending:
        waiting = Waiting(starting.activates_at(at), starting.validity(), starting.act)
        line = replace(line, kind=EntryKind.PENDING)
        return checked(line, await pending.post(session, line, waiting))
    posting = await post(session, line)
    if posting.is_new:
        await announce_earning(session, posting, line.reason)
    return posting


async def reverse(session: AsyncSession, transaction_id: UUID, *, reason: str, key: str, by: str = "system") -> Posting:
    """Take back an earning, redemption, adjustment or spent hold, once.

    Returned points come back with the expiry that they had. Points that were spent since become a debt, which later
    earnings make good first, or are written off, as the brand has chosen. Raises TransactionNotFound, NotReversible,
    AlreadyReversed, PostingKeyReused.
    """
    original = await repository.transaction(session, transaction_id)
    if original is None:
        raise TransactionNotFound(transaction_id=str(transaction_id))
    if original.kind not in _CONTRA:
        raise NotReversible(transaction_id=str(transaction_id))
    amount = -int(original.amount)
    restored = await _used_by(session, original) if amount > 0 else None
    line = Line(
        member_id=original.member_id,
        kind=EntryKind.REVERSE,
        key=policy.check_key(key),
        points=amount,
        contra=_CONTRA[EntryKind(original.kind)],
        reason=policy.check_reason(reason),
        occurred_at=await clock.now(session),
        actor=by,
        reverses_id=original.id,
        restores_id=restored[0] if restored else None,
        restores_at=restored[1] if restored else None,
        may_owe=True,
        write_off=amount < 0 and await taking_back.writes_off(session),
    )
    if amount < 0:
        await expiry.expire(session, expiry.OF_ONE_MEMBER, original.member_id)
    posting = await post(session, line)
    if posting.is_new:
        await announce_adjustment(session, posting, line.reason)
    return posting


async def _used_by(session: AsyncSession, original: AnyRow) -> tuple[UUID, datetime] | None:
    """The transaction that took the points from their lots: that of the hold, when a hold was spent."""
    if original.kind != EntryKind.SPEND:
        return original.id, original.occurred_at
    held = await repository.posted_before(session, original.key.removeprefix(f"{EntryKind.SPEND}:"))
    return held[:2] if held else None


async def balance(session: AsyncSession, member_id: int) -> int:
    """The member's points."""
    return (await repository.account(session, member_id))[0]


async def summary(session: AsyncSession, member_id: int) -> PointsSummary:
    """Balance, what runs out within 90 days (the 5 soonest), the last 5 entries, what is pending and held."""
    now = await clock.now(session)
    held, debt = await repository.account(session, member_id)
    soon = await repository.expiring(session, member_id, after=now, until=now + policy.SOON)
    last = await repository.entries(session, member_id, before=None, limit=_SHOWN)
    waiting = await pending.of_member(session, member_id)
    return PointsSummary(held, soon[:_SHOWN], last, debt, waiting, await holds.of_member(session, member_id))


async def statement(
    session: AsyncSession, member_id: int, *, cursor: str | None = None, limit: int = 50
) -> Page[Entry]:
    """The member's entries, newest first. Raises InvalidCursor, InvalidLimit."""
    check_limit(limit)
    before = decode_cursor(cursor, int)[0] if cursor else None
    found = await repository.entries(session, member_id, before=before, limit=limit + 1)
    shown = found[:limit]
    return Page(shown, encode_cursor(shown[-1].sequence) if len(found) > limit else None)


async def how_to_earn(session: AsyncSession, locale: str, member_id: int | None = None) -> list[WayToEarn]:
    """What the rules in force now give, told in `locale`; with `member_id` also what is for some members only."""
    return await telling.how_to_earn(session, locale, member_id)


async def ensure_defaults(session: AsyncSession) -> int:
    """Insert the shipped earning rules that were never inserted; answers how many. Harmless to repeat."""
    return await earning_rules.ensure_defaults(session)


async def expire_due(session: AsyncSession, limit: int = expiry.AT_ONCE) -> int:
    """Post the expiry of at most `limit` lots that have run out, one transaction each; answers how many."""
    return await expiry.expire(session, limit)


async def verify(session: AsyncSession) -> LedgerReport:
    """Re-derive the whole ledger from its entries and recompute every chain; safe beside live traffic."""
    return await verification.verify(session)


async def chain_digest(session: AsyncSession) -> str:
    """One digest over the heads of all members' chains, in hex: equal digests mean an equal ledger."""
    return await verification.chain_digest(session)


async def checkpoint(session: AsyncSession) -> Checkpoint | None:
    """Seal the heads of the chains that moved since the last checkpoint; None when none moved."""
    return await checkpoints.seal(session, even_if_unmoved=False)


async def sign_checkpoints(session: AsyncSession) -> bool:
    """After a change of the secret: a new checkpoint, whose signature speaks for all before it.

    False when none was needed. Raises CheckpointsBroken when those before it do not agree.
    """
    return await checkpoints.sign_again(session)
