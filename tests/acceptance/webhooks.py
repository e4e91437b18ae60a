"""Updates as Telegram pushes them, made by hand and delivered as often as a test likes."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from bot.channels.telegram.setup import WEBHOOK_PATH
from bot.channels.telegram.webhook import SECRET_HEADER
from crm.bots import service as bots
from crm.db.session import Sessions

_FIRST = 900_000_000_000
_numbers = count(_FIRST)


@dataclass(frozen=True)
class Door:
    """The way in of one bot's webhook, at any number of api processes."""

    path: str
    secret: str

    async def deliver(self, client: httpx.AsyncClient, update: dict[str, Any]) -> None:
        """Push one update; it must be acknowledged."""
        answer = await client.post(self.path, json=update, headers={SECRET_HEADER: self.secret})
        assert answer.status_code == httpx.codes.OK, answer.text


async def open_door(sessions: Sessions) -> Door:
    """The door of the deployment's Telegram bot."""
    async with sessions() as session:
        bot = (await bots.listing(session, channel="telegram"))[0]
        path = await bots.webhook_path_secret(session, bot.id)
        return Door(f"{WEBHOOK_PATH}/{path}", await bots.webhook_secret(session, bot.id))


def _update(**content: Any) -> dict[str, Any]:
    return {"update_id": next(_numbers), **content}


def _sender(user_id: int) -> dict[str, Any]:
    return {"id": user_id, "is_bot": False, "first_name": "Lin", "language_code": "en"}


def _message(user_id: int, **content: Any) -> dict[str, Any]:
    chat = {"id": user_id, "type": "private", "first_name": "Lin"}
    return {"message_id": next(_numbers), "date": 1_770_000_000, "chat": chat, "from": _sender(user_id), **content}


def text_update(user_id: int, text: str) -> dict[str, Any]:
    """Somebody wrote `text` in private."""
    return _update(message=_message(user_id, text=text))


def content_update(user_id: int, **content: Any) -> dict[str, Any]:
    """Somebody sent something else, such as a sticker."""
    return _update(message=_message(user_id, **content))


def tap_update(user_id: int, data: str) -> dict[str, Any]:
    """Somebody tapped a button with `data`."""
    query = {"id": str(next(_numbers)), "from": _sender(user_id), "chat_instance": "1", "data": data}
    return _update(callback_query={**query, "message": _message(user_id, text="a button")})
