"""Loops outlive what goes wrong inside them, and say so in one line while the database is away."""

import asyncio

import pytest
from structlog.testing import capture_logs

from runtime import loops


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_AFTER_ERROR_SECONDS", 0.01)


class Work:
    """Fails as often as it has errors, then ends its loop."""

    def __init__(self, stop: asyncio.Event, *errors: Exception) -> None:
        self.stop, self.errors, self.calls = stop, list(errors), 0

    async def run(self) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        self.stop.set()

    async def look(self) -> int:
        await self.run()
        return 0


async def test_kept_work_begins_anew() -> None:
    stop = asyncio.Event()
    work = Work(stop, ConnectionRefusedError(), ValueError("a bug"))
    with capture_logs() as said:
        await loops.keep("jobs", work.run, stop)
    assert work.calls == 3
    assert [line["event"] for line in said] == ["loop_waits_for_database", "loop_failed"]
    assert ["exc_info" in line for line in said] == [False, True]


async def test_repeated_work_goes_on() -> None:
    stop = asyncio.Event()
    work = Work(stop, TimeoutError(), KeyError("x"))
    with capture_logs() as said:
        await loops.repeat("timers", work.look, stop, rest=0.01)
    assert work.calls == 3
    assert [(line["event"], line["log_level"]) for line in said] == [
        ("loop_waits_for_database", "warning"),
        ("loop_failed", "error"),
    ]


async def test_what_is_done_once_outlasts_the_database_and_nothing_else() -> None:
    stop = asyncio.Event()
    work = Work(stop, ConnectionResetError(), ConnectionRefusedError())
    with capture_logs() as said:
        await loops.outlast("providers", work.run, stop)
    assert (work.calls, [line["event"] for line in said]) == (3, ["loop_waits_for_database"] * 2)
    with pytest.raises(KeyError):
        await loops.outlast("providers", Work(asyncio.Event(), KeyError("x")).run, asyncio.Event())


async def test_what_waits_for_the_database_can_be_stopped() -> None:
    stop = asyncio.Event()

    async def work() -> None:
        stop.set()
        raise ConnectionRefusedError

    await loops.outlast("providers", work, stop)
