"""A hundred want what is there once: the last item, the last points, one voucher. One gets it, the others hear why."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.errors import VoucherUsed
from crm.coupons.service import counter, holding
from crm.coupons.types import VoucherStatus
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from crm.kit.errors import DomainError
from crm.points import service as points
from crm.points.errors import InsufficientPoints
from crm.rewards.errors import RewardOutOfStock
from crm.rewards.service import catalogue, redeeming
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row
from tests.factories.loyalty import issue, make_coupon, make_reward
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

ROUNDS = 20 if SIZES.is_full else 1
AT_ONCE = 100
CONNECTIONS = 100 if SIZES.is_full else 40
PRICE = 100
Told = Counter[str]
"""What was answered, how often; "" for a success."""


@pytest.fixture
async def crowd(
    committed_url: str, committed_sessions: Sessions, surroundings: Surroundings
) -> AsyncIterator[Sessions]:
    """Sessions with a connection for each of those who try at once; emptied with the other committed ones."""
    del committed_sessions
    engine = make_engine(committed_url, pool_size=CONNECTIONS)
    yield make_sessions(engine, surroundings)
    await engine.dispose()


async def _race(sessions: Sessions, attempt: Callable[[AsyncSession, int], Awaitable[object]]) -> Told:
    room = asyncio.Semaphore(CONNECTIONS)

    async def one(number: int) -> str:
        try:
            async with room, sessions.begin() as session:
                await attempt(session, number)
        except DomainError as error:
            return error.detail
        return ""

    return Counter(await asyncio.gather(*(one(number) for number in range(AT_ONCE))))


def _judge(row: Row, rounds: list[Told], refusal: type[DomainError], *, left: set[object], expected: object) -> None:
    exact = {"": 1, refusal().detail: AT_ONCE - 1}
    good = sum(dict(told) == exact for told in rounds)
    row.saw(f"{good} of {len(rounds)} rounds with 1 success and {AT_ONCE - 1} times {refusal().detail!r}; left {left}")
    assert [dict(told) for told in rounds] == [exact] * ROUNDS
    assert left == {expected}


def _plan(row: Row, what: str, done: str) -> None:
    row.plan(
        f"{AT_ONCE} parallel redemptions of {what}",
        done=f"{done}, {AT_ONCE} times at once over {CONNECTIONS} connections, {ROUNDS} times",
        expected=f"1 succeeds, {AT_ONCE - 1} are told why not; nothing is below 0; the ledger re-derives",
    )


@pytest.mark.chaos_row(23)
async def test_the_last_points(crowd: Sessions, row: Row) -> None:
    _plan(row, "the last points", f"{PRICE} points of {PRICE} spent")
    rounds, left = [], set[object]()
    for _ in range(ROUNDS):
        async with crowd.begin() as session:
            member_id = (await make_member(session)).id
            await give(session, member_id, PRICE)

        async def spend(session: AsyncSession, number: int, member_id: int = member_id) -> object:
            return await points.redeem(session, member_id, PRICE, reason="tea", key=f"spend:{member_id}:{number}")

        rounds.append(await _race(crowd, spend))
        async with crowd() as session:
            left.add(await points.balance(session, member_id))
            await assert_sound(session)
    _judge(row, rounds, InsufficientPoints, left=left, expected=0)


@pytest.mark.chaos_row(23)
async def test_the_last_item(crowd: Sessions, row: Row) -> None:
    _plan(row, "the last item", "a reward with a stock of 1 redeemed by as many members")
    async with crowd.begin() as session:
        members = [(await make_member(session)).id for _ in range(AT_ONCE)]
        for member_id in members:
            await give(session, member_id, PRICE * ROUNDS)
    rounds, left = [], set[object]()
    for _ in range(ROUNDS):
        async with crowd.begin() as session:
            reward_id = (await make_reward(session, points=PRICE, stock=1)).id

        async def redeem(session: AsyncSession, number: int, reward_id: int = reward_id) -> object:
            return await redeeming.redeem(session, members[number], reward_id, key=f"{reward_id}:{number}")

        rounds.append(await _race(crowd, redeem))
        async with crowd() as session:
            found = await catalogue.get(session, reward_id)
            left.add((found.stock, found.redeemed))
            await assert_sound(session)
    async with crowd() as session:
        held = sum([await points.balance(session, member_id) for member_id in members])
    assert held == PRICE * ROUNDS * (AT_ONCE - 1)  # whoever got nothing paid nothing
    _judge(row, rounds, RewardOutOfStock, left=left, expected=(0, 1))


@pytest.mark.chaos_row(23)
async def test_one_voucher(crowd: Sessions, row: Row) -> None:
    _plan(row, "one voucher", "a voucher used at as many tills")
    rounds, left = [], set[object]()
    for _ in range(ROUNDS):
        async with crowd.begin() as session:
            member_id = (await make_member(session)).id
            voucher = await issue(session, member_id, await make_coupon(session))

        async def use(session: AsyncSession, number: int, code: str = voucher.code) -> object:
            return await counter.use(session, [code], key=f"{code}:{number}", by=f"till:{number}")

        rounds.append(await _race(crowd, use))
        async with crowd() as session:
            left.add((await holding.get(session, voucher.id)).status)
    _judge(row, rounds, VoucherUsed, left=left, expected=VoucherStatus.USED)
