"""Random histories: the ledger does what the plain model does, and every invariant holds after every step."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.kit.ids import token
from crm.points import history, holds, pending, service
from crm.points.errors import HoldRanOut, HoldResolved, InsufficientPoints, PendingResolved
from crm.points.models import LotRow
from crm.points.types import Posting
from tests.conftest import At
from tests.crm.points.ledger_model import Lot, Wallet
from tests.factories.members import make_member
from tests.factories.points import assert_sound

EXAMPLES = int(os.environ.get("SIYU_LEDGER_EXAMPLES", "30"))
START = datetime(2026, 1, 1, tzinfo=UTC)
EARN = st.tuples(st.just("earn"), st.integers(1, 100), st.sampled_from([None, 1, 5, 30]))
TAKE = st.tuples(st.sampled_from(["redeem", "adjust"]), st.integers(1, 120), st.none())
BACK = st.tuples(st.sampled_from(["reverse_earning", "reverse_spending"]), st.integers(0, 10), st.none())
TIME = st.tuples(st.sampled_from(["wait", "expire"]), st.integers(1, 12), st.none())
ASIDE = st.tuples(st.sampled_from(["hold", "promise"]), st.integers(1, 60), st.sampled_from([None, 1, 5, 30]))
SETTLE = st.tuples(
    st.sampled_from(["post_hold", "void_hold", "time_out", "activate", "activate_due", "cancel"]),
    st.integers(0, 10),
    st.none(),
)
STEPS = st.lists(st.one_of(EARN, EARN, TAKE, BACK, TIME, ASIDE, SETTLE), min_size=1, max_size=20)
Step = tuple[str, int, int | None]


@dataclass
class Run:
    """One history, in the ledger and in the model."""

    session: AsyncSession
    at: At
    member_id: int
    now: datetime = START
    wallet: Wallet = field(default_factory=Wallet)
    earned: list[tuple[UUID, int]] = field(default_factory=list)
    spent: list[tuple[UUID, list[tuple[Lot, int]]]] = field(default_factory=list)
    held: list[tuple[str, datetime, int, list[tuple[Lot, int]]]] = field(default_factory=list)
    promised: list[tuple[str, datetime | None, int]] = field(default_factory=list)

    async def earn(self, points: int, days: int | None) -> None:
        expires_at = None if days is None else self.now + timedelta(days=days)
        posting = await service.earn(
            self.session, self.member_id, points, rule="gift", key=token(), expires_at=expires_at
        )
        self.wallet.earn(points, self.now, expires_at)
        self.earned.append((posting.transaction_id, points))

    async def redeem(self, points: int, days: int | None) -> None:
        del days
        await self._spend(points, service.redeem(self.session, self.member_id, points, reason="tea", key=token()))

    async def adjust(self, points: int, days: int | None) -> None:
        del days
        down = service.adjust(self.session, self.member_id, -points, reason="typo", key=token(), by="operator:1")
        await self._spend(points, down)

    async def _spend(self, points: int, posting: Awaitable[Posting]) -> None:
        used = self.wallet.spend(points, self.now)
        if used is None:
            with pytest.raises(InsufficientPoints):
                await posting
        else:
            self.spent.append(((await posting).transaction_id, used))

    async def reverse_earning(self, number: int, days: int | None) -> None:
        del days
        if self.earned:
            transaction_id, points = self.earned.pop(number % len(self.earned))
            await service.reverse(self.session, transaction_id, reason="refund", key=token())
            self.wallet.claw_back(points, self.now)

    async def reverse_spending(self, number: int, days: int | None) -> None:
        del days
        if self.spent:
            transaction_id, used = self.spent.pop(number % len(self.spent))
            await service.reverse(self.session, transaction_id, reason="sold out", key=token())
            self.wallet.restore(used)

    async def hold(self, points: int, days: int | None) -> None:
        key, until = token(), self.now + timedelta(days=days or 2)
        held = holds.hold(self.session, self.member_id, points, reason="order", key=key, until=until)
        used = self.wallet.spend(points, self.now)
        if used is None:
            with pytest.raises(InsufficientPoints):
                await held
            return
        await held
        self.wallet.held += points
        self.held.append((key, until, points, used))

    async def post_hold(self, number: int, days: int | None) -> None:
        del days
        if not self.held:
            return
        key, until, points, used = self.held[number % len(self.held)]
        if until <= self.now:
            with pytest.raises(HoldRanOut):
                await holds.post(self.session, key)
            return
        posting = await holds.post(self.session, key)
        self.held.pop(number % len(self.held))
        self.wallet.held -= points
        self.spent.append((posting.transaction_id, used))
        with pytest.raises(HoldResolved):
            await holds.void(self.session, key)

    async def void_hold(self, number: int, days: int | None) -> None:
        del days
        if self.held:
            key, _, points, used = self.held.pop(number % len(self.held))
            await holds.void(self.session, key)
            self.wallet.held -= points
            self.wallet.restore(used)

    async def time_out(self, number: int, days: int | None) -> None:
        del number, days
        over = sorted((item for item in self.held if item[1] <= self.now), key=lambda item: (item[1], item[0]))
        assert await holds.void_due(self.session) == len(over)
        for item in over:
            self.held.remove(item)
            self.wallet.held -= item[2]
            self.wallet.restore(item[3])

    async def promise(self, points: int, days: int | None) -> None:
        key, at = token(), None if days is None else self.now + timedelta(days=days)
        await pending.earn(self.session, self.member_id, points, rule="gift", key=key, activates_at=at)
        self.wallet.pending += points
        self.promised.append((key, at, points))

    async def activate(self, number: int, days: int | None) -> None:
        del days
        if self.promised:
            key, _, points = self.promised.pop(number % len(self.promised))
            await pending.activate(self.session, key)
            self._activated(points, self.now)
            with pytest.raises(PendingResolved):
                await pending.cancel(self.session, key, reason="late")

    async def activate_due(self, number: int, days: int | None) -> None:
        del number, days
        due = sorted((at, key, points) for key, at, points in self.promised if at is not None and at <= self.now)
        assert await pending.activate_due(self.session) == len(due)
        for at, key, points in due:
            self.promised.remove((key, at, points))
            self._activated(points, at)

    def _activated(self, points: int, at: datetime) -> None:
        self.wallet.pending -= points
        self.wallet.earn(points, at, None)

    async def cancel(self, number: int, days: int | None) -> None:
        del days
        if self.promised:
            key, _, points = self.promised.pop(number % len(self.promised))
            await pending.cancel(self.session, key, reason="returned")
            self.wallet.pending -= points

    async def wait(self, days: int, _: int | None) -> None:
        self.now += timedelta(days=days)
        await self.at(self.session, self.now.isoformat())

    async def expire(self, days: int, _: int | None) -> None:
        del days
        await service.expire_due(self.session)
        self.wallet.expire(self.now)

    async def compare(self) -> None:
        """Balance, debt and every lot are what the model says."""
        found = await service.summary(self.session, self.member_id)
        assert (found.balance, found.debt) == (self.wallet.balance, self.wallet.debt)
        now = await history.balance_at(self.session, self.member_id)
        assert (now.balance, now.debt) == (found.balance, found.debt)
        assert (now.held, now.pending) == (self.wallet.held, self.wallet.pending)
        lots = select(LotRow.remaining).where(LotRow.member_id == self.member_id, LotRow.remaining > 0)
        assert list(await self.session.scalars(lots.order_by(LotRow.id))) == self.wallet.remaining()
        await assert_sound(self.session)


async def play(session: AsyncSession, at: At, steps: list[Step]) -> None:
    """Do the steps in the ledger and in the model, comparing after each."""
    await at(session, START.isoformat())
    run = Run(session, at, (await make_member(session)).id)
    for name, number, days in steps:
        do: Callable[[int, int | None], Awaitable[None]] = getattr(run, name)
        await do(number, days)
        await run.compare()


@given(steps=STEPS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    print_blob=True,
)
async def test_the_ledger_does_what_the_plain_model_does(sessions: Sessions, at: At, steps: list[Step]) -> None:
    async with sessions() as session:
        await play(session, at, steps)
        await session.rollback()
