"""Watches: capabilities say what is wrong with their rows now, and alerts open and resolve by it.

A capability declares them in its `watches.py`. What leaves no row behind is raised where it happens instead.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cache

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import service
from crm.alerts.types import AlertKind, Finding
from crm.db.session import Sessions
from crm.kit.discovery import instances, modules_named

Find = Callable[[AsyncSession, frozenset[str]], Awaitable[list[Finding]]]
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Watch:
    """Finds everything that is wrong now; is given the subjects that are open, for what ends later than it begins.

    `subjects` bounds what the watch answers for, where several share a kind; None: all of the kind.
    """

    kind: AlertKind
    find: Find
    subjects: frozenset[str] | None = None


def watch(kind: AlertKind, *subjects: str) -> Callable[[Find], Watch]:
    """Declare a watch: `@watch(AlertKind.DEAD_LETTERS, "updates")`."""
    return lambda find: Watch(kind, find, frozenset(subjects) or None)


@cache
def discover() -> tuple[Watch, ...]:
    """What all capabilities declared."""
    return tuple(item for module in modules_named("crm", "watches") for item in instances(module, Watch))


async def look(sessions: Sessions, watches: Iterable[Watch]) -> None:
    """Let each watch look in a transaction of its own; one that fails does not keep the others from it."""
    for item in watches:
        try:
            async with sessions.begin() as session:
                await apply(session, item)
        except Exception as error:  # noqa: BLE001 - a watch may fail in any way; the others must go on
            log.warning("watch_failed", kind=item.kind.value, error=type(error).__name__)


async def apply(session: AsyncSession, item: Watch) -> None:
    """Open what the watch finds, resolve what it finds no longer."""
    known = await service.open_subjects(session, item.kind)
    mine = known if item.subjects is None else known & item.subjects
    found = await item.find(session, mine)
    for finding in found:
        await service.raise_alert(session, item.kind, finding.subject, finding.detail)
    for subject in sorted(mine - {finding.subject[: service.MAX_SUBJECT] for finding in found}):
        await service.resolve(session, item.kind, subject)
