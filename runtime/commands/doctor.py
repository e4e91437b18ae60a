"""`siyu doctor`: what is misconfigured, and how to mend it."""

from collections.abc import Awaitable, Sequence

from rich.console import Console

from bot.channels.contract import ChannelContext
from crm.config.settings import Settings
from runtime.channels import discover_channels
from runtime.container import open_container
from runtime.doctor import channels, database, house, machine, valkey
from runtime.doctor.findings import Finding
from runtime.endpoints import Servers
from runtime.failures import explain
from runtime.logs import set_up_logs
from runtime.servers import any_servers
from runtime.settled import read_settings

_OUT = Console(highlight=False, soft_wrap=True)


async def run() -> int:
    """Look at everything; 0 when nothing fatal was found."""
    settings = read_settings()
    set_up_logs(settings.log.model_copy(update={"level": "ERROR"}))
    findings = await examine(settings)
    for finding in findings:
        _show(finding)
    return 1 if any(item.is_bad for item in findings) else 0


def _show(finding: Finding) -> None:
    fine, note, bad = "[green]ok[/]  ", "[yellow]note[/]", "[red]bad[/] "
    _OUT.print(fine if finding.problem is None else bad if finding.is_fatal else note, end=" ")
    _OUT.print(f"{finding.name}: {finding.problem}" if finding.problem else finding.name, markup=False)


async def examine(settings: Settings) -> list[Finding]:
    """Every check, as far as what it needs is there."""
    findings = [machine.secret(settings), machine.disk(settings), machine.public_address(settings), machine.assets()]
    findings.append(await machine.public_reach(settings))
    if findings[0].is_bad:
        return findings
    return findings + await _tried("servers", _with_servers(settings))


async def _with_servers(settings: Settings) -> list[Finding]:
    async with any_servers(settings) as servers:
        found = await _tried("database", database.look(settings, servers.database_url))
        found += await _tried("valkey", valkey.look(servers.valkey_url))
        if not any(item.is_bad for item in found if item.name in {"database", "schema"}):
            found += await _tried("house", _within(settings, servers))
        return found


async def _within(settings: Settings, servers: Servers) -> list[Finding]:
    async with open_container(settings, servers, application="doctor") as container:
        async with container.sessions() as session:
            found = await house.look(session)
        context = ChannelContext(settings, container.sessions, container.valkey)
        return found + await _tried("bots", channels.look(discover_channels(), context))


async def _tried(name: str, looking: Awaitable[Sequence[Finding]]) -> list[Finding]:
    """What was found; whatever keeps from looking is a finding too."""
    try:
        return list(await looking)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return [Finding(name, explain(error) or f"It cannot be looked at: {type(error).__name__}: {error}")]
