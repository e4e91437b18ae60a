"""What nodes that give something share: member by member, each with a key, and a way out for those who get nothing."""

from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.savepoint import savepoint
from crm.journeys.nodes.contract import Batch, Verdict
from crm.kit.errors import DomainError
from crm.profiles import service
from crm.profiles.views import profiles

EXITS = ("next", "refused")
log = structlog.get_logger(__name__)
Give = Callable[[int, str], Awaitable[object]]


async def each(session: AsyncSession, batch: Batch, give: Give) -> Verdict:
    """`give(member, key)` for the active members: `next` for those who got it, `refused` for whom it says no.

    Gifts go through the ledger and the limits of their coupons, which count one by one.
    """
    given, refused = [], []
    query = select(profiles.c.member_id).where(profiles.c.member_id.in_(batch.member_ids))
    active = sorted(await session.scalars(query))
    await service.hold_all(session, active)  # before what many share, such as the coupon that is given
    for member_id in active:
        try:
            async with savepoint(session):
                await give(member_id, batch.key(member_id))
        except DomainError as error:
            log.info("journey_gift_refused", journey_id=batch.journey_id, node=batch.node, code=error.code())
            refused.append(member_id)
        else:
            given.append(member_id)
    return Verdict({"next": given, "refused": refused} if refused else {"next": given})
