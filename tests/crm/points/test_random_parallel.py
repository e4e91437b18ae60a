"""Eight at once do random things to a few members: whatever the order, every invariant holds afterwards."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import Sessions
from crm.kit.errors import ConflictError, NotFoundError
from crm.kit.ids import token
from crm.members import merging
from crm.points import expiry, holds, pending, service
from tests.factories.members import make_member
from tests.factories.points import assert_sound

WORKERS = 8
STEPS = int(os.environ.get("SIYU_LEDGER_STEPS", "15"))
"""Of each worker; many more are tried by hand."""
Act = Callable[[AsyncSession, int], Awaitable[object]]


class Desk:
    """What the workers share: members, and what they have done to them so far."""

    def __init__(self, members: list[int]) -> None:
        self.members = members
        self.transactions: list[object] = []
        self.keys: list[str] = []
        self.refused = 0

    async def earn(self, session: AsyncSession, member_id: int) -> None:
        ends = await clock.now(session) + timedelta(milliseconds=secrets.randbelow(400) + 1)
        at = ends if secrets.randbelow(2) else None
        made = await service.earn(
            session, member_id, secrets.randbelow(50) + 1, rule="gift", key=token(), expires_at=at
        )
        self.transactions.append(made.transaction_id)

    async def redeem(self, session: AsyncSession, member_id: int) -> None:
        made = await service.redeem(session, member_id, secrets.randbelow(40) + 1, reason="tea", key=token())
        self.transactions.append(made.transaction_id)

    async def reverse(self, session: AsyncSession, member_id: int) -> None:
        del member_id
        if self.transactions:
            await service.reverse(session, secrets.choice(self.transactions), reason="x", key=token())  # type: ignore[arg-type]  # ids of what was posted

    async def hold(self, session: AsyncSession, member_id: int) -> None:
        until = await clock.now(session) + timedelta(milliseconds=secrets.randbelow(500) + 1)
        key = token()
        await holds.hold(session, member_id, secrets.randbelow(20) + 1, reason="order", key=key, until=until)
        self.keys.append(key)

    async def promise(self, session: AsyncSession, member_id: int) -> None:
        at = await clock.now(session) + timedelta(milliseconds=secrets.randbelow(300) + 1)
        key = token()
        await pending.earn(session, member_id, secrets.randbelow(30) + 1, rule="gift", key=key, activates_at=at)
        self.keys.append(key)

    async def settle(self, session: AsyncSession, member_id: int) -> None:
        del member_id
        if self.keys:
            key = secrets.choice(self.keys)
            match secrets.randbelow(5):
                case 0:
                    await holds.void(session, key)
                case 1:
                    await pending.activate(session, key)
                case 2:
                    await pending.cancel(session, key, reason="x")
                case _:
                    await holds.post(session, key)

    async def tick(self, session: AsyncSession, member_id: int) -> None:
        del member_id
        work = secrets.choice([expiry.expire, pending.activate_due, holds.void_due])
        await work(session, 5)

    async def merge(self, session: AsyncSession, member_id: int) -> None:
        other = secrets.choice(self.members)
        if other != member_id and secrets.randbelow(3) == 0:
            merge_id = await merging.merge(session, member_id, other, by="operator:1")
            await merging.undo(session, merge_id, by="operator:1")

    async def work(self, sessions: Sessions) -> None:
        acts: list[Act] = [
            *(self.earn, self.earn, self.earn, self.redeem, self.redeem, self.reverse),
            *(self.hold, self.promise, self.settle, self.settle, self.tick, self.merge),
        ]
        for _ in range(STEPS):
            try:
                async with sessions.begin() as session:
                    await secrets.choice(acts)(session, secrets.choice(self.members))
            except (ConflictError, NotFoundError):
                self.refused += 1


@pytest.mark.parametrize("members", [2, 5])
async def test_every_invariant_holds_after_eight_at_once(committed_sessions: Sessions, members: int) -> None:
    async with committed_sessions.begin() as session:
        desk = Desk([(await make_member(session)).id for _ in range(members)])
    await asyncio.gather(*(desk.work(committed_sessions) for _ in range(WORKERS)))
    async with committed_sessions.begin() as session:
        report = await assert_sound(session)
    assert report.transactions > 0
    assert desk.refused < WORKERS * STEPS
