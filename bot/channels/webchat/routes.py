"""The routes of the web chat."""

import hmac
from uuid import UUID

from fastapi import APIRouter, Request, Response, WebSocket
from fastapi.responses import FileResponse

from bot.channels.contract import ChannelContext
from crm.kit.assets import AssetsMissingError, asset_file
from crm.media import service as media
from crm.media.errors import MediaNotFoundError

from .desk import Desk, open_desk
from .limits import Limits
from .pages import chat_page, framed_page
from .socket import serve
from .views import picture_key

_NOT_FOUND = 404
_FOR_AN_HOUR = {"cache-control": "public, max-age=3600", "cross-origin-resource-policy": "cross-origin"}
_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}


def make(context: ChannelContext, limits: Limits | None = None) -> APIRouter:
    """Pages, script, pictures and socket; only for processes with an intake."""
    desk = open_desk(context, limits)
    router = APIRouter(include_in_schema=False)

    @router.get("/chat")
    async def chat(request: Request) -> Response:
        return await chat_page(desk, request)

    @router.get("/chat/embed")
    async def embed(request: Request) -> Response:
        return await framed_page(desk, request)

    @router.get("/chat/embed.js")
    async def script() -> Response:
        try:
            return FileResponse(asset_file("embed.js"), media_type="text/javascript", headers=_FOR_AN_HOUR)
        except AssetsMissingError as missing:
            return Response(f"/* {missing} */", _NOT_FOUND, media_type="text/javascript")

    @router.get("/chat/media/{media_id}")
    async def picture(media_id: UUID, key: str = "") -> Response:
        return await _picture(desk, media_id, key)

    @router.websocket("/chat/ws")
    async def socket(websocket: WebSocket) -> None:
        await serve(desk, websocket)

    return router


async def _picture(desk: Desk, media_id: UUID, key: str) -> Response:
    """A picture whose address we gave; any other is not found."""
    if not hmac.compare_digest(key.encode(), picture_key(desk.vault, media_id).encode()):
        return Response(status_code=_NOT_FOUND)
    async with desk.sessions() as session:
        try:
            content_type, data = await media.read(session, media_id)
        except MediaNotFoundError:
            return Response(status_code=_NOT_FOUND)
    return Response(data, media_type=content_type, headers=_FOREVER)
