"""What pages are told: messages, the welcome and errors as JSON values."""

import base64
from typing import Any
from uuid import UUID

from bot.channels.webchat.inbound import MENU
from crm.brand.types import Brand
from crm.kit.crypto import Vault
from crm.webchat.types import ChatDirection, ChatMessage

_PURPOSE = "webchat picture"
_KEY_BYTES = 12
_ERRORS = {
    "zh-CN": {
        "too_large": "消息太长了，请缩短后再发。",
        "too_many": "消息太频繁了，请稍等片刻。",
        "busy": "现在访问的人太多，请稍后再试。",
        "unavailable": "暂时无法处理，正在重试。",
        "invalid_frame": "无法识别这条消息，请刷新页面后再试。",
    },
    "en": {
        "too_large": "That message is too long; please send a shorter one.",
        "too_many": "That was too much at once; please wait a moment.",
        "busy": "Too many people are here right now; please try again in a while.",
        "unavailable": "That did not work just now; it will be tried again.",
        "invalid_frame": "That message could not be understood; please reload the page.",
    },
}
_SILENT = {"token_invalid", "token_expired"}


def photo_url(vault: Vault, media_id: UUID) -> str:
    """Address of a picture; its key proves that a message or the brand showed it."""
    return f"/chat/media/{media_id}?key={picture_key(vault, media_id)}"


def picture_key(vault: Vault, media_id: UUID) -> str:
    """What opens this picture, and no other."""
    return base64.urlsafe_b64encode(vault.sign(media_id.bytes, _PURPOSE)[:_KEY_BYTES]).decode()


def brand_view(vault: Vault, brand: Brand) -> dict[str, str]:
    """Name and logo."""
    logo = brand.logo_media_id
    return {"name": brand.name, "logo_url": "" if logo is None else photo_url(vault, logo)}


def message_view(vault: Vault, message: ChatMessage) -> dict[str, Any]:
    """A message for the page."""
    photo = message.photo_media_id
    return {
        "id": str(message.id),
        "direction": message.direction.value,
        "text": message.text,
        "html": message.direction is ChatDirection.OUT,
        "at": message.at.isoformat(),
        "buttons": [
            [{"label": one.label, **({"url": one.url} if one.url else {"data": one.data})} for one in row]
            for row in message.buttons
        ],
        "photo_url": None if photo is None else photo_url(vault, photo),
    }


def menu_view(labels: tuple[str, ...]) -> list[dict[str, str]]:
    """The keys of the persistent menu; tapping one says its label."""
    return [{"label": label, "data": f"{MENU}{label}"} for label in labels]


def error_view(code: str, locale: str, frame_id: str | None = None) -> dict[str, Any]:
    """What went wrong, in words where the visitor can do something about it."""
    words = _ERRORS["zh-CN" if locale.startswith("zh") else "en"]
    text = "" if code in _SILENT else words.get(code, words["invalid_frame"])
    return {"type": "error", "code": code, "text": text, "id": frame_id}
