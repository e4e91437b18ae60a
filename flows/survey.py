"""Surveys that operators wrote as data: each question as one of the chat's, continued where it was left."""

from datetime import timedelta

from crm.activities.service import attending
from crm.surveys import policy
from crm.surveys import service as surveys
from crm.surveys.errors import AlreadyAnswered, InvalidAnswer, SurveyNotFound, SurveyNotOpen
from crm.surveys.types import SurveyRun
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, Keyword, Menu, flow
from flows.engine.reading import Option
from flows.steps.patience import SOME_DAYS, leaves_quietly
from flows.steps.survey_questions import asked

_REMIND = timedelta(hours=20)
_MOST = 20


@flow(
    "survey",
    starts=[
        Command("survey"),
        Keyword("问卷", "填问卷", "survey", "surveys"),
        Menu({"zh-CN": "📝 问卷", "en": "📝 Surveys"}),
        Button("survey"),
    ],
)
@leaves_quietly
async def survey(chat: Chat, key: str = "") -> None:
    """Opens the survey named `key`, else lets the member pick one; every answer is kept at once."""
    await chat.member()
    closed = await chat.look(attending.closed_surveys)
    wanted = key or await _pick(chat, closed)
    if wanted is None:
        await chat.say("survey/none")
        return
    if wanted in closed:
        await chat.say("survey/unknown")
        return
    try:
        run = await chat.do(surveys.open_run, wanted)
    except AlreadyAnswered:
        await chat.say("survey/already_answered")
        return
    except (SurveyNotFound, SurveyNotOpen):
        await chat.say("survey/unknown")
        return
    await _ask_all(chat, run)
    outcome = await chat.do(surveys.complete, run.response_id)
    await chat.say(
        "survey/done", thanks=run.thanks, points=outcome.points, pending=outcome.pending, balance=outcome.balance
    )


async def _pick(chat: Chat, closed: list[str]) -> str | None:
    offers = [offer for offer in await chat.look(surveys.open_for) if offer.key not in closed]
    if len(offers) > 1:
        choice = Choice(*(Option(offer.key, offer.name) for offer in offers[:_MOST]))
        return await chat.ask("survey/pick", choice, timeout=SOME_DAYS)
    return offers[0].key if offers else None


async def _ask_all(chat: Chat, run: SurveyRun) -> None:
    if run.answers:
        await chat.say("survey/continued")
    else:
        await chat.say("survey/intro", intro=run.intro)
    answers = dict(run.answers)
    by_key = {question.key: question for question in run.questions}
    while (key := policy.next_question(run.questions, answers)) is not None:
        question = by_key[key]
        shown = asked(question)
        answer = await chat.ask(
            f"survey/{shown.step}",
            shown.question,
            key=f"answer/{key}",
            remind=_REMIND,
            timeout=SOME_DAYS,
            title=question.title,
            lowest=1,
            highest=question.scale,
        )
        try:
            await chat.do(surveys.record_answer, run.response_id, key, answer, key=f"record/{key}")
        except InvalidAnswer:
            await chat.say("survey/not_accepted", key=f"not_accepted/{key}")
        else:
            answers[key] = answer
