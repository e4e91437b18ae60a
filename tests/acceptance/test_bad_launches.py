"""Launches that must not be, over the API of a running deployment: refused with the reason, and nothing sent."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.acceptance.deployment import Deployment
from tests.acceptance.kept import nothing_kept
from tests.acceptance.refusals import refused
from tests.acceptance.waiting import until

_NOBODY = {"condition": "points_balance", "at_least": 900_000_000}


@pytest.fixture(scope="module")
def database(deployment: Deployment) -> str:
    """The deployment's database."""
    return deployment.settings["SIYU_DATABASE_URL"]


async def _draft(office: httpx.AsyncClient, rule: Any, text: str = "hello {{ member.name }}") -> str:
    segment = await office.post("segments", json={"name": "launch", "rule": rule})
    assert segment.status_code == 201, segment.text
    body = {"name": "launch", "segment_id": segment.json()["id"], "message": {"text": text}}
    campaign = await office.post("campaigns", json=body)
    assert campaign.status_code == 201, campaign.text
    return f"campaigns/{campaign.json()['id']}"


async def _someone(office: httpx.AsyncClient, address: str) -> Any:
    """A member on the web chat, whom a launch may count."""
    bot = next(item for item in (await office.get("bots")).json()["items"] if item["channel"] == "webchat")
    member = await office.post("members", json={"bot_id": bot["id"], "address": address, "display_name": "Wu"})
    assert member.status_code == 201, member.text
    tagged = await office.post(f"members/{member.json()['id']}/tags", json={"tag": f"launch:{address}"})
    assert tagged.status_code == 200, tagged.text
    return {"condition": "tag", "tag": f"launch:{address}"}


async def _read(office: httpx.AsyncClient, path: str) -> dict[str, Any]:
    found: dict[str, Any] = (await office.get(path)).json()
    return found


async def test_to_nobody(office: httpx.AsyncClient, database: str) -> None:
    for rule in (_NOBODY, {"all": [_NOBODY, {"not": _NOBODY}]}):
        path = await _draft(office, rule)
        async for attempt in nothing_kept(database):
            async with attempt:
                refused(await office.post(f"{path}/launch"), 409, "Nobody")
        assert (await office.get(path)).json()["status"] == "draft"


@pytest.mark.parametrize("rule", [{"all": []}, {"all": [{"all": []}]}, {"not": {"not": {"all": []}}}])
async def test_to_everyone_wants_the_number(office: httpx.AsyncClient, database: str, rule: Any) -> None:
    await _someone(office, "everyone")
    path = await _draft(office, rule)
    count = (await office.post("segments/preview", json={"rule": rule})).json()["count"]
    async for attempt in nothing_kept(database):
        async with attempt:
            problem = refused(await office.post(f"{path}/launch"), 422, str(count), "confirm_count")
            assert problem["count"] == count
            for wrong in (0, count - 1, count + 1):
                refused(await office.post(f"{path}/launch", json={"confirm_count": wrong}), 422, str(count))
            refused(await office.post(f"{path}/launch", json={"confirm_count": "all"}), 422, "confirm_count")
    assert (await office.get(path)).json()["status"] == "draft"
    launched = await office.post(f"{path}/launch", json={"confirm_count": count})
    assert launched.status_code == 200, launched.text
    await office.post(f"{path}/cancel")


async def test_twice_at_once_and_again(office: httpx.AsyncClient) -> None:
    path = await _draft(office, await _someone(office, "twice"))
    answers = await asyncio.gather(*(office.post(f"{path}/launch") for _ in range(10)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200, *[409] * 9], [answer.text for answer in answers]
    for answer in answers:
        if answer.status_code != 200:
            refused(answer, 409, "already", "clone")
    refused(await office.patch(path, json={"name": "changed"}), 409, "clone")
    done = await until(lambda: _read(office, path), lambda found: found["status"] == "finished")
    assert done["counts"]["total"] == 1


async def test_in_the_past_or_too_late(office: httpx.AsyncClient, database: str) -> None:
    path = await _draft(office, await _someone(office, "past"))
    async for attempt in nothing_kept(database):
        async with attempt:
            refused(await office.post(f"{path}/launch", json={"at": "2020-01-01T00:00:00Z"}), 422, "past")
            refused(await office.post(f"{path}/launch", json={"at": "2030-01-01T00:00:00"}), 422, "at")
            refused(await office.post(f"{path}/launch", json={"at": "soon"}), 422, "at")
    assert (await office.patch(path, json={"send_before": "2080-01-01T00:00:00Z"})).status_code == 200
    refused(await office.post(f"{path}/launch", json={"at": "2090-01-01T00:00:00Z"}), 422, "send_before")
    assert (await _read(office, path))["status"] == "draft"


async def test_what_the_state_does_not_allow(office: httpx.AsyncClient, database: str) -> None:
    path = await _draft(office, await _someone(office, "state"))
    async for attempt in nothing_kept(database):
        async with attempt:
            for verb in ("pause", "resume", "cancel"):
                refused(await office.post(f"{path}/{verb}"), 409)
            refused(await office.post(f"{path}/test"), 403)
    assert (await office.post(f"{path}/launch", json={"at": "2090-01-01T00:00:00Z"})).status_code == 200
    assert (await office.get(path)).json()["status"] == "scheduled"
    assert (await office.post(f"{path}/cancel")).json()["status"] == "cancelled"
    for verb in ("launch", "pause", "resume", "cancel"):
        refused(await office.post(f"{path}/{verb}"), 409)
    refused(await office.post("campaigns/999999999/launch"), 404, "campaign")


async def test_a_message_that_is_too_long_for_some(office: httpx.AsyncClient, database: str) -> None:
    rule = await _someone(office, "long")
    path = await _draft(office, rule, "{{ member.name }}" * 300)
    async for attempt in nothing_kept(database):
        async with attempt:
            refused(await office.post(f"{path}/launch"), 422, "too large")
    assert (await office.get(path)).json()["status"] == "draft"
