"""Operators, API keys and the ledger, from the command line."""

import secrets

from rich.console import Console
from rich.table import Table

from crm.audit import service as audit
from crm.audit.types import AuditEntry
from crm.db.session import Sessions
from crm.operators import api_keys, links, permissions
from crm.operators import service as operators
from crm.operators.permissions import Role
from crm.points import service as points
from runtime.addresses import public_address
from runtime.failures import StartProblem
from runtime.opened import opened

_OUT = Console(highlight=False)
_ACTOR = "cli"


async def create_operator(email: str, name: str, role: str) -> int:
    """Make an operator; prints a one-time password, which is never stored in plain."""
    if role not in set(Role):
        raise StartProblem(f"There is no role {role!r}; use one of {', '.join(Role)}.")
    password = secrets.token_urlsafe(18)
    async with opened("operator create") as container, container.sessions.begin() as session:
        made = await operators.create(session, email=email, name=name, role=Role(role), password=password)
        await audit.record(session, AuditEntry(actor=_ACTOR, action="operator.create", subject=f"operator:{made.id}"))
    _OUT.print(f"Operator {email} ({role}) was made. Password, shown only now: {password}", markup=False)
    return 0


async def reset_password(email: str) -> int:
    """Print a one-time link token with which the operator sets a new password."""
    async with opened("operator reset-password") as container, container.sessions.begin() as session:
        found = await operators.find_by_email(session, email)
        if found is None:
            raise StartProblem(f"There is no operator with the address {email}.")
        issued = await links.issue_password_reset(session, found.id)
        entry = AuditEntry(actor=_ACTOR, action="operator.reset_password", subject=f"operator:{found.id}")
        await audit.record(session, entry)
        base = public_address(container.settings)
    _OUT.print(f"{base}/console/password/{issued.token}", markup=False, soft_wrap=True)
    return 0


async def create_api_key(name: str, scopes: str) -> int:
    """Print a new key, alone, on standard output."""
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    async with opened("api-key create") as container, container.sessions.begin() as session:
        issued = await api_keys.create(session, name=name, scopes=wanted, granting=frozenset(permissions.Permission))
        entry = AuditEntry(actor=_ACTOR, action="api_key.create", subject=f"api_key:{issued.api_key.id}")
        await audit.record(session, entry)
    print(issued.secret)  # noqa: T201 - scripts read it
    return 0


async def verify_ledger() -> int:
    """Re-derive the whole ledger; 0 when it is clean."""
    async with opened("ledger verify") as container:
        return await _verify(container.sessions)


async def _verify(sessions: Sessions) -> int:
    async with sessions.begin() as session:
        report = await points.verify(session)
    table = Table("members", "transactions", "entries", "checkpoints", "result")
    result = "[green]clean[/]" if report.is_clean else f"[red]{len(report.problems)} problems[/]"
    table.add_row(str(report.members), str(report.transactions), str(report.entries), str(report.checkpoints), result)
    _OUT.print(table)
    for problem in report.problems:
        _OUT.print(f"{problem.check}: {problem.subject} {problem.detail}", markup=False)
    return 0 if report.is_clean else 1


async def verify_audit() -> int:
    """Recompute the chain of the audit log; 0 when it is clean."""
    async with opened("audit verify") as container, container.sessions.begin() as session:
        report = await audit.verify(session)
    said = "clean" if report.is_clean else f"broken from entry {report.first_bad_id} on"
    _OUT.print(f"{report.entries} entries: {said}", markup=False)
    return 0 if report.is_clean else 1
