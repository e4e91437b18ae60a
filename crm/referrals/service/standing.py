"""What members and operators see: a member's status, the review queue, lists, and the tree of invitations."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.paging import InvalidCursor, Page, check_limit, decode_cursor, page_of
from crm.members import service as members
from crm.members.views import members as everybody
from crm.referrals import policy, repository
from crm.referrals.models import GivenRow, ReferralRow
from crm.referrals.service import programmes
from crm.referrals.types import Given, Invitee, Referral, Standing, Status

MOST_IN_TREE, DEEPEST = 500, 10
_TREE = text("""
    WITH RECURSIVE below(id, referrer_id, friend_id, depth, path) AS (
        SELECT id, referrer_id, friend_id, 1, ARRAY[referrer_id, friend_id] FROM referrals WHERE referrer_id = :root
        UNION ALL
        SELECT r.id, r.referrer_id, r.friend_id, b.depth + 1, b.path || r.friend_id
        FROM below b JOIN referrals r ON r.referrer_id = b.friend_id
        WHERE b.depth < :deepest AND r.friend_id <> ALL (b.path)
    )
    SELECT id FROM below ORDER BY depth, id LIMIT :most
""")


async def of_member(session: AsyncSession, member_id: int) -> Standing:
    """How the member's invitations stand; qualified friends and levels are those of the programme that runs."""
    programme = await programmes.running(session)
    now = await clock.now(session)
    is_late = ReferralRow.deadline_at.is_not(None) & (ReferralRow.deadline_at < now)
    is_open = ReferralRow.status.in_((Status.PENDING, Status.REVIEW))
    is_waiting = is_open & ~((ReferralRow.status == Status.PENDING) & func.coalesce(is_late, False))
    figures = select(
        func.count(),
        func.count().filter(ReferralRow.status == Status.QUALIFIED),
        func.count().filter(is_waiting),
    ).where(ReferralRow.referrer_id == member_id)
    joined, qualified, pending = (await session.execute(figures)).one()
    own = (GivenRow.member_id == member_id, GivenRow.taken_back_at.is_(None))
    given = select(func.coalesce(func.sum(GivenRow.points), 0), func.count(GivenRow.voucher_id)).where(*own)
    total, vouchers = (await session.execute(given)).one()
    level, missing = None, 0
    if programme is not None:
        counted = await repository.qualified_count(session, member_id, programme.id)
        level = policy.next_level(programme.terms.levels, counted)
        missing = level.friends - counted if level else 0
    return Standing(programme, joined, qualified, pending, level, missing, int(total), vouchers)


async def get(session: AsyncSession, referral_id: UUID) -> Referral:
    """One referral. Raises ReferralNotFound."""
    return await repository.referral(session, referral_id)


async def given(session: AsyncSession, referral_id: UUID) -> list[Given]:
    """What was given for a referral, taken back or not."""
    query = select(GivenRow).where(GivenRow.referral_id == referral_id).order_by(GivenRow.given_at, GivenRow.key)
    rows = await session.scalars(query.execution_options(populate_existing=True))
    return [repository.as_given(row) for row in rows]


async def invited_by(session: AsyncSession, member_id: int) -> Referral | None:
    """The referral by which the member came, if they came by one."""
    found = await repository.referrals(session, select(ReferralRow).where(ReferralRow.friend_id == member_id))
    return found[0] if found else None


async def page(
    session: AsyncSession,
    *,
    status: Status | None = None,
    programme_id: int | None = None,
    referrer_id: int | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Referral]:
    """Referrals, newest first. Raises InvalidCursor, InvalidLimit."""
    check_limit(limit)
    query = select(ReferralRow).order_by(ReferralRow.joined_at.desc(), ReferralRow.id.desc()).limit(limit + 1)
    if status is not None:
        query = query.where(ReferralRow.status == status)
    if programme_id is not None:
        query = query.where(ReferralRow.programme_id == programme_id)
    if referrer_id is not None:
        query = query.where(ReferralRow.referrer_id == referrer_id)
    if cursor is not None:
        joined_at, last = decode_cursor(cursor, str, str)
        try:
            place = (datetime.fromisoformat(joined_at), UUID(last))
        except ValueError as error:
            raise InvalidCursor from error
        query = query.where(tuple_(ReferralRow.joined_at, ReferralRow.id) < place)
    found = await repository.referrals(session, query)
    return page_of(found, limit, lambda item: item, lambda last: (last.joined_at.isoformat(), str(last.id)))


async def names(session: AsyncSession, found: list[Referral]) -> dict[int, str]:
    """Shown names of all who appear in the referrals, by id."""
    ids = {member_id for item in found for member_id in (item.referrer_id, item.friend_id)}
    rows = await session.execute(select(everybody.c.id, everybody.c.display_name).where(everybody.c.id.in_(ids)))
    return {member_id: name for member_id, name in rows}  # noqa: C416 - rows are no tuples for the type checker


async def tree(session: AsyncSession, member_id: int) -> tuple[Invitee, ...]:
    """Whom the member invited, whom those invited, and so on: 10 generations and 500 people at most."""
    root = await members.current_id(session, member_id)
    ids = list(await session.scalars(_TREE, {"root": root, "deepest": DEEPEST, "most": MOST_IN_TREE}))
    query = select(ReferralRow).where(ReferralRow.id.in_(ids)).order_by(ReferralRow.joined_at, ReferralRow.id)
    found = await repository.referrals(session, query)
    named = await names(session, found)
    by_referrer: dict[int, list[Referral]] = defaultdict(list)
    for referral in found:
        by_referrer[referral.referrer_id].append(referral)
    return _branch(root, by_referrer, named, frozenset({root}))


def _branch(
    member_id: int, by_referrer: dict[int, list[Referral]], named: dict[int, str], above: frozenset[int]
) -> tuple[Invitee, ...]:
    return tuple(
        Invitee(
            item.id,
            item.friend_id,
            named.get(item.friend_id, ""),
            item.status,
            item.joined_at,
            _branch(item.friend_id, by_referrer, named, above | {item.friend_id}),
        )
        for item in by_referrer.get(member_id, ())
        if item.friend_id not in above
    )
