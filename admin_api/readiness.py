"""What a process that serves requests truly needs, asked side by side, each with little patience."""

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

import crm.migrations
from admin_api.deps import AdminDeps
from crm.db.session import Sessions
from crm.events import lag as event_lag
from crm.inbox import lag as inbox_lag
from crm.recovery import service as recovery

HEAD = ScriptDirectory(str(Path(crm.migrations.__file__).parent)).get_current_head()
PATIENCE = 3.0
"""Seconds that a part may take to answer; one that hangs is not ready."""
_LONGEST_LAG = 300.0
T = TypeVar("T")
_abandoned: set[asyncio.Task[Any]] = set()


@dataclass(frozen=True)
class Found:
    """What was said: `needed` parts must be ok, `telling` ones need not."""

    needed: Mapping[str, str]
    telling: Mapping[str, str]

    @property
    def is_ready(self) -> bool:
        """Whether requests can be served."""
        return all(said == "ok" for said in self.needed.values())

    @property
    def is_degraded(self) -> bool:
        """Whether something beside is amiss. The safe mode is as it should be."""
        return any(said != "ok" for name, said in self.telling.items() if name != "safe_mode")


async def look(deps: AdminDeps) -> Found:
    """Ask every part at the same time; answers within seconds, whatever hangs."""
    others = {"valkey": deps.valkey.ping(), **{name: probe() for name, probe in deps.probes.items()}}
    asked = asyncio.gather(*(_told(probe) for probe in others.values()))
    needed, telling = await _database(deps.sessions)
    said = dict(zip(others, await asked, strict=True))
    valkey = said.pop("valkey")
    return Found({**needed, **said}, {**telling, "valkey": valkey})


async def _database(sessions: Sessions) -> tuple[dict[str, str], dict[str, str]]:
    try:
        return await _within(_read(sessions))
    except Exception as error:  # noqa: BLE001 - whatever it is, the database cannot be used
        return {"database": f"cannot be used: {type(error).__name__}"}, {}


async def _read(sessions: Sessions) -> tuple[dict[str, str], dict[str, str]]:
    async with sessions() as session:
        version = (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
        if version != HEAD:
            behind = f"is at {version}, this version needs {HEAD}: run siyu migrate"
            return {"database": "ok", "migrations": behind}, {}
        return {"database": "ok", "migrations": "ok"}, await _beside(session)


async def _beside(session: AsyncSession) -> dict[str, str]:
    safe_mode = await recovery.current(session)
    return {
        "events": _late("event", await event_lag.oldest_seconds(session)),
        "inbox": _late("update", await inbox_lag.oldest_seconds(session)),
        "safe_mode": "off" if safe_mode is None else f"on since {safe_mode.started_at:%Y-%m-%d %H:%M} UTC",
    }


def _late(what: str, seconds: float) -> str:
    return "ok" if seconds < _LONGEST_LAG else f"the oldest {what} has waited {seconds:.0f} s: is a worker running?"


async def _told(probe: Awaitable[object]) -> str:
    try:
        await _within(_awaited(probe))
    except Exception as error:  # noqa: BLE001 - a probe may fail in any way; its name and text are the answer
        return str(error) or type(error).__name__
    return "ok"


async def _awaited(probe: Awaitable[object]) -> None:
    await probe


async def _within(work: Coroutine[Any, Any, T]) -> T:
    """Raises TimeoutError after `PATIENCE`. What hangs may hang at its cancellation too: that is not waited for."""
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=PATIENCE)
    if done:
        return task.result()
    task.cancel()
    _abandoned.add(task)
    task.add_done_callback(_forget)
    raise TimeoutError


def _forget(task: asyncio.Task[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()
