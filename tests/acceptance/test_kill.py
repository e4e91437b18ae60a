"""kill -9 of everything in the middle of a survey: it goes on at the same question, nothing is lost or doubled."""

import signal

import httpx
import pytest
from sqlalchemy import text

from crm.db.session import Sessions
from flows.engine.buttons import start_data
from tests.acceptance.chat import Person
from tests.acceptance.conftest import Telegram
from tests.acceptance.deployment import Deployment
from tests.acceptance.waiting import until
from tests.acceptance.webhooks import Door, open_door, tap_update

_BOTH = {"zh-CN": "问题"}
_QUESTIONS = [
    {"key": "nps", "type": "nps", "title": {"en": "Would you recommend us?", **_BOTH}},
    {"key": "wish", "type": "text", "title": {"en": "What shall we brew?", **_BOTH}},
    {"key": "stars", "type": "rating", "title": {"en": "How was your cup?", **_BOTH}},
]


@pytest.fixture
async def door(committed: Sessions) -> Door:
    """The bot's webhook, at which updates can be delivered again."""
    return await open_door(committed)


async def _count(sessions: Sessions, query: str, **values: object) -> int:
    async with sessions() as session:
        return int(await session.scalar(text(query), values) or 0)


async def _handled(sessions: Sessions) -> None:
    """Every stored update was handled."""
    await until(lambda: _count(sessions, "SELECT count(*) FROM inbound_queue"), lambda left: left == 0)


async def _settled(sessions: Sessions) -> None:
    """Every reply is sent and recorded: one that is on its way as its process is killed holds up its chat a minute."""
    await _handled(sessions)
    await until(lambda: _count(sessions, "SELECT count(*) FROM delivery_replies"), lambda left: left == 0)


async def _events(sessions: Sessions, person: Person, kind: str) -> int:
    query = """
        SELECT count(*) FROM events JOIN identities USING (member_id)
        WHERE address = :address AND kind = :kind
    """
    return await _count(sessions, query, address=str(person.user_id), kind=kind)


async def _survey(office: httpx.AsyncClient, key: str) -> None:
    definition = {
        "intro": {"en": "Three questions.", **_BOTH},
        "thanks": {"en": "Thank you!", **_BOTH},
        "questions": _QUESTIONS,
    }
    made = await office.post("surveys", json={"key": key, "name": key, "definition": definition})
    assert made.status_code == 201, made.text
    assert (await office.post(f"surveys/{made.json()['id']}/publish")).status_code == 200


async def _answers(sessions: Sessions, key: str) -> int:
    query = """
        SELECT count(*) FROM survey_answers JOIN survey_responses r ON r.id = response_id
        JOIN surveys s ON s.id = r.survey_id WHERE s.key = :key
    """
    return await _count(sessions, query, key=key)


async def test_survey_goes_on_at_the_same_question(
    deployment: Deployment, office: httpx.AsyncClient, telegram: Telegram, committed: Sessions, door: Door
) -> None:
    await _survey(office, "after_kill")
    person = await telegram.person()
    await person.sign_up()
    await _open_survey(deployment, person, door, "after_kill")
    await person.tap("9")
    await person.hears("What shall we brew?")
    await _settled(committed)
    assert set((await deployment.end(signal.SIGKILL)).values()) == {-signal.SIGKILL}
    await person.say("Osmanthus 桂花")
    await deployment.start()
    await person.hears("How was your cup?")
    await _settled(committed)
    await person.say("5")
    assert set((await deployment.end(signal.SIGKILL)).values()) == {-signal.SIGKILL}
    await deployment.start()
    await person.hears("Thank you!", "+20")
    assert await _events(committed, person, "survey_completed") == 1
    assert await _answers(committed, "after_kill") == 3


async def _open_survey(deployment: Deployment, person: Person, door: Door, key: str) -> None:
    async with httpx.AsyncClient(base_url=deployment.base_url) as client:
        await door.deliver(client, tap_update(person.user_id, start_data("survey", key)))
    await person.hears("Would you recommend us?")
