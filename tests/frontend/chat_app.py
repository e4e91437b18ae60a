"""A scripted other side for the visitor's chat page: it speaks the socket's protocol and keeps what was said."""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.frontend.styleguide_app import CONTENT_POLICY, environment

Message = dict[str, Any]
RATING = [[{"label": str(score), "data": f"rate:{score}"} for score in range(11)]]
TASTES = ("Oolong", "Green", "Pu-erh")


@dataclass
class Room:
    """One visitor's conversation; `refuses` swallows texts without an acknowledgement."""

    messages: list[Message] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)
    chosen: set[str] = field(default_factory=set)
    refuses: bool = False

    def say(self, direction: str, text: str, **extra: Any) -> Message:
        """Add a message, a minute after the one before."""
        number = len(self.messages)
        at = f"2026-03-01T08:{number % 60:02d}:00+00:00"
        message = {"id": f"m{number}", "direction": direction, "text": text, "html": direction == "out", "at": at}
        message |= {"buttons": extra.get("buttons", []), "photo_url": extra.get("photo_url")}
        self.messages.append(message)
        return message

    def tastes(self) -> list[list[dict[str, str]]]:
        """The keys of a multi-select with what was chosen so far."""
        keys = [[{"label": f"☑ {one}" if one in self.chosen else one, "data": f"taste:{one}"}] for one in TASTES]
        return [*keys, [{"label": "Done", "data": "done"}]]


def routes(room: Room) -> list[Route | WebSocketRoute]:
    """The page, the embedded page, a brand's own page with the embed script, and the socket."""

    async def chat(request: Request) -> Response:
        values: dict[str, Any] = {"brand": {"name": "云间茶铺 Cloud Tea", "logo_url": ""}, "locale": "en"}
        values |= {"embed": request.url.path.endswith("embed"), "locales": ["zh-CN", "en"]}
        body = environment().get_template("webchat/page.html").render(values)
        policy = CONTENT_POLICY.replace("'none'", "http://localhost:*") if values["embed"] else CONTENT_POLICY
        return HTMLResponse(body, headers={"Content-Security-Policy": policy})

    async def shop(request: Request) -> Response:
        script = f"http://127.0.0.1:{request.url.port}/assets/embed.js"
        head = '<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">'
        return HTMLResponse(f'{head}<body><h1>Shop</h1><script src="{script}"></script>')

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                frame = await websocket.receive_json()
                room.frames.append(frame)
                for answer in answers(room, frame):
                    await websocket.send_json(answer)
        except WebSocketDisconnect:
            return

    pages = [Route("/chat", chat), Route("/chat/embed", chat), Route("/shop", shop)]
    return [*pages, WebSocketRoute("/chat/ws", socket)]


def answers(room: Room, frame: dict[str, Any]) -> list[dict[str, Any]]:
    """What the server says to one frame."""
    match frame:
        case {"type": "hello", "locale": locale}:
            menu = [{"label": label, "data": label} for label in ("签到 Check in", "My points", "Survey", "Help")]
            brand = {"name": "云间茶铺 Cloud Tea", "logo_url": None}
            return [{"type": "welcome", "token": "visitor-1", "brand": brand, "locale": locale, "menu": menu}]
        case {"type": "history", "before": before}:
            ids = [message["id"] for message in room.messages]
            end = ids.index(before) if before else len(ids)
            found = room.messages[max(0, end - 20) : end]
            return [{"type": "history", "messages": found, "more": end > len(found)}]
        case {"type": "text", "id": sent, "text": text} if not room.refuses:
            mine = room.say("in", text)
            reply = room.say("out", f"You said: <b>{text.replace('&', '&amp;').replace('<', '&lt;')}</b>")
            return [{"type": "ack", "id": sent, "message_id": mine["id"]}, {"type": "message", "message": reply}]
        case {"type": "tap", "id": sent, "data": data}:
            return [{"type": "ack", "id": sent, "message_id": None}, *tapped(room, data)]
    return []


def tapped(room: Room, data: str) -> list[dict[str, Any]]:
    """A multi-select is edited in place; anything else gets an answer."""
    if data.startswith("taste:"):
        room.chosen ^= {data.removeprefix("taste:")}
        asked = next(message for message in room.messages if message["text"].startswith("Which"))
        asked["buttons"] = room.tastes()
        return [{"type": "edit", "message": asked}]
    return [{"type": "message", "message": room.say("out", f"Thank you: {data}")}]


def sample_room() -> Room:
    """A conversation with one of everything."""
    room = Room()
    for number in range(24):
        room.say("out" if number % 2 else "in", f"Earlier message {number}")
    room.say("in", "/start")
    room.say("out", "Welcome to <b>Cloud Tea</b>! 欢迎光临 🍵\nI keep your points and your <i>daily check-in</i>.")
    room.say("out", "How likely are you to recommend us?", buttons=RATING)
    room.say("in", "签到")
    room.say("out", "Day <b>7</b> 🎉 +25 points\n<pre>Mo Tu We Th Fr Sa Su\n ✓  ✓  ✓  ✓  ✓  ✓  ✓</pre>")
    room.say("out", "Which teas do you like?", buttons=room.tastes())
    site = {"label": "Open the shop", "url": "https://example.org"}
    room.say("out", "<img src=x onerror=alert(1)>safe <a href='javascript:alert(1)'>link</a>", buttons=[[site]])
    return room
