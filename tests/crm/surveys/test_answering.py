"""A member's way through a survey: begun, left, resumed, finished once."""

import asyncio
from copy import deepcopy

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.events import relay
from crm.events import service as events
from crm.points import service as points
from crm.surveys import service
from crm.surveys.errors import (
    AlreadyAnswered,
    InvalidAnswer,
    QuestionNotOpen,
    ResponseFinished,
    ResponseNotFound,
    ResponseNotYours,
    SurveyNotFound,
    SurveyNotOpen,
    SurveyUnfinished,
)
from crm.surveys.models import AnswerRow
from crm.surveys.types import SurveyOutcome
from crm.tags import service as tags
from tests.factories.members import make_member
from tests.factories.surveys import make_survey, tea_survey


async def _answer_all(session: AsyncSession, member_id: int, survey: str = "tea", nps: int = 9) -> SurveyOutcome:
    run = await service.open_run(session, member_id, survey)
    await service.record_answer(session, member_id, run.response_id, "nps", nps)
    if nps >= 7:
        await service.record_answer(session, member_id, run.response_id, "likes", ["oolong"])
        await service.record_answer(session, member_id, run.response_id, "often", "rarely")
    else:
        await service.record_answer(session, member_id, run.response_id, "why", "cold")
        await service.record_answer(session, member_id, run.response_id, "stars", 2)
    return await service.complete(session, member_id, run.response_id)


async def test_a_survey_is_resumed_where_it_was_left_on_the_version_that_was_begun(session: AsyncSession) -> None:
    survey = await make_survey(session)
    member = await make_member(session)
    run = await service.open_run(session, member.id, "tea")
    assert (run.is_new, run.version, run.answers) == (True, 1, {})
    assert await service.record_answer(session, member.id, run.response_id, "nps", 8) == "likes"
    shorter = deepcopy(tea_survey())
    shorter["questions"] = shorter["questions"][4:]
    await service.change(session, survey.id, definition=shorter)
    await service.publish(session, survey.id)
    again = await service.open_run(session, member.id, survey.id)
    assert (again.is_new, again.version, again.answers) == (False, 1, {"nps": 8})
    assert [question.key for question in again.questions] == ["nps", "why", "likes", "often", "stars"]
    other = await make_member(session)
    assert (await service.open_run(session, other.id, "tea")).version == 2


async def test_finishing_gives_points_and_tags_once(session: AsyncSession) -> None:
    await points.ensure_defaults(session)
    await make_survey(session)
    member = await make_member(session)
    outcome = await _answer_all(session, member.id)
    assert (outcome.points, outcome.balance, outcome.nps, outcome.is_new) == (20, 20, 9, True)
    labels = {(tag.group, tag.name, tag.source) for tag in await tags.of_member(session, member.id)}
    assert labels == {("nps", "promoter", "survey"), ("likes", "oolong", "survey")}
    fact = (await events.timeline(session, member.id, kinds=["survey_completed"]))[0]
    again = await service.complete(session, member.id, fact.data["response_id"])
    assert (again.points, again.balance, again.nps, again.is_new) == (0, 20, 9, False)
    assert len(await events.timeline(session, member.id, kinds=["survey_completed"])) == 1


async def test_nothing_is_given_before_the_end(session: AsyncSession) -> None:
    await points.ensure_defaults(session)
    await make_survey(session)
    member = await make_member(session)
    run = await service.open_run(session, member.id, "tea")
    await service.record_answer(session, member.id, run.response_id, "nps", 10)
    with pytest.raises(SurveyUnfinished) as refused:
        await service.complete(session, member.id, run.response_id)
    assert refused.value.facts["question"] == "likes"
    assert await tags.of_member(session, member.id) == []
    assert await points.balance(session, member.id) == 0


async def test_one_answer_per_member_unless_allowed(session: AsyncSession) -> None:
    await make_survey(session)
    await make_survey(session, "again", is_repeatable=True)
    member = await make_member(session)
    await _answer_all(session, member.id)
    with pytest.raises(AlreadyAnswered):
        await service.open_run(session, member.id, "tea")
    await _answer_all(session, member.id, "again")
    second = await service.open_run(session, member.id, "again")
    assert (second.is_new, second.answers) == (True, {})
    assert [offer.key for offer in await service.open_for(session, member.id)] == ["again"]


async def test_an_answer_may_be_changed_and_what_was_said_on_the_other_way_is_dropped(session: AsyncSession) -> None:
    await make_survey(session)
    member = await make_member(session)
    run = await service.open_run(session, member.id, "tea")
    for key, value in (("nps", 9), ("likes", ["green"]), ("nps", 2), ("why", "cold"), ("stars", None)):
        await service.record_answer(session, member.id, run.response_id, key, value)
    await service.complete(session, member.id, run.response_id)
    rows = await session.execute(select(AnswerRow.question, AnswerRow.value).order_by(AnswerRow.question))
    assert [tuple(row) for row in rows] == [("nps", 2), ("stars", None), ("why", {})]
    found = await service.results(session, run.survey_id)
    assert [question.texts for question in found.questions if question.key == "why"] == [["cold"]]
    assert await tags.of_member(session, member.id) == []


async def test_hostile_calls_are_refused(session: AsyncSession) -> None:
    await make_survey(session)
    member, other = await make_member(session), await make_member(session)
    run = await service.open_run(session, member.id, "tea")
    with pytest.raises(ResponseNotYours):
        await service.record_answer(session, other.id, run.response_id, "nps", 3)
    with pytest.raises(ResponseNotFound):
        await service.record_answer(session, member.id, 10**9, "nps", 3)
    with pytest.raises(QuestionNotOpen):
        await service.record_answer(session, member.id, run.response_id, "stars", 3)
    with pytest.raises(InvalidAnswer, match="from 0 to 10"):
        await service.record_answer(session, member.id, run.response_id, "nps", 11)
    with pytest.raises(InvalidAnswer, match="needs an answer"):
        await service.record_answer(session, member.id, run.response_id, "nps", None)
    with pytest.raises(SurveyNotFound):
        await service.open_run(session, member.id, "nothing")
    await _answer_all(session, member.id)
    with pytest.raises(ResponseFinished):
        await service.record_answer(session, member.id, run.response_id, "nps", 3)


async def test_drafts_and_archived_surveys_cannot_be_answered(session: AsyncSession) -> None:
    draft = await service.create(session, key="draft", name="Draft", definition=tea_survey())
    archived = await make_survey(session)
    member = await make_member(session)
    await service.archive(session, archived.id)
    for survey in (draft.id, archived.id):
        with pytest.raises(SurveyNotOpen):
            await service.open_run(session, member.id, survey)
    assert await service.open_for(session, member.id) == []


async def test_the_relay_gives_no_second_award(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await points.ensure_defaults(session)
        await make_survey(session)
        member = await make_member(session)
        await _answer_all(session, member.id)
    await relay.relay_all(sessions)
    async with sessions() as session:
        assert await points.balance(session, member.id) == 20


async def test_opening_in_parallel_begins_once(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await make_survey(session)
        member = await make_member(session)

    async def begin() -> int:
        async with committed_sessions.begin() as session:
            return (await service.open_run(session, member.id, "tea")).response_id

    assert len(set(await asyncio.gather(*(begin() for _ in range(20))))) == 1
    async with committed_sessions() as session:
        assert len(await events.timeline(session, member.id, kinds=["survey_started"])) == 1


async def test_results_count_finished_responses(session: AsyncSession) -> None:
    survey = await make_survey(session)
    for nps in (9, 10, 8, 3):
        await _answer_all(session, (await make_member(session)).id, nps=nps)
    left = await make_member(session)
    run = await service.open_run(session, left.id, "tea")
    await service.record_answer(session, left.id, run.response_id, "nps", 0)
    found = await service.results(session, survey.id)
    assert (found.started, found.completed) == (5, 4)
    by_key = {question.key: question for question in found.questions}
    nps_question = by_key["nps"]
    assert nps_question.nps is not None
    assert (nps_question.nps.promoters, nps_question.nps.passives, nps_question.nps.detractors) == (2, 1, 1)
    assert (nps_question.nps.score, nps_question.average) == (25.0, 7.5)
    assert nps_question.counts == {"3": 1, "8": 1, "9": 1, "10": 1}
    assert by_key["likes"].counts == {"green": 0, "oolong": 3, "black": 0}
    assert by_key["why"].texts == ["cold"]
    assert (by_key["stars"].answered, by_key["stars"].skipped) == (1, 0)
