"""kill -9 of everything, updates that come again, taps in parallel: one effect each, nothing lost."""

import asyncio
import signal
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from crm.db.session import Sessions
from flows.engine.buttons import start_data
from runtime.embedded.process import free_port
from tests.acceptance.chat import Person
from tests.acceptance.conftest import Telegram
from tests.acceptance.deployment import Deployment, answers
from tests.acceptance.processes import PATIENCE, Siyu
from tests.acceptance.waiting import until
from tests.acceptance.webhooks import Door, open_door, tap_update, text_update

TAPS = 50
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


async def test_the_same_update_thrice_changes_nothing(
    deployment: Deployment, office: httpx.AsyncClient, telegram: Telegram, committed: Sessions, door: Door
) -> None:
    await _survey(office, "thrice")
    person = await telegram.person()
    await person.sign_up()
    await _open_survey(deployment, person, door, "thrice")
    updates = [text_update(person.user_id, said) for said in ("10", "More jasmine", "4", "/checkin", "/checkin")]
    async with httpx.AsyncClient(base_url=deployment.base_url, timeout=PATIENCE) as client:
        for update in updates:
            await asyncio.gather(*(door.deliver(client, update) for _ in range(3)))
        for update in reversed(updates):
            await door.deliver(client, update)
    await person.hears("already checked in today")
    await _handled(committed)
    kinds = ("survey_completed", "checked_in")
    assert [await _events(committed, person, kind) for kind in kinds] == [1, 1]
    assert await _answers(committed, "thrice") == 3
    assert "125 " in await person.ask("/points", "You have")
    said = [str(line["message"].get("text")) for line in await telegram.client.messages(person.user_id, person.bot)]
    assert len([line for line in said if "already checked in" in line]) == 1


@pytest.fixture
async def second_api(deployment: Deployment) -> AsyncIterator[str]:
    """Another api process over the same database; its address."""
    base_url = f"http://127.0.0.1:{(port := free_port())}"
    settings = {**deployment.settings, "SIYU_HTTP_PORT": str(port)}
    process = await Siyu.start("api", settings=settings, folder=deployment.folder)
    await answers(base_url, process)
    yield base_url
    assert await process.end(signal.SIGTERM) == 0, process.said


async def test_hundred_taps_at_once_give_one_award(
    deployment: Deployment, second_api: str, telegram: Telegram, committed: Sessions, door: Door
) -> None:
    """Half of them over the simulator to the poller, the others pushed to two api processes."""
    person = await telegram.person()
    await person.sign_up()
    data = start_data("check_in")
    bases = (deployment.base_url, second_api)
    clients = [httpx.AsyncClient(base_url=base, timeout=PATIENCE) for base in bases]
    await telegram.client.set_limits(is_enforced=False)
    pushed = [door.deliver(clients[turn % 2], tap_update(person.user_id, data)) for turn in range(TAPS)]
    pulled = [telegram.client.press_key(person.user_id, person.bot, "📅 Check in") for _ in range(TAPS)]
    await asyncio.gather(*pushed, *pulled)
    for client in clients:
        await client.aclose()
    await _handled(committed)
    assert await _events(committed, person, "checked_in") == 1
    query = """
        SELECT count(*) FROM ledger_entries JOIN identities USING (member_id)
        WHERE account = 'member' AND address = :address
    """
    assert await _count(committed, query, address=str(person.user_id)) == 2
    verified = await deployment.siyu("ledger", "verify")
    assert (verified.status, verified.err) == (0, ""), verified.out
    assert "clean" in verified.out
