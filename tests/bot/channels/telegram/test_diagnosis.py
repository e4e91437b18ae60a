"""What the doctor hears of bots from their server."""

from typing import Any

import pytest

from bot.channels.telegram.diagnosis import diagnose, judge
from crm.bots import service as bots

from .conftest import House

HERE, NOW = "https://siyu.example/webhooks/telegram/secret", 1_000_000.0
FINE: dict[str, Any] = {"url": "", "pending_update_count": 0}


async def test_nothing_is_amiss(house: House) -> None:
    assert await diagnose(house.context) == []
    assert await house.calls("getUpdates") == 0


async def test_a_refused_token_is_fatal(house: House) -> None:
    await house.client.revoke_token(house.account_id)
    (trouble,) = await diagnose(house.context)
    assert (trouble.bot, trouble.is_fatal) == ("Tea", True)
    assert "copy it again from @BotFather" in trouble.text


async def test_a_server_that_is_away_is_told(house: House) -> None:
    await house.change_bot(settings={"api_base": "http://127.0.0.1:9"})
    (trouble,) = await diagnose(house.context)
    assert "cannot be asked" in trouble.text
    assert trouble.is_fatal is False


async def test_a_bot_that_is_stopped_is_told(house: House) -> None:
    async with house.sessions.begin() as session:
        await bots.stop(session, house.bot.id, "its token was refused")
    (trouble,) = await diagnose(house.context)
    assert trouble.text == "The bot is stopped (its token was refused)."


async def test_webhook_mode_without_an_address(house: House) -> None:
    await house.change_bot(mode="webhook")
    (trouble,) = await diagnose(house.context)
    assert "SIYU_PUBLIC_URL" in trouble.text
    assert trouble.is_fatal is True


@pytest.mark.parametrize(
    ("mode", "url", "said", "expected"),
    [
        ("polling", None, {}, None),
        ("webhook", HERE, {"url": HERE}, None),
        ("polling", None, {"url": "https://other.example/x"}, "leads to other.example: start siyu poller"),
        ("webhook", HERE, {"url": "https://other.example/x"}, "leads to other.example, not here: start siyu api"),
        ("webhook", HERE, {}, "No webhook is set: start siyu api"),
        ("webhook", HERE, {"url": HERE, "last_error_date": NOW - 60, "last_error_message": "TLS"}, "last hour: TLS"),
        ("webhook", HERE, {"url": HERE, "last_error_date": NOW - 86400, "last_error_message": "TLS"}, None),
        ("polling", None, {"pending_update_count": 5000}, "5000 updates wait"),
        ("polling", None, {"url": 5, "last_error_date": "never", "pending_update_count": "many"}, "another address"),
    ],
)
def test_what_the_word_on_the_webhook_means(
    mode: str, url: str | None, said: dict[str, Any], expected: str | None
) -> None:
    found = [text for text, _ in judge(mode, url, {**FINE, **said}, NOW)]
    assert len(found) == (expected is not None)
    assert expected is None or expected in found[0]
    assert "secret" not in "".join(found), "the path is a secret"
