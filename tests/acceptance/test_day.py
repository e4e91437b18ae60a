"""A day on a deployment whose processes run apart."""

import signal
from typing import Any

import httpx

from tests.acceptance.conftest import Telegram
from tests.acceptance.deployment import APART, Deployment
from tests.acceptance.waiting import until

GRACE = 20.0


async def _campaign(office: httpx.AsyncClient, campaign_id: int) -> dict[str, Any]:
    found: dict[str, Any] = (await office.get(f"campaigns/{campaign_id}")).json()
    return found


async def test_a_member_talks_and_an_operator_broadcasts(office: httpx.AsyncClient, telegram: Telegram) -> None:
    person, other = await telegram.person(), await telegram.person("Mei")
    for somebody in (person, other):
        await somebody.sign_up()
    await person.ask("/checkin", "Checked in", "Day 1")
    await person.ask("/points", "105")
    member = (await office.get("members", params={"query": str(person.user_id)})).json()["items"][0]
    put = await office.post(f"members/{member['id']}/tags", json={"tag": "likes:oolong"})
    assert put.status_code == 200, put.text
    rule = {"all": [{"condition": "tag", "tag": "likes:oolong"}, {"condition": "points_balance", "at_least": 105}]}
    segment = (await office.post("segments", json={"name": "Oolong", "rule": rule})).json()
    draft = {"name": "Spring", "segment_id": segment["id"], "message": {"text": "{{ member.name }}, spring is here"}}
    campaign = (await office.post("campaigns", json=draft)).json()
    launched = await office.post(f"campaigns/{campaign['id']}/launch")
    assert launched.status_code == 200, launched.text
    await person.hears("Lin, spring is here")
    done = await until(lambda: _campaign(office, campaign["id"]), lambda found: found["status"] == "finished")
    assert (done["counts"]["total"], done["counts"]["sent"] + done["counts"]["delivered"]) == (1, 1)
    said = await telegram.client.messages(other.user_id, other.bot)
    assert not [line for line in said if "spring is here" in str(line)]


async def test_every_process_ends_in_order_when_told_to(deployment: Deployment) -> None:
    before = dict(deployment.running)
    statuses = await deployment.end(signal.SIGTERM, within=GRACE)
    await deployment.start()
    assert statuses == dict.fromkeys(APART, 0), "\n".join(process.said for process in before.values())
    for process in before.values():
        assert "Traceback" not in process.said
        # warnings are fine: other tests send hostile updates to the same deployment
        assert "[error" not in process.said, process.said
