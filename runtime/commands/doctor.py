"""`siyu doctor`: what is misconfigured, and how to mend it."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg
from redis.asyncio import Redis
from rich.console import Console

from admin_api.readiness import HEAD
from crm.config.settings import Settings, TelegramMode
from crm.kit.assets import AssetsMissingError, asset_url
from runtime.failures import explain, read_settings
from runtime.secret import SecretProblem, open_vault
from runtime.servers import Servers, any_servers

_OUT = Console(highlight=False)
_OLDEST_POSTGRES = 150000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `problem` says what to do, None means it is fine."""

    name: str
    problem: str | None
    is_fatal: bool = True


Check = Callable[[Settings, Servers], Awaitable[Finding]]


async def run() -> int:
    """Look at everything; 0 when nothing fatal was found."""
    settings = read_settings()
    findings = [_secret(settings), _public_url(settings), _webhook(settings), _assets()]
    try:
        async with any_servers(settings) as servers:
            findings += [await check(settings, servers) for check in (_database, _schema, _valkey)]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        findings.append(Finding("servers", explain(error) or f"{type(error).__name__}: {error}"))
    for finding in findings:
        mark = (
            "[green]ok[/]  " if finding.problem is None else "[red]bad[/] " if finding.is_fatal else "[yellow]note[/]"
        )
        _OUT.print(f"{mark} {finding.name}", end="  ")
        _OUT.print(finding.problem or "", markup=False)
    return 1 if any(item.problem and item.is_fatal for item in findings) else 0


def _secret(settings: Settings) -> Finding:
    kept = settings.data.dir / "secret.key"
    if settings.secret.key is None and not kept.exists() and not os.access(_existing(settings), os.W_OK):
        return Finding("secret", "SIYU_SECRET_KEY is not set and none can be kept: set it, 32 characters or more.")
    try:
        open_vault(settings)
    except SecretProblem as error:
        return Finding("secret", str(error))
    return Finding("secret", None)


def _existing(settings: Settings) -> str:
    folder = settings.data.dir.expanduser().resolve()
    while not folder.exists():
        folder = folder.parent
    return str(folder)


def _public_url(settings: Settings) -> Finding:
    url = settings.public.url
    problem = None
    if url is not None and url.scheme != "https":
        problem = (
            "SIYU_PUBLIC_URL is not https: the session cookie is not Secure, and Telegram sends no webhooks there."
        )
    return Finding("public address", problem, is_fatal=False)


def _webhook(settings: Settings) -> Finding:
    problem = None
    if settings.telegram.mode is TelegramMode.WEBHOOK and settings.public.url is None:
        problem = "SIYU_TELEGRAM_MODE is webhook, but SIYU_PUBLIC_URL is not set: Telegram has no address to call."
    return Finding("webhook", problem)


def _assets() -> Finding:
    try:
        asset_url("console.js")
    except AssetsMissingError as error:
        return Finding("assets", str(error), is_fatal=False)
    return Finding("assets", None)


async def _database(settings: Settings, servers: Servers) -> Finding:
    del settings
    connection = await asyncpg.connect(servers.database_url, timeout=10)
    try:
        version = int(await connection.fetchval("SHOW server_version_num"))
    finally:
        await connection.close()
    problem = None if version >= _OLDEST_POSTGRES else "PostgreSQL 15 or newer is needed; upgrade the server."
    return Finding("database", problem)


async def _schema(settings: Settings, servers: Servers) -> Finding:
    del settings
    connection = await asyncpg.connect(servers.database_url, timeout=10)
    try:
        there = await connection.fetchval("SELECT to_regclass('alembic_version')")
        version = await connection.fetchval("SELECT version_num FROM alembic_version") if there else None
    finally:
        await connection.close()
    problem = None if version == HEAD else f"The schema is at {version}, this version needs {HEAD}: run siyu migrate."
    return Finding("schema", problem)


async def _valkey(settings: Settings, servers: Servers) -> Finding:
    del settings
    client = Redis.from_url(servers.valkey_url, socket_connect_timeout=2)
    try:
        await client.ping()
    finally:
        await client.aclose()
    return Finding("valkey", None)
