"""Scripted faults over real connections."""

import asyncio

import aiohttp
import pytest

from bot.channels.telegram.simulator.client import SimulatorError

from .conftest import Stage


async def _texts(stage: Stage) -> list[str]:
    views = await stage.client.messages(stage.person_id, stage.bot_id)
    return [view["message"]["text"] for view in views if view["is_outgoing"]]


@pytest.mark.parametrize(
    ("kind", "rule", "expected"),
    [
        ("too_many_requests", {"retry_after": 7}, "429 Too Many Requests: retry after 7"),
        ("forbidden", {}, "403 Forbidden: bot was blocked by the user"),
        ("forbidden", {"text": "Forbidden: user is deactivated"}, "403 Forbidden: user is deactivated"),
        ("bad_request", {"text": "Bad Request: wrong file"}, "400 Bad Request: wrong file"),
        ("unauthorized", {}, "401 Unauthorized"),
        ("server_error", {"status": 500}, "500 Internal Server Error"),
    ],
)
async def test_refusals(stage: Stage, kind: str, rule: dict[str, str | float], expected: str) -> None:
    await stage.client.add_fault(kind, count=1, **rule)
    assert await stage.refused("sendMessage", chat_id=stage.person_id, text="x") == expected
    await stage.send("y")
    assert await _texts(stage) == ["y"]


async def test_429_names_the_seconds(stage: Stage) -> None:
    await stage.client.add_fault("too_many_requests", retry_after=10072)
    _, body = await stage.try_call("getMe")
    assert body["parameters"] == {"retry_after": 10072}


async def test_server_error_as_html(stage: Stage) -> None:
    await stage.client.add_fault("server_error", status=502, as_html=True)
    async with stage.http.get(f"{stage.base_url}/bot{stage.token}/getMe") as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")


@pytest.mark.parametrize("kind", ["timeout_after_accept", "reset_after_accept"])
async def test_after_accept_the_message_is_there_and_the_answer_is_not(stage: Stage, kind: str) -> None:
    await stage.client.add_fault(kind, method="sendMessage", seconds=0.05)
    with pytest.raises(aiohttp.ClientConnectionError):
        await stage.send("twice?")
    assert await _texts(stage) == ["twice?"]


async def test_a_timeout_hangs_until_the_caller_gives_up(stage: Stage) -> None:
    await stage.client.add_fault("timeout_after_accept")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await stage.send("slow")
    assert await _texts(stage) == ["slow"]


async def test_a_reset_before_accept_leaves_nothing(stage: Stage) -> None:
    await stage.client.add_fault("reset_before_accept")
    with pytest.raises(aiohttp.ClientConnectionError):
        await stage.send("lost")
    assert await _texts(stage) == []


async def test_latency_delays_and_then_works(stage: Stage) -> None:
    await stage.client.add_fault("latency", seconds=0.2)
    start = asyncio.get_running_loop().time()
    await stage.send("late")
    assert asyncio.get_running_loop().time() - start >= 0.2


async def test_migration_refuses_the_old_id_and_takes_the_new(stage: Stage) -> None:
    await stage.client.add_fault("migrate", chat_id=stage.person_id, migrate_to_chat_id=-1001234567890)
    status, body = await stage.try_call("sendMessage", chat_id=stage.person_id, text="x")
    assert (status, body["parameters"]) == (400, {"migrate_to_chat_id": -1001234567890})
    await stage.call("sendMessage", chat_id=-1001234567890, text="moved")
    assert await _texts(stage) == ["moved"]


async def test_every_third_call_and_matching(stage: Stage) -> None:
    await stage.client.add_fault("forbidden", method="sendmessage", every=3, contains="x")
    outcomes = [(await stage.try_call("sendMessage", chat_id=stage.person_id, text="x"))[0] for _ in range(6)]
    assert outcomes == [200, 200, 403, 200, 200, 403]
    assert (await stage.try_call("sendMessage", chat_id=stage.person_id, text="y"))[0] == 200
    assert (await stage.try_call("getMe"))[0] == 200


async def test_chance_is_repeatable(stage: Stage) -> None:
    async def outcomes() -> list[int]:
        await stage.client.lift_faults()
        await stage.client.add_fault("forbidden", probability=0.5, seed="tea")
        return [(await stage.try_call("getMe"))[0] for _ in range(20)]

    first = await outcomes()
    assert first == await outcomes()
    assert set(first) == {200, 403}


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "pigeon"},
        {"kind": "forbidden", "probability": 2},
        {"kind": "forbidden", "count": 0},
        {"kind": "migrate"},
    ],
)
async def test_rules_that_make_no_sense_are_refused(stage: Stage, rule: dict[str, str]) -> None:
    with pytest.raises(SimulatorError) as caught:
        await stage.client.add_fault(**rule)
    assert caught.value.status == 400
    assert await stage.client.faults() == []
