"""Members as CSV: complete, masked unless asked otherwise, harmless in a spreadsheet."""

import csv
from io import StringIO

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.imports import export, table
from crm.kit import spreadsheets
from crm.members import attributes, service
from crm.members.types import MemberChanges, MemberQuery
from crm.tags import service as tags
from tests.factories.bots import make_bot
from tests.factories.members import make_member


async def _read(session: AsyncSession, *, with_personal: bool) -> list[dict[str, str]]:
    lines = [part async for part in export.members_csv(session, MemberQuery(), with_personal=with_personal)]
    whole = "".join(lines)
    assert whole.startswith(spreadsheets.BOM)
    return list(csv.DictReader(StringIO(whole.removeprefix(spreadsheets.BOM), newline="")))


@pytest.mark.parametrize("prefix", ["=", "+", "-", "@", "＝", "＠"])
async def test_formulas_are_made_harmless(session: AsyncSession, prefix: str) -> None:
    evil = f'{prefix}HYPERLINK("http://x","y")'
    await make_member(session, display_name=evil)
    (row,) = await _read(session, with_personal=False)
    assert row["display_name"] == f"'{evil}"


@pytest.mark.parametrize("text", ["\tx", "\rx", "\nx", "\x00x"])
def test_control_characters_are_made_harmless(text: str) -> None:
    assert spreadsheets.cell(text).startswith("'")


async def test_personal_data_is_masked_unless_asked_for(session: AsyncSession) -> None:
    await attributes.define(session, "real_name", label={"en": "Real name"}, type="text", is_personal=True)
    await attributes.define(session, "city", label={"en": "City"}, type="text")
    member = await make_member(session)
    await service.set_phone(session, member.id, "+8613800138000", is_verified=True)
    given = MemberChanges(attributes={"real_name": "李华之", "city": "杭州"})
    await service.change(session, member.id, given, by="x")
    await tags.add(session, member.id, "taste:tea", source="x")
    (masked,) = await _read(session, with_personal=False)
    assert (masked["phone"], masked["attributes.city"], masked["tags"]) == ("138****8000", "杭州", "taste:tea")
    assert "attributes.real_name" not in masked
    (plain,) = await _read(session, with_personal=True)
    assert (plain["phone"], plain["attributes.real_name"]) == ("+8613800138000", "李华之")


async def test_every_page_is_in_the_file(session: AsyncSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MAX_LIMIT", 2)
    bot = await make_bot(session)
    made = [(await make_member(session, bot=bot)).id for _ in range(5)]
    assert [int(row["id"]) for row in await _read(session, with_personal=False)] == made[::-1]


def test_what_is_exported_comes_back_as_it_was() -> None:
    (record,) = table.records(f"name\n{spreadsheets.cell('=1+1')}\n")
    assert record.cells == ["=1+1"]
