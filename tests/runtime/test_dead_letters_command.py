"""`siyu dead-letters` lists, replays once, discards, and says so in the audit log."""

import pytest
from sqlalchemy import text

from crm.db.session import Sessions
from crm.inbox import service as inbox
from crm.jobs.dead import DeadLetterNotFound, UnknownBox
from runtime.commands import dead_letters


async def _die(sessions: Sessions, number: int) -> list[str]:
    async with sessions.begin() as session:
        for item in range(number):
            await inbox.store(session, bot_id=1, update_key=f"k{item}", chat_key=f"c{item}", payload=b"13800138000")
            taken = await inbox.next_for_chat(session, 1, f"c{item}")
            assert taken is not None
            await inbox.give_up(session, taken, "ValueError at a.py:1 in b", attempts=5)
        return [str(letter.update_id) for letter in await inbox.dead_letters(session)]


async def test_lists_numbers_and_letters(sessions: Sessions, capsys: pytest.CaptureFixture[str]) -> None:
    keys = await _die(sessions, 2)
    await dead_letters.show_all(sessions)
    assert "updates" in capsys.readouterr().out
    await dead_letters.show_box(sessions, "updates")
    shown = capsys.readouterr().out
    assert [line.split("\t")[0] for line in shown.splitlines()] == keys
    assert "ValueError at a.py:1 in b" in shown
    assert "13800138000" not in shown


async def test_replays_and_drops_once_with_an_audit_entry(sessions: Sessions) -> None:
    first, second, third = await _die(sessions, 3)
    async with sessions.begin() as session:
        assert await dead_letters.replay_some(session, "updates", first) == 1
        await dead_letters.drop_one(session, "updates", second)
        assert await dead_letters.replay_some(session, "updates", None) == 1
        for key in (first, second, third):
            with pytest.raises(DeadLetterNotFound):
                await dead_letters.replay_some(session, "updates", key)
            with pytest.raises(DeadLetterNotFound):
                await dead_letters.drop_one(session, "updates", key)
        with pytest.raises(UnknownBox, match=r"there are .*handoffs"):
            await dead_letters.replay_some(session, "letters", None)
        assert await session.scalar(text("SELECT count(*) FROM inbound_queue")) == 2
        assert await session.scalar(text("SELECT count(*) FROM audit_log WHERE actor = 'cli'")) == 3
