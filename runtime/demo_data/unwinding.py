"""Removing what made demo members come back: referrals, plays, missions, and the programmes behind them.

What real members took part in stays as it is, switched off: a draw keeps its whole log, which everybody may recompute.
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Table, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.base import Base
from crm.draws.service import definitions as draws
from crm.draws.types import DrawStatus
from crm.missions.service import definitions as missions
from crm.referrals.service import programmes as referrals

LOGS = frozenset({"draw_plays", "draw_players"})
"""Tables that are not cleared by their members alone."""


def loyalty_of_members() -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """What hangs on demo members otherwise than by a column of theirs, children first."""
    demo = select(_table("members").c.id).where(_table("members").c.is_demo).scalar_subquery()
    found = _table("referrals")
    own = or_(found.c.friend_id.in_(demo), found.c.referrer_id.in_(demo))
    ids = select(found.c.id).where(own).scalar_subquery()
    yield _table("referral_rewards"), _table("referral_rewards").c.referral_id.in_(ids)
    yield found, own
    yield _table("referral_touches"), _table("referral_touches").c.referrer_id.in_(demo)
    happened = select(_table("events").c.id).where(_table("events").c.member_id.in_(demo)).scalar_subquery()
    yield _table("mission_events"), _table("mission_events").c.event_id.in_(happened)
    alone = _draws_of_demo_members_alone(demo)
    for name in ("draw_play_keys", "draw_chance_keys", *sorted(LOGS)):
        yield _table(name), _table(name).c.draw_id.in_(alone)


def _draws_of_demo_members_alone(demo: ColumnElement[int]) -> ColumnElement[int]:
    made, players = _table("draws"), _table("draw_players")
    real = exists().where(players.c.draw_id == made.c.id, players.c.member_id.not_in(demo))
    return select(made.c.id).where(made.c.is_demo, ~real).scalar_subquery()


async def remove_programmes(session: AsyncSession) -> None:
    """Draws, missions, badges and programmes of the demo brand, once nothing of demo members is left."""
    await _remove_draws(session)
    for name, taken_by, key in (
        ("missions", "mission_progress", "mission_id"),
        ("badges", "member_badges", "badge_id"),
        ("referral_programmes", "referrals", "programme_id"),
    ):
        table, taken = _table(name), _table(taken_by)
        is_taken = exists().where(taken.c[key] == table.c.id)
        await session.execute(delete(table).where(table.c.is_demo, ~is_taken))
        await session.execute(update(table).where(table.c.is_demo).values(is_active=False))
    await _remove_tiers(session)
    for renew in (draws.renew_wishes, missions.renew_wishes, referrals.renew_wishes):
        await renew(session)


async def _remove_draws(session: AsyncSession) -> None:
    table, players = _table("draws"), _table("draw_players")
    is_played = exists().where(players.c.draw_id == table.c.id)
    await session.execute(delete(table).where(table.c.is_demo, ~is_played))
    is_open = and_(table.c.is_demo, table.c.status == DrawStatus.OPEN)
    for draw_id in list(await session.scalars(select(table.c.id).where(is_open))):
        await draws.close(session, draw_id)


async def _remove_tiers(session: AsyncSession) -> None:
    """Unless a real member has had a tier by it."""
    table, past, runs = _table("tier_programmes"), _table("tier_history"), _table("tier_runs")
    gone = and_(table.c.is_demo, ~exists().where(past.c.version == table.c.version))
    versions = list(await session.scalars(select(table.c.version).where(gone)))
    await session.execute(delete(runs).where(runs.c.version.in_(versions)))
    await session.execute(delete(table).where(table.c.version.in_(versions)))


def _table(name: str) -> Table:
    return Base.metadata.tables[name]
