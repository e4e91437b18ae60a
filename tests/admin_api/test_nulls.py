"""A null where nothing may be empty is refused or taken as left out, in every change that the API knows."""

from collections.abc import Mapping
from typing import Any

import httpx

from crm.tags import service as tags
from tests.admin_api.conftest import Site
from tests.factories.bots import make_bot
from tests.factories.journeys import SEND
from tests.factories.members import make_member
from tests.factories.surveys import make_survey

JOURNEY = {"name": "J", "trigger": {"kind": "member_signed_up"}, "graph": {"start": "a", "nodes": {"a": SEND}}}
COUPON = {"name": {"en": "C"}, "terms": {"kind": "gift"}}
REWARD = {"name": {"en": "R"}, "kind": "goods", "price": {"points": 5}}
RULE = {"kind": "check_in", "name": "Daily", "parameters": {"points": 5}}


async def _made(client: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> str:
    answer = await client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json().get("id", answer.json().get("key")))


async def _resources(site: Site, client: httpx.AsyncClient) -> dict[str, str]:
    """One of each thing that can be changed: the parameter of its address -> its id."""
    async with site.deps.sessions.begin() as session:
        found = {
            "tag_id": str((await tags.create(session, "vip")).id),
            "member_id": str((await make_member(session)).id),
            "bot_id": str((await make_bot(session)).id),
            "survey_id": str((await make_survey(session)).id),
        }
    segment = await _made(client, "segments", {"name": "S", "rule": {"all": []}})
    message = {"text": "Hi"}
    return {
        **found,
        "segment_id": segment,
        "campaign_id": await _made(client, "campaigns", {"name": "C", "segment_id": int(segment), "message": message}),
        "journey_id": await _made(client, "journeys", JOURNEY),
        "rule_id": await _made(client, "earning-rules", RULE),
        "coupon_id": await _made(client, "coupons", COUPON),
        "reward_id": await _made(client, "rewards", REWARD),
        "source_id": await _made(client, "sources", {"name": "Poster"}),
        "template_id": await _made(client, "messages/templates", {"name": "T", "message": message}),
    }


async def test_nulls_break_nothing(site: Site) -> None:
    broken, tried = [], set()
    async with await site.api() as client:
        known = await _resources(site, client)
        document = (await client.get("/openapi.json")).json()
        for path, verbs in document["paths"].items():
            names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
            if "patch" not in verbs or not set(names) <= set(known):
                continue
            reference = verbs["patch"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            fields = document["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
            address = path.format(**known)
            tried.add(path)
            for field in fields:
                answer = await client.patch(address, json={field: None})
                if answer.status_code >= 500:
                    broken.append(f"{path} {field}")
    assert broken == []
    assert len(tried) >= 10
