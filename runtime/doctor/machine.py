"""What can be seen without any server: secret, addresses, disk, built files."""

import os
import shutil
from pathlib import Path

import aiohttp

from crm.config.settings import Settings, TelegramMode
from crm.kit.assets import AssetsMissingError, asset_url
from runtime.secret import SecretProblem, open_vault

from .findings import Finding

_FEWEST_CHARACTERS = 10
_LEAST_FREE = 1024**3
_LEAST_SHARE = 0.05
_PATIENCE = aiohttp.ClientTimeout(total=10)


def secret(settings: Settings) -> Finding:
    """There is one, it can be kept, and nobody would guess it."""
    given = settings.secret.key
    kept = settings.data.dir / "secret.key"
    if given is None and not kept.exists() and not os.access(existing(settings.data.dir), os.W_OK):
        return Finding("secret", "SIYU_SECRET_KEY is not set and none can be kept: set it, 32 characters or more.")
    try:
        open_vault(settings)
    except SecretProblem as error:
        return Finding("secret", str(error))
    if given is not None and len(set(given.get_secret_value())) < _FEWEST_CHARACTERS:
        weak = "SIYU_SECRET_KEY is too simple: make one with openssl rand -base64 36, then run siyu secrets rotate."
        return Finding("secret", weak)
    return Finding("secret")


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    found = folder.expanduser().resolve()
    while not found.exists():
        found = found.parent
    return found


def disk(settings: Settings) -> Finding:
    """Room for what the data folder keeps."""
    usage = shutil.disk_usage(existing(settings.data.dir))
    if usage.free >= _LEAST_FREE and usage.free >= usage.total * _LEAST_SHARE:
        return Finding("disk")
    text = f"Only {usage.free // 1024**2} MB are free where SIYU_DATA_DIR lies: make room before PostgreSQL stops."
    return Finding("disk", text, is_fatal=usage.free < _LEAST_FREE // 10)


def public_address(settings: Settings) -> Finding:
    """Set where webhooks need it, and https."""
    url, is_webhook = settings.public.url, settings.telegram.mode is TelegramMode.WEBHOOK
    if url is None and is_webhook:
        text = "SIYU_TELEGRAM_MODE is webhook, but SIYU_PUBLIC_URL is not set: Telegram has no address to call."
        return Finding("public address", text)
    if url is not None and url.scheme != "https":
        text = "SIYU_PUBLIC_URL is not https: the session cookie is not Secure, and Telegram sends no webhooks there."
        return Finding("public address", text, is_fatal=is_webhook)
    return Finding("public address")


async def public_reach(settings: Settings) -> Finding:
    """Whether Siyu answers under its public address, as far as this machine can tell."""
    url = settings.public.url
    if url is None:
        return Finding("public reach")
    address = f"{str(url).rstrip('/')}/livez"
    try:
        async with aiohttp.ClientSession(timeout=_PATIENCE) as client, client.get(address) as answer:
            said = f"status {answer.status}" if answer.status != 200 else None  # noqa: PLR2004 - OK
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        said = type(error).__name__
    if said is None:
        return Finding("public reach")
    text = f"{address} does not answer ({said}): start siyu api, and look at the proxy and the certificate."
    return Finding("public reach", text, is_fatal=settings.telegram.mode is TelegramMode.WEBHOOK)


def assets() -> Finding:
    """The console's scripts and styles were built."""
    try:
        asset_url("console.js")
    except AssetsMissingError as error:
        return Finding("assets", str(error), is_fatal=False)
    return Finding("assets")
