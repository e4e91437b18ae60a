"""The published limits: per bot, per chat with bursts, per group."""

import pytest

from bot.channels.telegram.simulator.config import RateLimits
from bot.channels.telegram.simulator.errors import BotApiError
from bot.channels.telegram.simulator.limits import Pacer

from .conftest import Stage


def _passes(pacer: Pacer, chat_id: int, now: float) -> bool:
    try:
        pacer.charge(1, chat_id, now=now)
    except BotApiError as error:
        return not (error.code == 429 and error.parameters and error.parameters["retry_after"] >= 1)
    return True


def test_thirty_a_second_for_the_bot() -> None:
    pacer = Pacer(RateLimits())
    assert sum(_passes(pacer, chat, 0.0) for chat in range(1, 101)) == 30
    assert sum(_passes(pacer, chat, 0.5) for chat in range(101, 201)) == 15
    sent = sum(_passes(pacer, 1000 + step, 1.0 + step / 100) for step in range(1000))
    assert 300 <= sent <= 330


def test_one_a_second_for_a_chat_after_a_burst() -> None:
    pacer = Pacer(RateLimits(chat_burst=3))
    assert [_passes(pacer, 5, 0.0) for _ in range(4)] == [True, True, True, False]
    assert [_passes(pacer, 5, 1.0), _passes(pacer, 5, 1.0)] == [True, False]
    assert _passes(pacer, 6, 1.0)


def test_twenty_a_minute_for_a_group() -> None:
    pacer = Pacer(RateLimits())
    assert sum(_passes(pacer, -5, 0.0) for _ in range(30)) == 20
    assert not _passes(pacer, -5, 2.9)
    assert _passes(pacer, -5, 3.0)


def test_a_refused_message_is_not_counted() -> None:
    pacer = Pacer(RateLimits(chat_burst=1))
    assert _passes(pacer, 5, 0.0)
    assert not any(_passes(pacer, 5, 0.5) for _ in range(50))
    assert _passes(pacer, 5, 1.0)


def test_an_album_passes_a_rested_chat() -> None:
    pacer = Pacer(RateLimits(chat_burst=3))
    pacer.charge(1, 5, now=0.0, weight=10)
    with pytest.raises(BotApiError) as caught:
        pacer.charge(1, 5, now=0.0)
    assert caught.value.parameters == {"retry_after": 8}


async def test_limits_can_be_set_and_lifted_over_http(stage: Stage) -> None:
    await stage.client.set_limits(is_enforced=True, chat_burst=2)
    outcomes = [(await stage.try_call("sendMessage", chat_id=stage.person_id, text="x"))[0] for _ in range(3)]
    assert outcomes == [200, 200, 429]
    assert (await stage.try_call("sendMessage", chat_id=stage.person_id, text=""))[0] == 400
    await stage.client.set_limits(is_enforced=False)
    await stage.send("free")
