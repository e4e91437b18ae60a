"""Outgoing webhooks: addresses that lead inside, and a consumer that is down for a day."""

from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest

from crm.kit.egress import AddressRefused, EgressRules
from crm.webhooks.policy import DELAYS, JITTER, MAX_TRIES
from runtime.demo_data.dice import Dice
from runtime.egress import EgressClient
from tests.acceptance.waiting import until
from tests.acceptance.webhooks import text_update
from tests.chaos.clock import move_clock
from tests.chaos.crowd import Crowd
from tests.chaos.inbound.conftest import CONSUMER
from tests.chaos.inbound.scene import Scene
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row
from tests.factories.consumer import Consumer, consuming
from tests.runtime.test_egress import Canary, Rebinding, listening

ROUNDS, EVENTS = (20, 25) if SIZES.is_full else (1, 3)
INSIDE = (
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "0", "localhost", "a.localhost"),
    *("169.254.169.254", "10.0.0.1", "192.168.1.1", "100.64.0.1", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]"),
)
_REBOUND = (["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["169.254.169.254"])
_TRIES = "SELECT coalesce(min(tries), 0) FROM webhook_messages WHERE endpoint_id = $1 AND state = 'waiting'"
_STATES = "SELECT state, count(*) FROM webhook_messages WHERE endpoint_id = $1 GROUP BY state"
_SEQUENCES = "SELECT sequence FROM webhook_messages WHERE endpoint_id = $1 ORDER BY sequence"


@pytest.mark.chaos_row(40)
async def test_addresses_that_lead_inside(scene: Scene, row: Row, dice: Dice) -> None:
    tried = len(INSIDE) + len(_REBOUND)
    row.plan(
        "webhook address to private networks, decimal, rebinding, redirect inside",
        done=f"{tried} addresses with the port of a listening canary, a consumer that redirects to it; {ROUNDS} times",
        expected="refused before connecting; 0 connections at the canary",
    )
    await scene.estate.have("api", "worker")
    refused: Counter[int] = Counter()
    async with listening(Canary()) as canary:
        for _ in range(ROUNDS):
            for host in INSIDE:
                address = f"http://{host}:{canary.port}/"
                body = {"name": "Inside", "address": address, "kinds": ["*"]}
                refused[(await scene.office.post("webhooks", json=body)).status_code] += 1
            for answers in _REBOUND:
                client = EgressClient(EgressRules(allow_http=True), resolve=Rebinding(answers))
                with pytest.raises(AddressRefused):
                    await client.post(f"http://hooks.shop.example:{canary.port}/", headers={}, body=b"{}")
        away = {"Location": f"http://127.0.0.1:{canary.port}/inside"}
        async with consuming(Consumer(status=307, headers=away), host=CONSUMER) as consumer:
            made = await _webhook(scene, consumer)
            await _check_in(scene, dice, 1)
            await consumer.until(1)
            removed = await scene.office.delete(f"webhooks/{made['id']}")
        row.saw(f"API answered {dict(refused)}, {canary.connections} connections at the canary")
        assert set(refused) == {422}
        assert canary.connections == 0
        assert removed.status_code == httpx.codes.NO_CONTENT


@pytest.mark.chaos_row(41)
async def test_the_consumer_is_down_for_a_day(scene: Scene, row: Row, dice: Dice) -> None:
    row.plan(
        "outgoing webhook consumer down for more than 24 h",
        done=f"{EVENTS} events for a consumer that answers 503 until it is disabled, then enabled and replayed",
        expected=f"signed retries under one id, {MAX_TRIES} at most, disabled with an alert, then each delivered once",
        factor="clock moved",
    )
    await scene.estate.have("api", "worker", "scheduler")
    database_url = scene.ground.direct(scene.estate.settings["SIYU_DATABASE_URL"])
    async with consuming(Consumer(status=503), host=CONSUMER) as consumer:
        made = await _webhook(scene, consumer)
        await _check_in(scene, dice, EVENTS)
        await consumer.until(EVENTS)
        try:
            hours = await _a_day_passes(scene, database_url, made["id"])
            failed, alerts = len(consumer.heard), await _alerts(scene)
            delivered = await _comes_back(scene, consumer, made["id"])
        finally:
            await move_clock(database_url, timedelta(0))
        tries = Counter(consumer.ids())
        sequences = [found["sequence"] for found in await scene.database.fetch(_SEQUENCES, made["id"])]
        await scene.office.delete(f"webhooks/{made['id']}")
    unsigned = [one for one in consumer.heard if not one.is_signed(made["secret"])]
    row.saw(
        f"{failed} tries in {hours:.0f} h, at most {max(tries.values()) - 1} of one; alerts {alerts}; "
        f"unsigned {len(unsigned)}; then delivered {delivered} of {EVENTS}"
    )
    assert len(tries) == EVENTS
    assert max(tries.values()) <= MAX_TRIES + 1
    assert unsigned == []
    assert "webhook_disabled" in alerts
    assert sequences == list(range(1, EVENTS + 1))
    assert delivered == EVENTS


async def _webhook(scene: Scene, consumer: Consumer) -> dict[str, Any]:
    body = {"name": "Till", "address": consumer.base_url + "/hooks", "kinds": ["checked_in"]}
    made = await scene.office.post("webhooks", json=body)
    assert made.status_code == httpx.codes.CREATED, made.text
    found: dict[str, Any] = made.json()
    return found


async def _check_in(scene: Scene, dice: Dice, members: int) -> Crowd:
    crowd = await scene.crowd("hooked", members)
    post = await scene.post(crowd, dice)
    await post.all([[text_update(chat, "/checkin")] for chat in crowd.chats])
    return crowd


async def _a_day_passes(scene: Scene, database_url: str, webhook_id: int) -> float:
    """Let every delay pass, each as soon as all messages were tried; hours until the endpoint was disabled."""
    passed = timedelta(0)
    for tries, delay in enumerate(DELAYS, start=1):
        await until(lambda: _reached(scene, webhook_id, tries), bool)  # noqa: B023 - awaited at once
        if await _is_disabled(scene, webhook_id):
            break
        passed += timedelta(seconds=delay * (1 + JITTER) + 1)
        await move_clock(database_url, passed)
    await until(lambda: _is_disabled(scene, webhook_id), bool)
    return passed.total_seconds() / 3600


async def _reached(scene: Scene, webhook_id: int, tries: int) -> bool:
    """Whether every message was tried so often, or none will be any more."""
    lowest = int(await scene.database.fetchval(_TRIES, webhook_id))
    return lowest >= tries or await _is_disabled(scene, webhook_id)


async def _is_disabled(scene: Scene, webhook_id: int) -> bool:
    return bool((await scene.office.get(f"webhooks/{webhook_id}")).json()["status"] == "disabled")


async def _alerts(scene: Scene) -> list[str]:
    """The kinds of what needs an operator, once it has been looked for."""

    async def open_ones() -> list[str]:
        return sorted({alert["kind"] for alert in (await scene.office.get("alerts")).json()["items"]})

    return await until(open_ones, lambda kinds: "webhook_disabled" in kinds)


async def _comes_back(scene: Scene, consumer: Consumer, webhook_id: int) -> int:
    """The consumer is mended, the endpoint enabled, the dead replayed; messages that arrived once."""
    consumer.status, before = 204, len(consumer.heard)
    for step in ("enable", "replay-dead"):
        answer = await scene.office.post(f"webhooks/{webhook_id}/{step}")
        assert answer.status_code == httpx.codes.OK, answer.text

    async def states() -> dict[str, int]:
        return {str(found[0]): int(found[1]) for found in await scene.database.fetch(_STATES, webhook_id)}

    await until(states, lambda found: found == {"delivered": EVENTS})
    arrived = Counter(consumer.ids()[before:])
    return sum(number == 1 for number in arrived.values())
