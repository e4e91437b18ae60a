"""Merging profiles: responses go over, unless the kept one answered the same survey."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.members import merging
from crm.sign_ups import service as sign_ups
from crm.sign_ups.models import SignUpRow
from crm.surveys import service
from crm.surveys.models import AnswerRow, ResponseRow
from tests.factories.members import make_member
from tests.factories.surveys import make_survey


async def _begin(session: AsyncSession, member_id: int, survey: str) -> int:
    run = await service.open_run(session, member_id, survey)
    await service.record_answer(session, member_id, run.response_id, "nps", 5)
    return run.response_id


async def _owners(session: AsyncSession) -> dict[int, int]:
    rows = await session.execute(select(ResponseRow.id, ResponseRow.member_id))
    return {row.id: row.member_id for row in rows}


async def test_responses_go_over_and_come_back(session: AsyncSession) -> None:
    for key in ("one", "two"):
        await make_survey(session, key)
    await make_survey(session, "often", is_repeatable=True)
    keep, drop = await make_member(session), await make_member(session)
    own = await _begin(session, keep.id, "one")
    same, other = await _begin(session, drop.id, "one"), await _begin(session, drop.id, "two")
    kept_often, dropped_often = await _begin(session, keep.id, "often"), await _begin(session, drop.id, "often")
    before = await _owners(session)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    assert await _owners(session) == {
        own: keep.id,
        same: drop.id,
        other: keep.id,
        kept_often: keep.id,
        dropped_often: keep.id,
    }
    answers = await session.scalars(select(AnswerRow.member_id).where(AnswerRow.response_id == other))
    assert list(answers) == [keep.id]
    assert (await service.open_run(session, keep.id, "two")).response_id == other
    await merging.undo(session, merge_id, by="operator:1")
    assert await _owners(session) == before


async def test_a_sign_up_goes_over_when_the_kept_member_has_none(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    await sign_ups.complete(session, drop.id, channel="telegram")
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    assert list(await session.scalars(select(SignUpRow.member_id))) == [keep.id]
    await merging.undo(session, merge_id, by="operator:1")
    assert list(await session.scalars(select(SignUpRow.member_id))) == [drop.id]
