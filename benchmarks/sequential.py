"""A peer: how broadcasters over aiogram send, one `send_message` after the other.

It imitates the pattern of the broadcast helpers for aiogram that one would pick today (aiogram-broadcaster and its
like): a loop over the chat ids that awaits `bot.send_message` for each, catches the errors of the Bot API, sleeps
where it is told to, counts what succeeded, and pauses between two messages for as long as its rate says, here not at
all. It keeps no state: those that write one after each message are slower still. It runs in a process of its own, as
importing aiogram costs this one 165 MB.
"""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from itertools import islice

import uvloop

from benchmarks.members import TOKEN
from crm.kit.clock import monotonic

NUMBER = 4_000
_TEXT = "x" * 80


async def measure_sequential(base: str, chats: Iterable[int]) -> float:
    """Messages a second that the loop reaches at this server."""
    ids = ",".join(str(chat) for chat in islice(chats, NUMBER))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.sequential",
        base,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate(ids.encode())
    if process.returncode:
        raise RuntimeError("the peer failed")
    return float(said)


async def _broadcast(base: str, chats: Sequence[int]) -> float:
    session = AiohttpSession(api=TelegramAPIServer.from_base(base))
    sent = 0
    async with Bot(TOKEN, session=session) as bot:
        begun = monotonic()
        for chat in chats:
            try:
                await bot.send_message(chat, _TEXT)
            except TelegramRetryAfter as error:
                await asyncio.sleep(error.retry_after)
            except TelegramAPIError:
                continue
            else:
                sent += 1
        return sent / (monotonic() - begun)


if __name__ == "__main__":
    # Only this process needs it.
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.exceptions import TelegramAPIError, TelegramRetryAfter

    found = [int(item) for item in sys.stdin.read().split(",")]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.write(str(runner.run(_broadcast(sys.argv[1], found))))
