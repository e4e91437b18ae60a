"""What the database says of the house: secret, processes, texts, time zone, backups, safe mode."""

from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import beats
from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.brand import service as brands
from crm.db import clock, sealed
from crm.db.session import vault
from crm.messages import service as messages
from crm.messages.errors import TemplateProblemsError
from crm.recovery import service as recovery

from .findings import Finding

_SAMPLE = 20
_RUNNING = ("api", "poller", *beats.NEEDED)
_OLDEST_BACKUP = timedelta(days=2)


async def look(session: AsyncSession) -> list[Finding]:
    """Every check that needs the schema."""
    return [
        await _sealed(session),
        await _processes(session),
        await _second_poller(session),
        await _time_zone(session),
        await _templates(session),
        await _backup(session),
        await _safe_mode(session),
    ]


async def _sealed(session: AsyncSession) -> Finding:
    """A few values of each sealed column: a secret that was replaced without its predecessor opens none."""
    for item in sealed.registry():
        column = item.table.c[item.column]
        values = await session.scalars(select(column).where(column.is_not(None)).limit(_SAMPLE))
        if not all(vault(session).knows(value) for value in values):
            text = (
                f"{item.name} holds what another secret sealed: set SIYU_SECRET_KEY to the one of then, "
                "or name it in SIYU_SECRET_OLDER_KEYS and run siyu secrets rotate."
            )
            return Finding("sealed data", text)
    return Finding("sealed data")


async def _processes(session: AsyncSession) -> Finding:
    there = {role for _, roles in await beats.running(session) for role in roles}
    missing = [role for role in _RUNNING if role not in there]
    if not missing:
        return Finding("processes")
    if len(missing) == len(_RUNNING):
        return Finding("processes", "Nothing of Siyu runs on this database: start siyu up.", is_fatal=False)
    text = f"No sign of life of {', '.join(f'siyu {role}' for role in missing)}: start what is missing."
    return Finding("processes", text, is_fatal=False)


async def _second_poller(session: AsyncSession) -> Finding:
    if not (await alerts.open_by_kind(session)).get(AlertKind.SECOND_POLLER):
        return Finding("other pollers")
    text = (
        "Another program fetches the updates of a bot (Telegram said 409): stop it, or get a new token from @BotFather."
    )
    return Finding("other pollers", text)


async def _time_zone(session: AsyncSession) -> Finding:
    name = (await brands.get(session)).time_zone
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f"The brand's time zone {name} is not known here: choose another one, or install the package tzdata."
        return Finding("time zone", text)
    return Finding("time zone")


async def _templates(session: AsyncSession) -> Finding:
    broken = []
    for template in await messages.list_templates(session):
        try:
            await messages.checked(session, template.content)
        except TemplateProblemsError:
            broken.append(template.name)
    if (await alerts.open_by_kind(session)).get(AlertKind.FLOW_TEXT_BROKEN):
        broken.append("a wording of a conversation")
    if not broken:
        return Finding("texts")
    text = f"Cannot be shown as they stand: {', '.join(broken[:5])}. Open and save them in the console."
    return Finding("texts", text, is_fatal=False)


async def _backup(session: AsyncSession) -> Finding:
    last = await recovery.last_backup(session)
    if last is None:
        return Finding("backup", "There is no backup: run siyu backup every night.", is_fatal=False)
    age = await clock.now(session) - last.made_at
    if age <= _OLDEST_BACKUP:
        return Finding("backup")
    return Finding("backup", f"The last backup is {age.days} days old: run siyu backup every night.", is_fatal=False)


async def _safe_mode(session: AsyncSession) -> Finding:
    if not await recovery.is_on(session):
        return Finding("safe mode")
    text = "Siyu is in safe mode after a restore and sends nothing: look around, then run siyu resume-sending."
    return Finding("safe mode", text, is_fatal=False)
