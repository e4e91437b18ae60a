"""Endpoints that read chats, wait for messages and stream changes."""

import asyncio
from collections.abc import AsyncIterator

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.channels.telegram.simulator.acting.seats import find_person, find_seat
from bot.channels.telegram.simulator.acting.speaking import Seat
from bot.channels.telegram.simulator.acting.views import message_view, person_view, seat_view, shown_text
from bot.channels.telegram.simulator.api import json_response
from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.errors import BotApiError
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.live import GOODBYE
from bot.channels.telegram.simulator.methods.call import not_found
from bot.channels.telegram.simulator.world.dialogs import Message
from bot.channels.telegram.simulator.world.files import unique_id_of

from .answers import Ask

_LONGEST_WAIT = 60.0
_HEARTBEAT_SECONDS = 15.0


async def list_people(ask: Ask) -> list[Json]:
    """All pretend users, newest first."""
    limit = max(1, min(ask.given.integer("limit", 100), 500))
    newest = list(ask.simulator.world.people.values())[: -limit - 1 : -1]
    return [person_view(person) for person in newest]


async def list_chats(ask: Ask) -> list[Json]:
    """All chats of a user."""
    person = find_person(ask.simulator, ask.part("person"))
    peers = [d.bot_id or d.chat_id for d in ask.simulator.world.dialogs_of(person)]
    return [seat_view(find_seat(ask.simulator, str(person.id), str(peer))) for peer in peers]


async def list_messages(ask: Ask) -> list[Json]:
    """A chat's messages that changed after `after` (a sequence), oldest first."""
    seat = find_seat(ask.simulator, ask.part("person"), ask.part("peer"))
    after, limit = ask.given.integer("after", 0), max(1, min(ask.given.integer("limit", 200), 1000))
    history = ask.simulator.world.history(seat.dialog).values()
    return [message_view(m) for m in history if m.sequence > after][-limit:]


async def wait_for_message(ask: Ask) -> Json | None:
    """The first message of a bot after `after` that contains a text; waits for it if need be."""
    seat = find_seat(ask.simulator, ask.part("person"), ask.part("peer"))
    after, wanted = ask.given.integer("after", 0), ask.given.text("contains")
    timeout = min(max(ask.given.number("timeout", 10.0), 0.0), _LONGEST_WAIT)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    with ask.simulator.live.watch(seat.person.id) as feed:
        while (found := _next_of_bot(seat, after, wanted)) is None:
            try:
                event = await asyncio.wait_for(feed.get(), deadline - loop.time())
            except TimeoutError:
                return None
            if event["type"] == GOODBYE:
                return None
        return message_view(found)


async def callback_answer(ask: Ask) -> Json | None:
    """How the bot answered a pressed button, or nothing yet."""
    query = ask.simulator.world.callbacks.get(ask.part("query"))
    if query is None:
        raise BotApiError(404, "Not Found: there is no such callback query, or it has expired")
    return query.answer


async def stream(simulator: Simulator, request: Request) -> Response:
    """All changes in a user's chats as server-sent events."""
    try:
        person = find_person(simulator, request.path_params["person"])
    except BotApiError as error:
        return json_response(error.body(), error.code)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = _events(simulator, person.id)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def show_file(simulator: Simulator, request: Request) -> Response:
    """A file for the chat page; pictures are shown, all else is downloaded."""
    try:
        bot_id, file_id = int(request.path_params["bot"]), request.path_params["file"]
        file = simulator.world.file(unique_id_of(bot_id, file_id))
        content = simulator.world.file_box.read(file.unique_id)
        if content is None:
            raise not_found()
    except BotApiError as error:
        return json_response(error.body(), error.code)
    is_picture = file.kind in {"photo", "sticker"} and file.width > 0
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=86400"}
    if not is_picture:
        headers["Content-Disposition"] = "attachment"
    media_type = file.mime_type if is_picture and file.mime_type in _PICTURES else _BYTES
    return Response(content, media_type=media_type, headers=headers)


_BYTES = "application/octet-stream"
_PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


def _next_of_bot(seat: Seat, after: int, wanted: str) -> Message | None:
    found = [
        message
        for message in seat.simulator.world.history(seat.dialog).values()
        if message.bot_id and message.sequence > after and not message.is_deleted and wanted in shown_text(message)
    ]
    return min(found, key=lambda message: message.sequence, default=None)


async def _events(simulator: Simulator, person_id: int) -> AsyncIterator[bytes]:
    with simulator.live.watch(person_id) as feed:
        yield b'data: {"type":"hello"}\n\n'
        while True:
            try:
                event = await asyncio.wait_for(feed.get(), _HEARTBEAT_SECONDS)
                if event["type"] == GOODBYE:
                    return
                yield b"data: " + orjson.dumps(_with_message(simulator, person_id, event)) + b"\n\n"
            except TimeoutError:
                yield b": still here\n\n"


def _with_message(simulator: Simulator, person_id: int, event: Json) -> Json:
    seat = find_seat(simulator, str(person_id), str(event["peer"]))
    if event["type"] == "chat":
        return {**event, "chat": seat_view(seat)}
    if event["type"] != "message":
        return event
    message = simulator.world.history(seat.dialog).get(event["message_id"])
    view = message_view(message) if message else None
    return {**event, "view": view, "keyboard": seat.dialog.keyboard}
