"""A backup of a shop that lives: it restores into an empty database completely or not at all, and sends nothing."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from crm.audit import service as audit
from crm.audit.types import AuditEntry
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from crm.deliveries import restored
from crm.deliveries.sending import send_due
from crm.deliveries.testing import FakeSender
from crm.jobs import service as jobs
from crm.kit.crypto import Vault
from crm.points import service as points
from crm.recovery import service as recovery
from crm.recovery.types import Backup
from runtime.backup import facts, making, restoring, verifying
from runtime.backup.errors import BackupDamaged, BackupProblem
from runtime.backup.tools import Tools, address_without_password, environment, find_tools
from runtime.migrate import MIGRATION_LOCK, migrate
from tests.conftest import Servers
from tests.factories.deliveries import desk, launch
from tests.factories.members import make_contact
from tests.factories.points import give


@dataclass(frozen=True)
class Shop:
    """A database to be backed up, and what a deployment knows of it."""

    sessions: Sessions
    url: str
    vault: Vault
    surroundings: Surroundings

    async def back_up(self, target: Path) -> Path:
        """Its backup."""
        await making.make_backup(self.sessions, self.url, self.vault, target)
        return target


@pytest.fixture
async def shop(committed_sessions: Sessions, committed_url: str, vault: Vault, surroundings: Surroundings) -> Shop:
    """A few members with points, a broadcast that waits, a queued job and entries of the audit log."""
    await launch(committed_sessions, 4)
    async with committed_sessions.begin() as session:
        contact = await make_contact(session, display_name="Wang Xiaoming")
        await give(session, contact.member.id, 30)
        await jobs.enqueue(session, "imports.members", {"import_id": 1})
        await audit.record(session, AuditEntry(actor="cli", action="test", subject="x"))
    return Shop(committed_sessions, committed_url, vault, surroundings)


@pytest.fixture
async def backup(shop: Shop, tmp_path: Path) -> Path:
    """The shop's backup."""
    return await shop.back_up(tmp_path / "kept" / "shop.backup")


@pytest.fixture
async def empty_url(servers: Servers) -> AsyncIterator[str]:
    """An empty database."""
    name = f"restored_{secrets.token_hex(4)}"
    yield await servers.new_database(name)
    await servers.drop_database(name)


async def _is_untouched(url: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return not await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()


async def test_the_shop_is_there_again_and_sends_nothing_until_confirmed(
    shop: Shop, backup: Path, empty_url: str
) -> None:
    found = await restoring.restore_and_migrate(backup, shop.vault, empty_url)
    assert found.tables["public.members"] == 5
    assert found.tables["pgqueuer.pgqueuer"] >= 1
    engine = make_engine(empty_url, pool_size=5)
    sessions = make_sessions(engine, shop.surroundings)
    try:
        async with shop.sessions() as ours, sessions() as theirs:
            before, after = await facts.count_tables(ours), await facts.count_tables(theirs)
            assert await facts.heads(ours) == await facts.heads(theirs)
        assert {**before, "public.safe_mode": 1, "public.backups": 0} == after
        sender = FakeSender()
        await send_due(desk(sessions, sender))
        assert sender.sent == []
        async with sessions.begin() as session:
            safe_mode = await recovery.current(session)
            assert safe_mode is not None
            assert safe_mode.backup_made_at == found.made_at
            assert (await points.verify(session)).is_clean
            assert (await audit.verify(session)).is_clean
            assert (await restored.resume_sending(session, by="test")).bulk == 4
            await session.execute(text("UPDATE delivery_chunks SET is_done = is_done"))
        await launch(sessions, 0)
    finally:
        await engine.dispose()


async def test_a_backup_is_verified_on_a_server_of_its_own(shop: Shop, backup: Path) -> None:
    report = await verifying.verify_backup(backup, shop.vault, shop.surroundings)
    assert report.problems == ()
    assert report.rows > 20


async def test_what_differs_from_the_manifest_is_named(
    shop: Shop, tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = facts.gather

    async def lying(session: object) -> facts.Facts:
        found = await real(session)  # type: ignore[arg-type] # the session of the backup
        return replace(found, tables={**found.tables, "public.members": 77}, heads=facts.Heads("00", "1:00"))

    monkeypatch.setattr(facts, "gather", lying)
    target = tmp_path / "lying.backup"
    await shop.back_up(target)
    report = await verifying.verify_backup(target, shop.vault, shop.surroundings, empty_url)
    assert report.problems[0] == "public.members: 5 rows instead of 77"
    assert [problem.partition("'")[0] for problem in report.problems[1:]] == ["the ledger", "the audit log"]


async def test_a_broken_ledger_does_not_verify(shop: Shop, tmp_path: Path, empty_url: str) -> None:
    async with shop.sessions.begin() as session:
        await session.execute(text("UPDATE point_accounts SET balance = balance + 1"))
    target = tmp_path / "broken.backup"
    await shop.back_up(target)
    report = await verifying.verify_backup(target, shop.vault, shop.surroundings, empty_url)
    assert report.problems
    assert all(problem.startswith("ledger, ") for problem in report.problems)


async def test_only_an_empty_database_is_filled(shop: Shop, backup: Path, empty_url: str) -> None:
    connection = await asyncpg.connect(empty_url)
    await connection.execute("CREATE TABLE mine (id int)")
    with pytest.raises(BackupProblem, match="not empty, and a restore never overwrites"):
        await restoring.restore(backup, shop.vault, empty_url)
    await connection.execute("DROP TABLE mine")
    await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
    with pytest.raises(BackupProblem, match="Another Siyu"):
        await restoring.restore(backup, shop.vault, empty_url)
    await connection.close()
    assert await _is_untouched(empty_url)


async def test_a_bad_file_changes_nothing(shop: Shop, backup: Path, empty_url: str, tmp_path: Path) -> None:
    data = backup.read_bytes()
    cut, changed = tmp_path / "cut", tmp_path / "changed"
    cut.write_bytes(data[: len(data) // 2])
    changed.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    for file in (cut, changed):
        with pytest.raises(BackupDamaged, match="use another copy"):
            await restoring.restore(file, shop.vault, empty_url)
    with pytest.raises(BackupProblem, match="another secret"):
        await restoring.restore(backup, Vault(b"quite another secret of someone, 32+"), empty_url)
    with pytest.raises(BackupProblem, match="cannot be read"):
        await restoring.restore(tmp_path / "absent", shop.vault, empty_url)
    assert await _is_untouched(empty_url)


async def test_a_file_that_breaks_while_it_is_restored_leaves_nothing(
    shop: Shop, backup: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first reading found nothing wrong; the disk fails during the second."""
    found = restoring.inspect(backup, shop.vault)
    monkeypatch.setattr(restoring, "inspect", lambda *_: found)
    backup.write_bytes(backup.read_bytes()[:-100])
    with pytest.raises(BackupDamaged):
        await restoring.restore(backup, shop.vault, empty_url)
    assert await _is_untouched(empty_url)


async def test_what_postgresql_refuses_leaves_nothing(
    shop: Shop, backup: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "start_script", lambda _: "SELECT no_such_thing;")
    with pytest.raises(BackupProblem, match=r"nothing was kept.*no_such_thing"):
        await restoring.restore(backup, shop.vault, empty_url)
    assert await _is_untouched(empty_url)


async def test_a_newer_version_is_refused_and_an_older_one_brought_up(
    shop: Shop, backup: Path, empty_url: str, servers: Servers, tmp_path: Path
) -> None:
    found = restoring.inspect(backup, shop.vault)
    restoring.check_revision(found)
    with pytest.raises(BackupProblem, match="newer than this one"):
        restoring.check_revision(replace(found, revision="r9999", version="9.0"))
    older_url = await servers.new_database(f"older_{secrets.token_hex(4)}")
    await migrate(older_url, recovery.REVISION)
    engine = make_engine(older_url, pool_size=2)
    older = tmp_path / "older.backup"
    await making.make_backup(make_sessions(engine, shop.surroundings), older_url, shop.vault, older)
    await engine.dispose()
    assert (await restoring.restore_and_migrate(older, shop.vault, empty_url)).revision == recovery.REVISION
    connection = await asyncpg.connect(empty_url)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == found.revision
    assert await connection.fetchval("SELECT count(*) FROM safe_mode WHERE ended_at IS NULL") == 1
    await connection.close()


async def test_a_backup_is_private_remembered_and_never_replaces_a_file(shop: Shop, backup: Path) -> None:
    assert backup.stat().st_mode & 0o077 == 0
    assert b"Wang Xiaoming" not in backup.read_bytes()
    async with shop.sessions() as session:
        known = await recovery.last_backup(session)
    assert known is not None
    assert known == Backup(known.made_at, "shop.backup", backup.stat().st_size, known.sha256)
    with pytest.raises(BackupProblem, match="exists already"):
        await making.make_backup(shop.sessions, shop.url, shop.vault, backup)
    assert [item.name for item in backup.parent.iterdir()] == ["shop.backup"]


async def test_a_dump_that_fails_leaves_no_file(shop: Shop, tmp_path: Path) -> None:
    wrong = shop.url.replace("/committed", "/no_such_database")
    with pytest.raises(BackupProblem, match="pg_dump could not read the database"):
        await making.make_backup(shop.sessions, wrong, shop.vault, tmp_path / "failed.backup")
    assert list(tmp_path.iterdir()) == []


async def test_changes_during_a_backup_are_not_in_it(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = find_tools

    def meddling(major: int) -> Tools:
        asyncio.run_coroutine_threadsafe(_add_member(shop.sessions), loop).result(30)
        return real(major)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(making, "find_tools", meddling)
    target = tmp_path / "one moment.backup"
    await shop.back_up(target)
    assert restoring.inspect(target, shop.vault).tables["public.members"] == 5


async def _add_member(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await make_contact(session)


def test_passwords_stay_out_of_arguments() -> None:
    url = "postgresql+asyncpg://siyu:p%40ss@db.example:5433/siyu?sslmode=require"
    assert address_without_password(url) == "postgresql://siyu@db.example:5433/siyu?sslmode=require"
    assert environment(url)["PGPASSWORD"] == "p@ss"
    assert not any(name.startswith("SIYU_") for name in environment(url))


def test_programs_are_never_older_than_the_server() -> None:
    assert find_tools(15).major >= 15
    with pytest.raises(BackupProblem, match="install the client programs of PostgreSQL 99"):
        find_tools(99)
