"""Reading rows of draws as values."""

from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.draws import fairness
from crm.draws.errors import DrawNotFound, PlayNotFound
from crm.draws.models import DrawRow, PlayRow
from crm.draws.types import Draw, DrawStatus, Outcome, Play, PlayStatus, Stand, Terms

PLAYS: Select[*tuple[Any, ...]] = select(PlayRow.__table__, DrawRow.rules).join(DrawRow, DrawRow.id == PlayRow.draw_id)


async def draw(session: AsyncSession, draw_id: int, *, locked: bool = False) -> Draw:
    """One draw; `locked` holds its row until the commit. Raises DrawNotFound."""
    query = select(DrawRow).where(DrawRow.id == draw_id).execution_options(populate_existing=True)
    row = (await session.scalars(query.with_for_update() if locked else query)).one_or_none()
    if row is None:
        raise DrawNotFound(draw_id=draw_id)
    return as_draw(row)


async def draws(session: AsyncSession, query: Select[DrawRow]) -> list[Draw]:
    """What `query` finds."""
    return [as_draw(row) for row in await session.scalars(query.execution_options(populate_existing=True))]


async def play(session: AsyncSession, draw_id: int, position: int) -> Play:
    """One line of the log. Raises PlayNotFound."""
    query = PLAYS.where(PlayRow.draw_id == draw_id, PlayRow.position == position)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise PlayNotFound(draw_id=draw_id, position=position)
    return as_play(row)


def as_draw(row: DrawRow) -> Draw:
    """The value of a row."""
    rules = fairness.from_json(row.rules)
    return Draw(
        id=row.id,
        name=dict(row.name),
        description=dict(row.description),
        rules=rules,
        terms=Terms(
            free_per_day=row.free_per_day,
            price=row.price,
            bought_per_day=row.bought_per_day,
            earned_by=dict(row.earned_by),
            tiers=list(row.tiers),
            stages=list(row.stages),
            minimum_orders=row.minimum_orders,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        ),
        status=DrawStatus(row.status),
        commitment=row.commitment,
        rules_hash=row.rules_hash,
        rules_text=fairness.rules_text(rules),
        seed=row.seed,
        stand=Stand(tuple(row.stand["left"]), row.stand["points"], row.stand["packets"]),
        plays=row.plays,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        created_at=row.created_at,
    )


def as_play(row: Row[*tuple[Any, ...]]) -> Play:
    """The value of a row of PLAYS."""
    rules = fairness.from_json(row.rules)
    return Play(
        draw_id=row.draw_id,
        position=row.position,
        at=row.at,
        member_id=row.member_id,
        number=row.number,
        attempt=row.attempt,
        outcome=Outcome(row.drawn, row.prize, row.points),
        prize=None if row.prize is None else rules.prizes[row.prize],
        status=PlayStatus(row.status),
        voucher_id=row.voucher_id,
    )
