"""What the doctor reads in the database of a deployment."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import beats
from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.bots import service as bots
from crm.brand import service as brands
from crm.db import clock
from crm.db.session import Surroundings
from crm.kit.crypto import Vault
from crm.messages import service as messages
from crm.recovery import service as recovery
from crm.recovery.types import Backup
from runtime.doctor import house
from runtime.doctor.findings import Finding
from tests.conftest import At
from tests.factories.campaigns import content
from tests.factories.recovery import enter_safe_mode

ALL = ("api", "poller", "scheduler", "sender", "worker")


async def _look(session: AsyncSession) -> dict[str, Finding]:
    return {item.name: item for item in await house.look(session)}


async def test_a_fresh_house(session: AsyncSession) -> None:
    problems = {name: item for name, item in (await _look(session)).items() if item.problem}
    assert set(problems) == {"processes", "backup"}
    assert not any(item.is_bad for item in problems.values())
    assert problems["processes"].problem == "Nothing of Siyu runs on this database: start siyu up."


async def test_a_secret_that_did_not_seal_the_data(session: AsyncSession, surroundings: Surroundings) -> None:
    await bots.add(session, channel="telegram", name="Tea", token="123456789:" + "A" * 35)
    assert (await _look(session))["sealed data"].problem is None
    other = Surroundings(Vault(b"quite another secret of someone, 32+"), surroundings.ports)
    session.info["siyu"] = other
    try:
        found = (await _look(session))["sealed data"]
    finally:
        session.info["siyu"] = surroundings
    assert found.is_bad
    assert "SIYU_SECRET_OLDER_KEYS" in (found.problem or "")


async def test_processes_that_give_no_sign_of_life(session: AsyncSession) -> None:
    await beats.beat(session, uuid4(), ("api", "poller"))
    found = (await _look(session))["processes"]
    assert found.problem == "No sign of life of siyu scheduler, siyu sender, siyu worker: start what is missing."
    await beats.beat(session, uuid4(), ALL)
    assert (await _look(session))["processes"].problem is None


async def test_another_poller(session: AsyncSession) -> None:
    await alerts.raise_alert(session, AlertKind.SECOND_POLLER, "1", "409")
    found = (await _look(session))["other pollers"]
    assert found.is_bad
    assert "stop it, or get a new token" in (found.problem or "")


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
async def test_a_time_zone_that_is_not_known(session: AsyncSession, name: str) -> None:
    await brands.change(session, name="Tea")
    await session.execute(text("UPDATE brand SET time_zone = :name"), {"name": name})
    assert (await _look(session))["time zone"].is_bad


async def test_texts_that_cannot_be_shown(session: AsyncSession) -> None:
    made = await messages.create_template(session, "Spring", content())
    await session.execute(
        text(
            "UPDATE message_templates SET content = jsonb_set(content, '{text,en}', '\"{{ nobody.knows }}\"')"
            " WHERE id = :id"
        ),
        {"id": made.id},
    )
    found = (await _look(session))["texts"]
    assert "Spring" in (found.problem or "")
    assert found.is_fatal is False


async def test_an_old_backup(session: AsyncSession, at: At) -> None:
    now = await clock.now(session)
    await recovery.note_backup(session, Backup(now, "a.backup", 1, "00"))
    assert (await _look(session))["backup"].problem is None
    await at(session, (now + timedelta(days=9)).isoformat())
    assert "9 days old" in ((await _look(session))["backup"].problem or "")


async def test_the_safe_mode(session: AsyncSession) -> None:
    await enter_safe_mode(session)
    assert "siyu resume-sending" in ((await _look(session))["safe mode"].problem or "")
