"""The whole inbound way of a check-in, with the shipped flows: one award a day, and few statements."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.bots.types import Bot
from crm.check_ins import service as check_ins
from crm.db.session import Sessions
from crm.members import service as members
from crm.messages.service import render_flow
from crm.points import earning_rules
from crm.sign_ups import service as sign_ups
from flows.engine.registry import discover
from tests.bot.loop import CHANNEL, House, make_loop_bot

MOST_STATEMENTS = 22


def _house(sessions: Sessions) -> House:
    house = House(sessions, render=render_flow)
    house.use(discover())
    return house


async def _signed_up(sessions: Sessions, bot: Bot, address: str = "7") -> int:
    async with sessions.begin() as session:
        contact = await members.ensure_identity(session, bot_id=bot.id, channel=CHANNEL, address=address)
        await sign_ups.complete(session, contact.member.id, channel=CHANNEL)
    return contact.member.id


@contextmanager
def counted(engine: AsyncEngine) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        del connection, cursor, rest
        seen.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_hundred_taps_in_four_processes_give_one_award(committed_sessions: Sessions) -> None:
    bot = await make_loop_bot(committed_sessions)
    member_id = await _signed_up(committed_sessions, bot)
    houses = [_house(committed_sessions) for _ in range(4)]
    taps = [
        houses[number % 4].receive(bot, "7", kind="button", data="1:s:check_in", key=f"u{number}")
        for number in range(100)
    ]
    await asyncio.gather(*taps)
    for house in houses:
        await house.settle()
    async with committed_sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM events WHERE kind = 'checked_in'")) == 1
        assert await session.scalar(text("SELECT count(*) FROM delivery_replies")) == 100
        again = await check_ins.check_in(session, member_id, channel=CHANNEL)
        assert (again.is_new, again.streak) == (False, 1)


async def test_check_in_takes_few_statements(committed_sessions: Sessions, committed_engine: AsyncEngine) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = _house(committed_sessions)
    for address in ("7", "8"):
        await _signed_up(committed_sessions, bot, address)
    await house.receive(bot, "7", "/checkin")
    await house.settle()
    await house.receive(bot, "8", "/help")
    await house.settle()
    with counted(committed_engine) as statements:
        await house.receive(bot, "8", "/checkin")
        await house.settle()
    assert len(statements) <= MOST_STATEMENTS, "\n\n".join(statements)


async def _check_ins(sessions: Sessions, member_ids: Sequence[int]) -> tuple[int, int, int]:
    """Members who checked in once with their points, answers, and transactions that this took."""
    query = text(
        "SELECT (SELECT count(*) FROM profiles WHERE member_id = ANY(:ids) AND check_ins_count = 1"
        " AND points_balance = (SELECT balance FROM point_accounts a WHERE a.member_id = profiles.member_id)"
        " AND points_balance > 0), (SELECT count(*) FROM delivery_replies r JOIN identities i ON i.id = r.identity_id"
        " WHERE i.member_id = ANY(:ids)),"
        " (SELECT count(DISTINCT xmin::text) FROM check_ins WHERE member_id = ANY(:ids))"
    )
    async with sessions() as session:
        counted, answered, transactions = (await session.execute(query, {"ids": list(member_ids)})).one()
    return counted, answered, transactions


@pytest.mark.parametrize("is_one_broken", [False, True])
async def test_members_who_come_together_are_handled_together(
    committed_sessions: Sessions, is_one_broken: bool
) -> None:
    bot = await make_loop_bot(committed_sessions)
    house = _house(committed_sessions)
    addresses = [str(number) for number in range(20, 32)]
    member_ids = [await _signed_up(committed_sessions, bot, address) for address in addresses]
    async with committed_sessions.begin() as session:
        await earning_rules.ensure_defaults(session)
    if is_one_broken:
        async with committed_sessions.begin() as session:
            # its check-in is refused by the database, and nobody else's may be
            sound = f"member_id <> {member_ids.pop(5)}"
            await session.execute(text(f"ALTER TABLE check_ins ADD CONSTRAINT sound CHECK ({sound}) NOT VALID"))
    try:
        # all are stored before the first is handled, as when many come within a moment
        await asyncio.gather(*(house.receive(bot, address, "/checkin") for address in addresses))
        await house.settle()
        counted, answered, transactions = await _check_ins(committed_sessions, member_ids)
    finally:
        async with committed_sessions.begin() as session:
            await session.execute(text("ALTER TABLE check_ins DROP CONSTRAINT IF EXISTS sound"))
    assert (counted, answered) == (len(member_ids), len(member_ids))
    assert is_one_broken or transactions < len(member_ids)
