"""Signs of life of processes, and the alert when a part that every deployment needs has none."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import service
from crm.alerts.models import ProcessBeatRow
from crm.alerts.types import AlertKind

BEAT_SECONDS = 10.0
SILENCE = timedelta(seconds=60)
NEEDED = ("scheduler", "sender", "worker")
_BEAT = text("""
INSERT INTO process_beats (instance, roles, started_at, beaten_at)
VALUES (:instance, :roles, clock_timestamp(), clock_timestamp())
ON CONFLICT (instance) DO UPDATE SET beaten_at = clock_timestamp()
""")
_SILENT = text("""
SELECT needed.role FROM unnest(CAST(:needed AS text[])) AS needed (role)
WHERE NOT EXISTS (
    SELECT FROM process_beats WHERE needed.role = ANY (roles)
    AND beaten_at > clock_timestamp() - CAST(:silence AS interval)
) AND EXISTS (
    SELECT FROM process_beats WHERE started_at < clock_timestamp() - CAST(:silence AS interval)
    AND beaten_at > clock_timestamp() - CAST(:silence AS interval)
)
""")
_FORGET = text("DELETE FROM process_beats WHERE beaten_at < clock_timestamp() - interval '1 hour'")


async def beat(session: AsyncSession, instance: UUID, roles: Sequence[str]) -> None:
    """This process lives, in these roles (`api`, `poller`, `scheduler`, `sender`, `worker`)."""
    await session.execute(_BEAT, {"instance": instance, "roles": list(roles)})


async def leave(session: AsyncSession, instance: UUID) -> None:
    """This process ends in order."""
    await session.execute(delete(ProcessBeatRow).where(ProcessBeatRow.instance == instance))


async def running(session: AsyncSession) -> list[tuple[UUID, tuple[str, ...]]]:
    """Every process that gave a sign of life, with its roles."""
    rows = await session.scalars(select(ProcessBeatRow).order_by(ProcessBeatRow.started_at))
    return [(row.instance, tuple(row.roles)) for row in rows]


async def judge(session: AsyncSession, *, silence: timedelta = SILENCE) -> list[str]:
    """Open or resolve the alert of each needed role; answers those that are silent.

    Nobody is judged before some process has run for as long as the silence that counts. Every process judges, because
    the silent one cannot.
    """
    found = await session.scalars(_SILENT, {"needed": list(NEEDED), "silence": silence})
    silent = sorted(found)
    for role in silent:
        detail = f"No siyu {role} gave a sign of life for {silence.total_seconds():.0f} seconds; start one."
        await service.raise_alert(session, AlertKind.PROCESS_SILENT, role, detail)
    await service.settle(session, AlertKind.PROCESS_SILENT, silent)
    await session.execute(_FORGET)
    return silent
