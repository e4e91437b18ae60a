"""What finished responses say: counts, averages, NPS, the latest own words."""

from collections import defaultdict
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.surveys import repository
from crm.surveys.definition import load
from crm.surveys.models import ResponseRow
from crm.surveys.question_types import question_types
from crm.surveys.types import NpsResult, Question, QuestionResult, Survey, SurveyResults

MOST_TEXTS = 50
_PROMOTER = 9
_PASSIVE = 7
_COUNTS = text(
    "SELECT a.question, item #>> '{}' AS item, count(*) AS times FROM survey_answers a"
    " JOIN survey_responses r ON r.id = a.response_id AND r.completed_at IS NOT NULL,"
    " LATERAL jsonb_array_elements("
    "  CASE WHEN jsonb_typeof(a.value) = 'array' THEN a.value ELSE jsonb_build_array(a.value) END) AS item"
    " WHERE a.survey_id = :survey_id AND a.question = ANY(:questions) AND a.value <> 'null'::jsonb"
    " GROUP BY 1, 2"
)
_ANSWERED = text(
    "SELECT a.question, count(*) FILTER (WHERE a.value <> 'null'::jsonb) AS answered,"
    " count(*) FILTER (WHERE a.value = 'null'::jsonb) AS skipped FROM survey_answers a"
    " JOIN survey_responses r ON r.id = a.response_id AND r.completed_at IS NOT NULL"
    " WHERE a.survey_id = :survey_id GROUP BY 1"
)


def nps_result(counts: dict[str, int]) -> NpsResult | None:
    """The score of answers 0 to 10 by how often each was given; None without answers. Pure."""
    total = sum(counts.values())
    if not total:
        return None
    promoters = sum(times for value, times in counts.items() if int(value) >= _PROMOTER)
    passives = sum(times for value, times in counts.items() if _PASSIVE <= int(value) < _PROMOTER)
    detractors = total - promoters - passives
    return NpsResult(promoters, passives, detractors, round(100 * (promoters - detractors) / total, 1))


async def results(session: AsyncSession, survey: Survey) -> SurveyResults:
    """See `crm.surveys.service.results`."""
    asked = await repository.definition(session, survey.id, survey.published_version) or survey.definition
    questions = load(asked).questions
    tallies = await _tallies(session, survey.id, [item.key for item in questions if item.type != "text"])
    rows = await session.execute(_ANSWERED, {"survey_id": survey.id})
    answered = {row.question: (row.answered, row.skipped) for row in rows}
    query = select(func.count(), func.count(ResponseRow.completed_at)).where(ResponseRow.survey_id == survey.id)
    started, completed = (await session.execute(query)).one()
    found = [
        _result(
            question,
            tallies[question.key],
            answered.get(question.key, (0, 0)),
            await _texts(session, survey.id, question),
        )
        for question in questions
    ]
    return SurveyResults(survey.id, started, completed, found)


async def _tallies(session: AsyncSession, survey_id: int, questions: list[str]) -> dict[str, dict[str, int]]:
    tallies: dict[str, dict[str, int]] = defaultdict(dict)
    for row in await session.execute(_COUNTS, {"survey_id": survey_id, "questions": questions}):
        tallies[row.question][row.item] = row.times
    return tallies


async def _texts(session: AsyncSession, survey_id: int, question: Question) -> list[str]:
    if question.type != "text":
        return []
    return await repository.latest_texts(session, survey_id, question.key, limit=MOST_TEXTS)


def _result(question: Question, tally: dict[str, int], answered: tuple[int, int], texts: list[str]) -> QuestionResult:
    is_numeric = question_types()[question.type].is_numeric
    counts = {option.key: 0 for option in question.options} | dict(sorted(tally.items(), key=_by_number))
    total = sum(tally.values())
    average = (
        round(sum(int(value) * times for value, times in tally.items()) / total, 2) if is_numeric and total else None
    )
    return QuestionResult(
        key=question.key,
        type=question.type,
        title=question.title,
        answered=answered[0],
        skipped=answered[1],
        counts=counts,
        average=average,
        nps=nps_result(tally) if question.type == "nps" else None,
        texts=texts,
    )


def _by_number(item: tuple[str, Any]) -> tuple[int, str]:
    return (int(item[0]), "") if item[0].isdigit() else (0, item[0])
