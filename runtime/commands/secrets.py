"""`siyu secrets rotate`: everything sealed anew under the newest key."""

from rich.console import Console
from rich.table import Table

from crm.audit import service as audit
from crm.audit.types import AuditEntry
from crm.db import rotation, sealed
from crm.db.rotation import Rotated
from crm.db.session import Sessions
from crm.points import service as points
from runtime.opened import opened

_OUT = Console(highlight=False)
_MOST_SHOWN = 20


async def rotate() -> int:
    """0 when nothing is left that needs an older key."""
    async with opened("secrets rotate") as container:
        return await rotate_all(container.sessions)


async def rotate_all(sessions: Sessions) -> int:
    """Rotate every column, sign the ledger's checkpoints, say how it went."""
    table = Table("column", "sealed anew", "left")
    found: list[Rotated] = []
    left = 0
    for item in sealed.registry():
        found.append(await rotation.rotate(sessions, item))
        async with sessions() as session:
            remaining = await rotation.count_left(session, item)
        left += remaining
        table.add_row(item.name, str(found[-1].resealed), str(remaining))
    async with sessions.begin() as session:
        await points.sign_checkpoints(session)
        figures = {"resealed": sum(one.resealed for one in found), "left": left}
        await audit.record(session, AuditEntry(actor="cli", action="secrets.rotate", subject="secrets", after=figures))
    _OUT.print(table)
    _say(left, [place for one in found for place in one.broken])
    return 1 if left else 0


def _say(left: int, broken: list[str]) -> None:
    for place in broken[:_MOST_SHOWN]:
        _OUT.print(f"{place} opens with none of the keys in use.", markup=False)
    if broken:
        _OUT.print(f"{len(broken)} values need another key: add it to SIYU_SECRET_OLDER_KEYS and run this again.")
    elif left:
        _OUT.print("A process that still uses an older key wrote meanwhile: restart it and run this again.")
    else:
        _OUT.print("Everything is sealed with the newest key; the older ones are not needed any more.")
