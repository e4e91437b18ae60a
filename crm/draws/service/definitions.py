"""Draws as operators keep them: made, changed while a draft, opened, closed."""

import secrets
from collections.abc import Iterable

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import definitions as coupons
from crm.db import clock
from crm.db.session import vault
from crm.draws import fairness, policy, repository
from crm.draws.errors import DrawEnded, DrawFixed, DrawNotOpen
from crm.draws.models import DrawRow
from crm.draws.types import Draw, DrawStatus, NewDraw, Rules
from crm.events import wishes

EARNING = "draws.earn"
"""The subscriber that gives chances for events."""


async def create(session: AsyncSession, new: NewDraw, *, is_demo: bool = False) -> Draw:
    """A draft. Raises InvalidDraw, CouponNotFound."""
    values = {**await _values(session, new), "status": DrawStatus.DRAFT, "is_demo": is_demo}
    made = await session.execute(insert(DrawRow).values(values).returning(DrawRow.id))
    return await repository.draw(session, made.scalar_one())


async def change(session: AsyncSession, draw_id: int, new: NewDraw) -> Draw:
    """Another content for a draft. Raises DrawNotFound, DrawFixed, InvalidDraw, CouponNotFound."""
    if (await repository.draw(session, draw_id, locked=True)).status is not DrawStatus.DRAFT:
        raise DrawFixed
    await session.execute(update(DrawRow).where(DrawRow.id == draw_id).values(await _values(session, new)))
    return await repository.draw(session, draw_id)


async def open_draw(session: AsyncSession, draw_id: int) -> Draw:
    """Choose the seed, publish its commitment and the hash of the rules; from now on both are fixed.

    Raises DrawNotFound, DrawFixed when it was opened before, DrawEnded when its time is over.
    """
    draw = await repository.draw(session, draw_id, locked=True)
    now = await clock.now(session)
    if draw.status is not DrawStatus.DRAFT:
        raise DrawFixed
    if draw.terms.ends_at is not None and draw.terms.ends_at <= now:
        raise DrawEnded("the draw's end is past; move it first", ended_at=draw.terms.ends_at)
    seed = secrets.token_bytes(fairness.SEED_BYTES)
    values = {
        "status": DrawStatus.OPEN,
        "commitment": fairness.commitment(seed),
        "rules_hash": fairness.rules_hash(draw.rules),
        "sealed_seed": vault(session).seal(seed.hex(), f"draws.sealed_seed:{draw_id}"),
        "opened_at": now,
    }
    await session.execute(update(DrawRow).where(DrawRow.id == draw_id).values(values))
    await renew_wishes(session)
    return await repository.draw(session, draw_id)


async def close(session: AsyncSession, draw_id: int) -> Draw:
    """End the draw and reveal its seed; again it changes nothing. Raises DrawNotFound, DrawNotOpen for a draft."""
    draw = await repository.draw(session, draw_id, locked=True)
    if draw.status is DrawStatus.DRAFT:
        raise DrawNotOpen
    if draw.status is DrawStatus.CLOSED:
        return draw
    values = {
        "status": DrawStatus.CLOSED,
        "seed": await seed_of(session, draw_id),
        "closed_at": await clock.now(session),
    }
    await session.execute(update(DrawRow).where(DrawRow.id == draw_id).values(values))
    await renew_wishes(session)
    return await repository.draw(session, draw_id)


async def close_due(session: AsyncSession) -> int:
    """Close what has come to its end; answers how many."""
    now = await clock.now(session)
    due = select(DrawRow.id).where(DrawRow.status == DrawStatus.OPEN, DrawRow.ends_at <= now).order_by(DrawRow.id)
    found = list(await session.scalars(due))
    for draw_id in found:
        await close(session, draw_id)
    return len(found)


async def seed_of(session: AsyncSession, draw_id: int) -> str:
    """The seed in hex, for playing and revealing; it leaves the domain by `close` alone."""
    sealed = await session.scalar(select(DrawRow.sealed_seed).where(DrawRow.id == draw_id))
    if sealed is None:
        raise DrawNotOpen
    return vault(session).open(sealed, f"draws.sealed_seed:{draw_id}")


async def get(session: AsyncSession, draw_id: int) -> Draw:
    """One draw. Raises DrawNotFound."""
    return await repository.draw(session, draw_id)


async def listing(session: AsyncSession, statuses: Iterable[DrawStatus] = tuple(DrawStatus)) -> list[Draw]:
    """Draws in these states, newest first."""
    query = select(DrawRow).where(DrawRow.status.in_(list(statuses))).order_by(DrawRow.id.desc())
    return await repository.draws(session, query)


async def _values(session: AsyncSession, new: NewDraw) -> dict[str, object]:
    checked = policy.check_new(new)
    await _require_coupons(session, checked.rules)
    return {
        "name": checked.name,
        "description": checked.description,
        "rules": fairness.as_json(checked.rules),
        "stand": vars(fairness.start(checked.rules)),
        **vars(checked.terms),
    }


async def _require_coupons(session: AsyncSession, rules: Rules) -> None:
    for prize in rules.prizes:
        if prize.coupon_id is not None:
            await coupons.get(session, prize.coupon_id)


async def renew_wishes(session: AsyncSession) -> None:
    """Have events handed over that earn chances in some open draw."""
    found = await listing(session, [DrawStatus.OPEN])
    await wishes.wish(session, EARNING, {kind for draw in found for kind in draw.terms.earned_by})
