"""The tree of commands of `siyu`."""

from pathlib import Path
from typing import Annotated

import typer

from crm.kit.parts import load_part
from runtime.failures import run
from runtime.lean import SENDER, start

app = typer.Typer(
    name="siyu",
    help="A CRM that lives in chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
operator = typer.Typer(help="The staff.", no_args_is_help=True)
api_key = typer.Typer(help="Keys for the API.", no_args_is_help=True)
ledger = typer.Typer(help="The points ledger.", no_args_is_help=True)
audit = typer.Typer(help="The audit log.", no_args_is_help=True)
secrets = typer.Typer(help="The key that seals personal data.", no_args_is_help=True)
demo_data = typer.Typer(help="The demo brand's data.", no_args_is_help=True)
backup = typer.Typer(help="Write a backup of the whole database.", invoke_without_command=True)
dead_letters = typer.Typer(help="What was tried and given up.", no_args_is_help=True)
app.add_typer(operator, name="operator")
app.add_typer(api_key, name="api-key")
app.add_typer(ledger, name="ledger")
app.add_typer(audit, name="audit")
app.add_typer(secrets, name="secrets")
app.add_typer(demo_data, name="demo-data")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(backup, name="backup")


def _go(path: str, *arguments: object) -> None:
    """Load the command's own module only now: a sender must not load what only the console needs."""
    run(load_part(path)(*arguments))


@app.command()
def up(*, demo: Annotated[bool, typer.Option("--demo", help="Fill a plausible tea shop.")] = False) -> None:
    """Run everything in one process, on embedded servers where no addresses are set."""
    _go("runtime.processes.up:serve", demo)


@app.command()
def api() -> None:
    """Serve the admin API, the console, the web chat and webhooks."""
    _go("runtime.processes.api:serve")


@app.command()
def worker() -> None:
    """Work on jobs, hand on events, and handle updates that another process left."""
    _go("runtime.processes.worker:serve")


@app.command()
def sender() -> None:
    """Send broadcasts. Start any number of them."""
    start(SENDER)


@app.command()
def scheduler() -> None:
    """Say when to look for what is due. One is enough; more are harmless."""
    _go("runtime.processes.scheduler:serve")


@app.command()
def poller() -> None:
    """Fetch updates for bots without a webhook."""
    _go("runtime.processes.poller:serve")


@app.command()
def migrate() -> None:
    """Bring the database to this version."""
    _go("runtime.commands.migrating:run")


@app.command()
def demo() -> None:
    """Play a member's and an operator's day on a throw-away Siyu, and verify every step."""
    _go("runtime.commands.demo:run")


@app.command()
def doctor() -> None:
    """Look for what is misconfigured and say how to mend it."""
    _go("runtime.commands.doctor:run")


@backup.callback()
def backup_make(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option(help="The file; absent: named by the time, in the data folder.")] = None,
) -> None:
    """Write a sealed backup of the whole database; siyu may go on running."""
    if context.invoked_subcommand is None:
        _go("runtime.commands.backups:back_up", to)


@backup.command("verify")
def backup_verify(
    file: Path,
    into: Annotated[str | None, typer.Option(help="Address of an empty database that keeps what is restored.")] = None,
) -> None:
    """Restore a backup into a throw-away database, verify its ledger and audit log, compare every count."""
    _go("runtime.commands.backups:verify", file, into)


@app.command()
def restore(file: Path) -> None:
    """Restore a backup into an empty database. Siyu sends nothing afterwards until that is confirmed."""
    _go("runtime.commands.backups:restore", file)


@app.command("hold-sending")
def hold_sending() -> None:
    """Begin the safe mode, for a database that was recovered by other means than siyu restore."""
    _go("runtime.commands.backups:hold")


@app.command("resume-sending")
def resume_sending() -> None:
    """End the safe mode after a restore: what waits is sent, what was under way at the backup is not."""
    _go("runtime.commands.backups:resume")


@operator.command("create")
def operator_create(
    email: Annotated[str, typer.Option(prompt=True)],
    name: Annotated[str, typer.Option(prompt=True)],
    role: Annotated[str, typer.Option(help="owner, admin, marketer, approver, agent, analyst or auditor")] = "owner",
) -> None:
    """Make an operator with a random password, shown once."""
    _go("runtime.commands.administration:create_operator", email, name, role)


@operator.command("reset-password")
def operator_reset_password(email: Annotated[str, typer.Option(prompt=True)]) -> None:
    """Print a one-time link with which the operator sets a new password."""
    _go("runtime.commands.administration:reset_password", email)


@api_key.command("create")
def api_key_create(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scopes: Annotated[str, typer.Option(help="Comma-separated permissions, or * for all.")],
) -> None:
    """Print a new key, alone, on standard output."""
    _go("runtime.commands.administration:create_api_key", name, scopes)


@ledger.command("verify")
def ledger_verify() -> None:
    """Re-derive every balance and recompute every chain; status 1 when something does not agree."""
    _go("runtime.commands.administration:verify_ledger")


@ledger.command("balance")
def ledger_balance(
    member: Annotated[int, typer.Option(help="The member's number.")],
    at: Annotated[str, typer.Option(help="A moment such as 2026-03-01T08:00:00+08:00; left out: now.")] = "",
) -> None:
    """Tell what a member's account showed at a moment, from the ledger's entries."""
    _go("runtime.commands.ledger:tell_balance", member, at)


@audit.command("verify")
def audit_verify() -> None:
    """Recompute the chain of the audit log; status 1 when it is broken."""
    _go("runtime.commands.administration:verify_audit")


@secrets.command("rotate")
def secrets_rotate() -> None:
    """Seal everything anew with SIYU_SECRET_KEY; SIYU_SECRET_OLDER_KEYS opens it. May be interrupted and repeated."""
    _go("runtime.commands.secrets:rotate")


@demo_data.command("remove")
def demo_data_remove() -> None:
    """Remove the demo brand's members and everything that hangs on them."""
    _go("runtime.demo_data.removing:run")


@dead_letters.command("list")
def dead_letters_list(
    kind: Annotated[str | None, typer.Argument(help="updates, handoffs, jobs ...; absent: how many of each.")] = None,
) -> None:
    """Show what was given up: key, tries, when, what, why."""
    _go("runtime.commands.dead_letters:show", kind)


@dead_letters.command("replay")
def dead_letters_replay(
    kind: str, key: Annotated[str | None, typer.Argument(help="One of the list; absent: all of the kind.")] = None
) -> None:
    """Try again what was given up; each has its effect once."""
    _go("runtime.commands.dead_letters:replay", kind, key)


@dead_letters.command("drop")
def dead_letters_drop(kind: str, key: str) -> None:
    """Discard one for good."""
    _go("runtime.commands.dead_letters:drop", kind, key)
