"""Operators and programs that press twice."""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.chaos.broadcasts import draft
from tests.chaos.evidence import gather
from tests.chaos.inbound.scene import Scene
from tests.chaos.office import office_at
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row

ROUNDS, RECIPIENTS = (10, 50) if SIZES.is_full else (2, 20)
PRESSES = 8
REPEATS = 50


def _offices(scene: Scene) -> list[httpx.AsyncClient]:
    return [office_at(base, dict(scene.office.headers)) for base in scene.estate.bases()]


@pytest.mark.chaos_row(49)
async def test_launch_is_pressed_together(scene: Scene, row: Row) -> None:
    row.plan(
        "operators press Launch together",
        done=f"{PRESSES} launches at once at two api processes, {ROUNDS} times",
        expected="one launch; all others see 409; each member gets one message",
    )
    await scene.estate.have("api", "api#2", "worker", "scheduler", "sender")
    offices = _offices(scene)
    seen: Counter[int] = Counter()
    problems = []
    for turn in range(ROUNDS):
        crowd = await scene.crowd(f"launch{turn}", RECIPIENTS)
        campaign = await draft(scene.office, crowd)
        presses = [offices[number % 2].post(f"campaigns/{campaign.id}/launch") for number in range(PRESSES)]
        statuses = Counter(answer.status_code for answer in await asyncio.gather(*presses))
        seen += statuses
        await campaign.until("finished", within=180)
        evidence = await gather(scene.database, scene.telegram, crowd, campaign)
        if statuses[200] != 1 or evidence.lost or evidence.copies:
            problems.append((dict(statuses), str(evidence)))
    for office in offices:
        await office.aclose()
    row.saw(f"statuses {dict(seen)}; {len(problems)} of {ROUNDS} rounds wrong")
    assert problems == []
    assert seen == {200: ROUNDS, 409: ROUNDS * (PRESSES - 1)}


@pytest.mark.chaos_row(50)
async def test_one_key_many_times(scene: Scene, row: Row) -> None:
    row.plan(
        "API retry with the same Idempotency-Key",
        done=f"{REPEATS} at once at two api processes, {ROUNDS} times, then another body",
        expected="1 effect, identical bodies, 409 only while it is under way, 422 for another body",
    )
    await scene.estate.have("api", "api#2")
    offices = _offices(scene)
    seen: Counter[int] = Counter()
    for turn in range(ROUNDS):
        headers, body = {"Idempotency-Key": f"chaos {turn}"}, {"name": f"Retried {turn}", "rule": {"all": []}}
        tries = [offices[number % 2].post("segments", json=body, headers=headers) for number in range(REPEATS)]
        answers = await asyncio.gather(*tries)
        answers.append(await offices[0].post("segments", json=body, headers=headers))
        other = await offices[1].post("segments", json={**body, "name": "Other"}, headers=headers)
        made = {answer.content for answer in answers if answer.status_code == 201}
        seen += Counter(answer.status_code for answer in answers)
        kept = await scene.database.fetchval("SELECT count(*) FROM segments WHERE name = $1", body["name"])
        assert (kept, len(made), other.status_code) == (1, 1, 422), (kept, made, other.text)
        assert answers[-1].status_code == 201
    for office in offices:
        await office.aclose()
    row.saw(f"statuses {dict(seen)}; 1 effect and 1 body in each of {ROUNDS} rounds; 422 for another body")
    assert set(seen) <= {201, 409, 503}
