"""A state machine whose every step is up to eight transactions at once, on connections of their own.

After each step the whole ledger is verified, and held against a model in which the order does not matter: what was
given, taken and moved adds up, each hold and promise is resolved once, each posting is reversed once. That two wait
for each other in a ring is a failure, as any other error.
With SIYU_LEDGER_MACHINES=100 it takes its time; SIYU_LEDGER_SEED repeats a run.
"""

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from crm.kit.errors import ConflictError, NotFoundError
from crm.kit.ids import token
from crm.members import merging
from crm.points import expiry, holds, pending, service
from crm.points.types import Posting
from tests.factories.members import make_member
from tests.factories.points import assert_sound

MACHINES = int(os.environ.get("SIYU_LEDGER_MACHINES", "5"))
STEPS = 8 if MACHINES < 20 else 50
AT_ONCE = 8
MEMBERS = 3
Tell = Callable[[], None]
_SUMS = text(
    "SELECT coalesce(sum(balance - debt + pending + held) FILTER (WHERE member_id = ANY (:members)), 0)::bigint,"
    " (SELECT coalesce(sum(e.amount), 0)::bigint FROM ledger_entries e JOIN ledger_entries m"
    "  ON m.transaction_id = e.transaction_id AND m.account = 'member' AND m.member_id = ANY (:members)"
    "  WHERE e.account = 'expiry') FROM point_accounts"
)
NUMBER, POINTS, SOON = st.integers(0, 30), st.integers(1, 60), st.integers(1, 400)
ACTS = ("earn", "earn", "earn", "redeem", "redeem", "hold", "hold", "promise", "post", "void", "activate", "cancel")
NAMES = st.sampled_from((*ACTS, "reverse", "expire", "time_out", "activate_due", "merge", "undo"))


class Draw(NamedTuple):
    """What chance chose for an act."""

    name: str
    number: int
    """Which member, key, posting or merge."""
    points: int
    soon: int
    """Milliseconds."""


@dataclass
class Model:
    """What must be true whatever the order was."""

    total: int = 0
    """Of all members, debts subtracted, apart from what ran out."""
    amounts: dict[UUID, int] = field(default_factory=dict)
    """Signed points of what can be reversed."""
    keys: dict[str, int] = field(default_factory=dict)
    """Points of holds and promises."""
    promised: set[str] = field(default_factory=set)
    merges: list[int] = field(default_factory=list)
    resolved: Counter[str] = field(default_factory=Counter)
    reversed: Counter[UUID] = field(default_factory=Counter)


class Hands:
    """The acts; each tells the model what it did once its transaction is committed."""

    def __init__(self, members: list[int], model: Model) -> None:
        self.members, self.model = members, model

    def member(self, number: int) -> int:
        return self.members[number % len(self.members)]

    async def earn(self, session: AsyncSession, draw: Draw) -> Tell:
        ends = await clock.now(session) + timedelta(milliseconds=draw.soon) if draw.soon % 2 else None
        made = await service.earn(
            session, self.member(draw.number), draw.points, rule="gift", key=token(), expires_at=ends
        )
        return lambda: self._moved(made, draw.points)

    async def redeem(self, session: AsyncSession, draw: Draw) -> Tell:
        made = await service.redeem(session, self.member(draw.number), draw.points, reason="tea", key=token())
        return lambda: self._moved(made, -draw.points)

    def _moved(self, made: Posting, points: int) -> None:
        self.model.total += points
        self.model.amounts[made.transaction_id] = points

    async def hold(self, session: AsyncSession, draw: Draw) -> Tell:
        until, key = await clock.now(session) + timedelta(milliseconds=draw.soon * 5), token()
        await holds.hold(session, self.member(draw.number), draw.points, reason="order", key=key, until=until)
        return lambda: self.model.keys.update({key: draw.points})

    async def promise(self, session: AsyncSession, draw: Draw) -> Tell:
        at, key = await clock.now(session) + timedelta(milliseconds=draw.soon), token()
        await pending.earn(session, self.member(draw.number), draw.points, rule="gift", key=key, activates_at=at)

        def told() -> None:
            self.model.total += draw.points
            self.model.keys[key] = draw.points
            self.model.promised.add(key)

        return told

    def _key(self, number: int) -> str:
        return list(self.model.keys)[number % len(self.model.keys)] if self.model.keys else "none"

    async def _resolve(self, key: str, resolving: Awaitable[Posting], sign: int) -> Tell:
        made = await resolving

        def told() -> None:
            if made.is_new:
                self.model.resolved[key] += 1
                self.model.total += sign * self.model.keys[key]
                if sign and key not in self.model.promised:
                    self.model.amounts[made.transaction_id] = -self.model.keys[key]

        return told

    async def post(self, session: AsyncSession, draw: Draw) -> Tell:
        return await self._resolve(self._key(draw.number), holds.post(session, self._key(draw.number)), -1)

    async def void(self, session: AsyncSession, draw: Draw) -> Tell:
        return await self._resolve(self._key(draw.number), holds.void(session, self._key(draw.number)), 0)

    async def activate(self, session: AsyncSession, draw: Draw) -> Tell:
        return await self._resolve(self._key(draw.number), pending.activate(session, self._key(draw.number)), 0)

    async def cancel(self, session: AsyncSession, draw: Draw) -> Tell:
        return await self._resolve(
            self._key(draw.number), pending.cancel(session, self._key(draw.number), reason="x"), -1
        )

    async def reverse(self, session: AsyncSession, draw: Draw) -> Tell:
        if not self.model.amounts:
            return _nothing
        wanted = list(self.model.amounts)[draw.number % len(self.model.amounts)]
        await service.reverse(session, wanted, reason="mistake", key=token())

        def told() -> None:
            self.model.reversed[wanted] += 1
            self.model.total -= self.model.amounts[wanted]

        return told

    async def expire(self, session: AsyncSession, draw: Draw) -> Tell:
        await expiry.expire(session, draw.points)
        return _nothing

    async def time_out(self, session: AsyncSession, draw: Draw) -> Tell:
        await holds.void_due(session, draw.points)
        return _nothing

    async def activate_due(self, session: AsyncSession, draw: Draw) -> Tell:
        await pending.activate_due(session, draw.points)
        return _nothing

    async def merge(self, session: AsyncSession, draw: Draw) -> Tell:
        merge_id = await merging.merge(session, self.member(draw.number), self.member(draw.points), by="operator:1")
        return lambda: self.model.merges.append(merge_id)

    async def undo(self, session: AsyncSession, draw: Draw) -> Tell:
        if self.model.merges:
            await merging.undo(session, self.model.merges[draw.number % len(self.model.merges)], by="operator:1")
        return _nothing


def _nothing() -> None:
    """The model need not know."""


class LedgerMachine(RuleBasedStateMachine):
    """Steps of many transactions at once."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any], sessions: Sessions, seen: Counter[str]) -> None:
        super().__init__()
        self.run, self.sessions, self.seen = run, sessions, seen
        self.model = Model()
        self.hands = Hands(run(self._members()), self.model)

    async def _members(self) -> list[int]:
        async with self.sessions.begin() as session:
            return [(await make_member(session)).id for _ in range(MEMBERS)]

    @rule(acts=st.lists(st.builds(Draw, NAMES, NUMBER, POINTS, SOON), min_size=2, max_size=AT_ONCE))
    def at_once(self, acts: list[Draw]) -> None:
        """All of them begin together; then everything has to be right."""
        self.run(self._at_once(acts))

    async def _at_once(self, acts: list[Draw]) -> None:
        told = await asyncio.gather(*(self._act(draw) for draw in acts))
        for tell in told:
            tell()
        await self._check()

    async def _act(self, draw: Draw) -> Tell:
        try:
            async with self.sessions.begin() as session:
                tell: Tell = await getattr(self.hands, draw.name)(session, draw)
        except (ConflictError, NotFoundError):
            self.seen[f"{draw.name} refused"] += 1
            return _nothing
        self.seen[draw.name] += 1
        return tell

    async def _check(self) -> None:
        async with self.sessions() as session:
            await assert_sound(session)
            total, ran_out = (await session.execute(_SUMS, {"members": self.hands.members})).one()
        assert total + ran_out == self.model.total
        assert max(self.model.resolved.values(), default=0) <= 1
        assert max(self.model.reversed.values(), default=0) <= 1


def test_every_invariant_holds_whatever_happens_at_once(
    committed_url: str, committed_sessions: Sessions, surroundings: Surroundings
) -> None:
    chosen = int(os.environ.get("SIYU_LEDGER_SEED") or secrets.randbelow(2**32))
    print(f"SIYU_LEDGER_SEED={chosen}")  # noqa: T201  # shown when it fails
    seen = Counter[str]()
    with asyncio.Runner() as runner:
        engine = make_engine(committed_url, pool_size=AT_ONCE)
        sessions = make_sessions(engine, surroundings)
        machine = seed(chosen)(lambda: LedgerMachine(runner.run, sessions, seen))
        try:
            run_state_machine_as_test(
                machine,  # type: ignore[arg-type]  # any callable that makes a machine will do
                settings=settings(
                    max_examples=MACHINES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    print_blob=True,
                    database=None,
                ),
            )
        finally:
            runner.run(engine.dispose())
    print(dict(sorted(seen.items())))  # noqa: T201  # shown with -s
    assert seen["earn"] > seen["earn refused"]
