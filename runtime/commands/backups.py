"""`siyu backup`, `siyu backup verify`, `siyu restore` and `siyu resume-sending`."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from crm.audit import service as audit
from crm.audit.types import AuditEntry
from crm.db import clock
from crm.db.session import Surroundings, async_url
from crm.deliveries.restored import resume_sending
from crm.recovery import service as recovery
from runtime.backup.making import make_backup
from runtime.backup.restoring import restore_and_migrate
from runtime.backup.verifying import verify_backup
from runtime.container import make_ports
from runtime.logs import set_up_logs
from runtime.opened import opened
from runtime.secret import is_kept, open_vault
from runtime.servers import any_servers
from runtime.settled import read_settings

_OUT = Console(highlight=False, soft_wrap=True)
_FOLDER = "backups"
_REMINDER = (
    "The file opens only with the secret, which lies in {folder}/secret.key: keep a copy of it elsewhere, "
    "or set SIYU_SECRET_KEY."
)
_NEXT = (
    "Siyu is in safe mode: it answers new messages and sends nothing else. Look at the console, then confirm there "
    "or with siyu resume-sending."
)


async def back_up(to: Path | None) -> int:
    """Write a backup of the whole database to `to`, or to a file named by the time in the data folder."""
    async with opened("backup") as container:
        async with container.sessions() as session:
            now = await clock.now(session)
        folder = container.settings.data.dir.expanduser().resolve()
        target = to or folder / _FOLDER / f"siyu-{now:%Y%m%dT%H%M%SZ}.backup"
        made = await make_backup(container.sessions, container.servers.database_url, container.vault, target)
        async with container.sessions.begin() as session:
            entry = AuditEntry(actor="cli", action="backup.make", subject="database", after={"sha256": made.sha256})
            await audit.record(session, entry)
        _OUT.print(f"{target}: {made.size} bytes, sha256 {made.sha256}", markup=False)
        if is_kept(container.settings):
            _OUT.print(_REMINDER.format(folder=folder), style="yellow", markup=False)
    return 0


async def restore(file: Path) -> int:
    """Bring a backup into the empty database of this deployment."""
    settings = read_settings()
    set_up_logs(settings.log)
    vault = open_vault(settings)
    async with any_servers(settings) as servers:
        found = await restore_and_migrate(file, vault, servers.database_url)
    _OUT.print(f"Restored {sum(found.tables.values())} rows as they were at {found.made_at:%Y-%m-%d %H:%M:%S %Z}.")
    _OUT.print(_NEXT)
    return 0


async def verify(file: Path, into: str | None) -> int:
    """Restore a backup into a throw-away database and look at everything; 0 when nothing is wrong."""
    settings = read_settings()
    set_up_logs(settings.log)
    vault = open_vault(settings)
    if into is not None:
        async_url(into)
    report = await verify_backup(file, vault, Surroundings(vault, make_ports(settings)), into)
    table = Table("made", "schema", "tables", "rows", "result")
    result = "[green]restores[/]" if not report.problems else f"[red]{len(report.problems)} problems[/]"
    made = f"{report.facts.made_at:%Y-%m-%d %H:%M:%S %Z}"
    table.add_row(made, report.facts.revision, str(len(report.facts.tables)), str(report.rows), result)
    _OUT.print(table)
    for problem in report.problems:
        _OUT.print(problem, markup=False)
    return 1 if report.problems else 0


async def hold() -> int:
    """Begin the safe mode of a database that was recovered by other means."""
    async with opened("hold-sending") as container, container.sessions.begin() as session:
        await recovery.start(session)
        await audit.record(session, AuditEntry(actor="cli", action="sending.hold", subject="sending"))
    _OUT.print(_NEXT)
    return 0


async def resume() -> int:
    """End the safe mode after a restore."""
    async with opened("resume-sending") as container, container.sessions.begin() as session:
        held = await resume_sending(session, by="cli")
        entry = AuditEntry(actor="cli", action="sending.resume", subject="sending", after=vars(held))
        await audit.record(session, entry)
    _OUT.print(
        f"Siyu sends again. {held.bulk} messages of broadcasts and {held.replies} answers were under way at the time "
        "of the backup; they are marked as uncertain."
    )
    return 0
