"""`siyu ledger balance` tells what an account showed, and what is wrong with a wish."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest

from crm.db import clock
from crm.db.session import Sessions
from runtime.commands import ledger
from runtime.failures import StartProblem
from tests.factories.members import make_member
from tests.factories.points import give


@pytest.fixture(autouse=True)
def house(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command opens this database."""

    @asynccontextmanager
    async def opened(command: str) -> AsyncIterator[SimpleNamespace]:
        assert command == "ledger balance"
        yield SimpleNamespace(sessions=sessions)

    monkeypatch.setattr(ledger, "opened", opened)


async def test_it_tells_now_and_then(sessions: Sessions, capsys: pytest.CaptureFixture[str]) -> None:
    async with sessions.begin() as session:
        member = await make_member(session)
        await give(session, member.id, 1234)
        before = await clock.now(session) - timedelta(days=1)
    assert await ledger.tell_balance(member.id, "") == 0
    assert "1234" in capsys.readouterr().out
    assert await ledger.tell_balance(member.id, before.isoformat()) == 0
    assert "1234" not in capsys.readouterr().out


async def test_it_says_what_is_wrong(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        member = await make_member(session)
    for at, said in (("yesterday", "is no time"), ("2026-03-01T08:00", "offset"), ("2120-01-01T00:00Z", "is over")):
        with pytest.raises(StartProblem, match=said):
            await ledger.tell_balance(member.id, at)
    with pytest.raises(StartProblem):
        await ledger.tell_balance(member.id + 1_000_000, "")
