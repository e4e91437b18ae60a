"""Members from a CSV file: good rows once, bad rows with their reason, again after a crash."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import cast

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.imports import jobs, running, service
from crm.imports.errors import ImportNotFound, InvalidFile, InvalidMapping
from crm.imports.types import Import, ImportStatus
from crm.members import attributes
from crm.members import service as members
from crm.members.types import MemberQuery
from crm.profiles import service as profiles
from crm.tags import service as tags
from crm.tags.errors import TagArchived
from tests.factories.members import find_members, make_member

HEADER = "姓名,手机号,邮箱,生日,标签,city,cups\n"


@pytest.fixture
async def defined(committed_sessions: Sessions) -> Sessions:
    """Sessions that commit, with two attributes defined."""
    async with committed_sessions.begin() as session:
        await attributes.define(session, "city", label={"en": "City", "zh-CN": "城市"}, type="text", is_personal=True)
        await attributes.define(session, "cups", label={"en": "Cups"}, type="number")
    return committed_sessions


async def _start(sessions: Sessions, content: str | bytes, *, is_dry_run: bool = False) -> Import:
    data = content.encode() if isinstance(content, str) else content
    async with sessions.begin() as session:
        return await service.start(
            session, data, filename="members.csv", by="operator:1", tags_for_all=["from:shop"], is_dry_run=is_dry_run
        )


async def _run(sessions: Sessions, content: str | bytes, *, is_dry_run: bool = False) -> Import:
    started = await _start(sessions, content, is_dry_run=is_dry_run)
    await jobs.import_members.run(sessions, {"import_id": started.id})
    async with sessions() as session:
        return await service.get(session, started.id)


def _counts(found: Import) -> tuple[int, int, int, int]:
    return found.rows_total, found.rows_created, found.rows_updated, found.rows_failed


async def test_good_rows_become_members_and_bad_rows_say_why(defined: Sessions) -> None:
    rows = [
        "李华,138 0013 8000,hua@example.org,1990/1/2,taste:oolong;vip,杭州,3",
        "No phone,12,,,,,",
        "Twice,+8613800138000,,,,,",
        ",,,1990-01-01,,,",
        "Many cups,,,,,,lots",
        "Old,,,1990-02-30,,,",
        "Bad tag,,,,:,,",
        "=1+1,,formula@example.org,,,,",
        "x" * 10_000 + ",,,,,,",
    ]
    done = await _run(defined, HEADER + "\n".join(rows))
    assert (done.status, _counts(done)) == (ImportStatus.FINISHED, (9, 3, 0, 6))
    async with defined() as session:
        found = (await service.problems(session, done.id)).items
        assert [problem.row for problem in found] == [3, 4, 5, 6, 7, 8]
        assert "country code" in found[0].reason
        assert found[1].reason == "the same phone stands in row 2"
        (hua,) = await find_members(session, "13800138000")
        member = await members.get(session, hua)
        assert (member.display_name, member.birthday, member.attributes) == ("李华", date(1990, 1, 2), {"cups": 3})
        assert await members.personal_attributes(session, hua) == {"city": "杭州"}
        assert {tag.tag for tag in await tags.of_member(session, hua)} == {"taste:oolong", "vip", "from:shop"}
        profile = await profiles.get(session, hua)
        assert (len(profile.tag_ids), profile.is_reachable, profile.stage) == (3, False, "lead")
        (formula,) = await find_members(session, "formula@example.org")
        assert (await members.get(session, formula)).display_name == "=1+1"


async def test_known_members_are_updated(defined: Sessions) -> None:
    async with defined.begin() as session:
        known, other = await make_member(session), await make_member(session)
        await members.set_phone(session, known.id, "+8613800138000", is_verified=True)
        await members.set_email(session, other.id, "other@example.org")
    rows = [
        "New name,13800138000,new@example.org,,vip,,5",
        "Clash,13800138000,other@example.org,,,,",
        ",,OTHER@example.org,,,苏州,",
    ]
    done = await _run(defined, HEADER + "\n".join(rows))
    assert _counts(done) == (3, 0, 2, 1)
    async with defined() as session:
        member = await members.get(session, known.id)
        assert (member.display_name, member.attributes, member.is_phone_verified) == ("New name", {"cups": 5}, True)
        assert await members.email(session, known.id) == "new@example.org"
        assert await members.personal_attributes(session, other.id) == {"city": "苏州"}


async def test_the_same_file_is_imported_once(defined: Sessions) -> None:
    content = HEADER + "One,,,,,,\nTwo,,,,,,\n"
    first = await _run(defined, content)
    again = await _run(defined, content)
    assert first == again
    assert await _members(defined) == 2
    other = await _run(defined, content + "Three,,,,,,\n")
    assert other.id != first.id


async def test_a_dry_run_keeps_nothing_but_its_report(defined: Sessions) -> None:
    content = HEADER + "One,13800138000,,,new:tag,,\nBad,1,,,,,\n"
    done = await _run(defined, content, is_dry_run=True)
    assert (done.is_dry_run, _counts(done)) == (True, (2, 1, 0, 1))
    assert await _members(defined) == 0
    async with defined() as session:
        assert await tags.find(session, "new:tag") is None
    real = await _run(defined, content)
    assert (real.is_dry_run, _counts(real)) == (False, (2, 1, 0, 1))


class _KilledError(Exception):
    """Stands for the end of the process."""


class _Dying:
    """Sessions that end the process instead of opening one transaction more."""

    def __init__(self, sessions: Sessions, *, after: int) -> None:
        self._sessions, self._left = sessions, after

    def begin(self) -> AbstractAsyncContextManager[AsyncSession]:
        self._left -= 1
        if self._left < 0:
            raise _KilledError
        return self._sessions.begin()


async def test_it_goes_on_where_a_crash_stopped_it(defined: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHUNK", 10)
    content = HEADER + "".join(f"Name {n},,mail{n}@example.org,,,,{'x' if n % 10 == 9 else n}\n" for n in range(50))
    started = await _start(defined, content)

    with pytest.raises(_KilledError):
        await jobs.import_members.run(cast("Sessions", _Dying(defined, after=3)), {"import_id": started.id})
    assert await _members(defined) == 18
    await asyncio.gather(*(jobs.import_members.run(defined, {"import_id": started.id}) for _ in range(2)))
    async with defined() as session:
        done = await service.get(session, started.id)
        assert (done.status, _counts(done)) == (ImportStatus.FINISHED, (50, 45, 0, 5))
        assert len((await service.problems(session, started.id)).items) == 5
        twice = await session.execute(text("SELECT email_index FROM members GROUP BY 1 HAVING count(*) > 1"))
        assert twice.all() == []
    assert await _members(defined) == 45


async def test_the_file_is_sealed_and_gone_at_the_end(defined: Sessions) -> None:
    started = await _start(defined, HEADER + "Secret name,13800138000,,,,,\n")
    async with defined() as session:
        sealed = (await session.execute(text("SELECT file_sealed FROM imports"))).scalar_one()
        assert b"Secret" not in sealed
    await jobs.import_members.run(defined, {"import_id": started.id})
    async with defined() as session:
        assert (await session.execute(text("SELECT file_sealed FROM imports"))).scalar_one() is None


async def test_a_file_is_looked_at_before(session: AsyncSession) -> None:
    await attributes.define(session, "city", label={"en": "City", "zh-CN": "城市"}, type="text")
    sheet = await service.look_at(session, "Name,城市,Shoe size\nA,B,C\n".encode("gbk"))
    assert (sheet.header, sheet.rows_total) == (["Name", "城市", "Shoe size"], 1)
    assert sheet.mapping == {"Name": "display_name", "城市": "attributes.city"}


@pytest.mark.parametrize(
    "mapping",
    [
        {},
        {"Nope": "display_name"},
        {"Name": "shoe_size"},
        {"Name": "attributes.unheard"},
        {"Name": "phone", "Other": "phone"},
        {"Name": "birthday"},
    ],
)
async def test_a_senseless_mapping_is_refused(session: AsyncSession, mapping: dict[str, str]) -> None:
    with pytest.raises(InvalidMapping):
        await service.start(session, b"Name,Other\nA,B\n", filename="x", by="x", mapping=mapping)
    assert await service.listing(session) == []


async def test_other_senseless_starts_are_refused(session: AsyncSession) -> None:
    old = await tags.create(session, "old")
    await tags.archive(session, old.id)
    with pytest.raises(TagArchived):
        await service.start(session, b"Name\nA\n", filename="x", by="x", tags_for_all=["old"])
    with pytest.raises(InvalidFile):
        await service.start(session, b"", filename="x", by="x")
    with pytest.raises(ImportNotFound):
        await service.problems(session, 2**62)


async def _members(sessions: Sessions) -> int:
    async with sessions() as session:
        return len((await members.page(session, MemberQuery(limit=200))).items)
