"""The chaos proxy itself: each manner does what its name says, towards open connections and new ones."""

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from tests.acceptance.waiting import until
from tests.chaos.proxy import ChaosProxy, Manner

PATIENCE = 30.0
A_MOMENT = 0.2


@asynccontextmanager
async def _echo() -> AsyncIterator[tuple[tuple[str, int], list[bytes]]]:
    """A server that answers every line with itself; its address and what it has read."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                heard.append(line)
                writer.write(line)
        except ConnectionError:
            heard.append(b"reset")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2], heard
    finally:
        server.close()


def _told(heard: list[bytes]) -> Callable[[], Awaitable[list[bytes]]]:
    async def told() -> list[bytes]:
        return heard

    return told


class Line:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, said: str, *, within: float = PATIENCE) -> str:
        self.writer.write(said.encode() + b"\n")
        return await self.hear(within=within)

    async def hear(self, *, within: float = PATIENCE) -> str:
        async with asyncio.timeout(within):
            return (await self.reader.readline()).decode().strip()


@asynccontextmanager
async def _line(proxy: ChaosProxy) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def served() -> AsyncIterator[tuple[ChaosProxy, list[bytes]]]:
    async with _echo() as (target, heard), ChaosProxy(target) as proxy:
        yield proxy, heard


Served = tuple[ChaosProxy, list[bytes]]


async def test_it_passes_and_delays(served: Served) -> None:
    proxy, _ = served
    clock = asyncio.get_running_loop().time
    async with _line(proxy) as line:
        assert await line.ask("tea") == "tea"
        proxy.latency = 0.1
        before = clock()
        assert await line.ask("slow") == "slow"
        assert clock() - before >= 0.19  # once in each direction


async def test_refusing_cuts_and_keeps_the_port(served: Served) -> None:
    proxy, _ = served
    port = proxy.port
    async with _line(proxy) as line:
        assert await line.ask("tea") == "tea"
        await proxy.switch(Manner.REFUSE)
        with pytest.raises(ConnectionResetError):
            await line.hear()
    with pytest.raises(OSError) as refused:  # noqa: PT011 - its number is looked at
        await asyncio.open_connection("127.0.0.1", port)
    assert refused.value.errno == errno.ECONNREFUSED
    await proxy.switch(Manner.PASS)
    async with _line(proxy) as line:
        assert (await line.ask("back"), proxy.port) == ("back", port)


async def test_resetting(served: Served) -> None:
    proxy, heard = served
    async with _line(proxy) as line:
        assert await line.ask("tea") == "tea"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await line.hear()
    await proxy.switch(Manner.RESET)
    async with _line(proxy) as line:
        with suppress(ConnectionResetError):
            assert await line.ask("lost") == ""
    assert b"lost\n" not in heard


async def test_a_black_hole_holds_back_and_lets_go(served: Served) -> None:
    proxy, heard = served
    async with _line(proxy) as line:
        assert await line.ask("tea") == "tea"
        await proxy.switch(Manner.BLACKHOLE)
        with pytest.raises(TimeoutError):
            await line.ask("held", within=A_MOMENT)
        async with _line(proxy) as other:
            with pytest.raises(TimeoutError):
                await other.ask("held too", within=A_MOMENT)
            assert heard == [b"tea\n"]
            await proxy.switch(Manner.PASS)
            assert (await line.hear(), await other.hear()) == ("held", "held too")


async def test_half_closing(served: Served) -> None:
    proxy, heard = served
    async with _line(proxy) as line:
        assert await line.ask("tea") == "tea"
        await proxy.switch(Manner.HALF_CLOSE)
        assert await line.hear() == ""  # the end, and yet
        assert await line.ask("still heard") == ""
    await until(_told(heard), lambda told: b"still heard\n" in told)


async def test_the_server_may_move(served: Served) -> None:
    proxy, _ = served
    async with _echo() as (elsewhere, heard):
        proxy.target = elsewhere
        async with _line(proxy) as line:
            assert await line.ask("moved") == "moved"
        assert heard == [b"moved\n"]
    async with _line(proxy) as line:
        with suppress(ConnectionResetError):
            assert await line.hear() == ""


def test_addresses() -> None:
    async def made() -> tuple[str, int]:
        proxy = ChaosProxy(("127.0.0.1", 1))
        async with proxy:
            return proxy.address("postgresql://me:secret@db.example:5432/siyu?a=b"), proxy.port

    address, port = asyncio.run(made())
    assert address == f"postgresql://me:secret@127.0.0.1:{port}/siyu?a=b"
