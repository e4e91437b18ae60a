"""`siyu dead-letters`: what was given up, from the command line. Contents are shown in the console alone."""

from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncSession

from crm.audit import service as audit
from crm.audit.types import AuditEntry
from crm.db.session import Sessions
from crm.jobs import dead
from runtime.opened import opened

_OUT = Console(highlight=False, soft_wrap=True)
_SHOWN = 100


async def show(box: str | None) -> int:
    """Every kind with its number, or the newest of one kind."""
    async with opened("dead-letters list") as container:
        await show_all(container.sessions) if box is None else await show_box(container.sessions, box)
    return 0


async def show_all(sessions: Sessions) -> None:
    """Kinds and numbers."""
    table = Table("kind", "waiting")
    async with sessions() as session:
        for name, box in dead.boxes().items():
            table.add_row(name, str(await box.count(session)))
    _OUT.print(table)


async def show_box(sessions: Sessions, name: str) -> None:
    """One line per dead letter, fit for scripts: key, tries, time of death, what, why. Raises UnknownBox."""
    box = dead.box(name)
    async with sessions() as session:
        for letter in await box.listing(session, limit=_SHOWN):
            facts = (letter.key, str(letter.tries), letter.died_at.isoformat(), letter.title, letter.reason)
            print("\t".join(facts))  # noqa: T201 - scripts read it


async def replay(box: str, key: str | None) -> int:
    """Have one, or all of a kind, tried again."""
    async with opened("dead-letters replay") as container, container.sessions.begin() as session:
        number = await replay_some(session, box, key)
    _OUT.print(f"{number} will be tried again.")
    return 0


async def replay_some(session: AsyncSession, name: str, key: str | None) -> int:
    """Replay and note it in the audit log; answers how many. Raises UnknownBox, DeadLetterNotFound."""
    box = dead.box(name)
    if key is None:
        number = await dead.replay_all(session, box)
    else:
        await box.replay(session, key)
        number = 1
    await _note(session, "dead_letter.replay", name, {"key": key, "replayed": number})
    return number


async def drop(box: str, key: str) -> int:
    """Never try it again."""
    async with opened("dead-letters drop") as container, container.sessions.begin() as session:
        await drop_one(session, box, key)
    _OUT.print("It is discarded.")
    return 0


async def drop_one(session: AsyncSession, name: str, key: str) -> None:
    """Discard and note it in the audit log. Raises UnknownBox, DeadLetterNotFound."""
    await dead.box(name).discard(session, key)
    await _note(session, "dead_letter.discard", name, {"key": key})


async def _note(session: AsyncSession, action: str, box: str, after: dict[str, object]) -> None:
    await audit.record(session, AuditEntry(actor="cli", action=action, subject=f"dead_letters:{box}", after=after))
