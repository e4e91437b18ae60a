"""The points ledger from the command line: what an account showed at a moment."""

from datetime import datetime

from rich.console import Console
from rich.table import Table

from crm.kit.errors import DomainError
from crm.members import service as members
from crm.points import history
from runtime.failures import StartProblem
from runtime.opened import opened

_OUT = Console(highlight=False)


async def tell_balance(member: int, at: str) -> int:
    """Print balance, debt, pending and held points of a member at `at`, or now when it is empty."""
    moment = _moment(at)
    async with opened("ledger balance") as container, container.sessions() as session:
        try:
            await members.get(session, member)
            found = await history.balance_at(session, member, moment)
        except DomainError as error:
            raise StartProblem(str(error)) from error
    table = Table("member", "at", "balance", "debt", "pending", "held")
    figures = (found.balance, found.debt, found.pending, found.held)
    table.add_row(str(member), found.at.isoformat(), *map(str, figures))
    _OUT.print(table)
    return 0


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise StartProblem(f"{text!r} is no time; give one such as 2026-03-01T08:00:00+08:00.") from wrong
    if moment.tzinfo is None:
        raise StartProblem("Give the time with its offset, such as 2026-03-01T08:00:00+08:00.")
    return moment
