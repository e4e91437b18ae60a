"""A typed client for scripts: make people, let them talk to a bot, wait for its answers."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

from .json_types import Json

_WAIT_MARGIN = 10.0


class SimulatorError(Exception):
    """The simulator refused a request."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(f"{status}: {description}")
        self.status = status
        self.description = description


class SimulatorClient:
    """Drives a simulator over HTTP; use it as an async context manager.

    A `peer` is a bot's id or username, or a group's chat id. Messages are given as the views that
    the simulator answers: `message_id`, `sequence`, `message` (the Bot API's object) and more.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def create_bot(self, username: str, name: str, *, token: str = "") -> Json:
        """Register a bot; the answer holds its `token`."""
        return _object(await self._post("bots", {"username": username, "name": name, "token": token}))

    async def remove_bot(self, bot: int | str) -> None:
        """Forget a bot with its chats."""
        await self._call("DELETE", f"bots/{bot}", {})

    async def revoke_token(self, bot: int | str) -> str:
        """Give a bot a new token, which is returned."""
        return str(_object(await self._post(f"bots/{bot}/revoke"))["token"])

    async def create_user(
        self, first_name: str, *, user_id: int = 0, language_code: str = "", last_name: str = "", phone: str = ""
    ) -> Json:
        """Make a pretend user; the answer holds its `id`."""
        values = {"id": user_id, "first_name": first_name, "last_name": last_name}
        return _object(await self._post("users", {**values, "language_code": language_code, "phone": phone}))

    async def change_user(self, user_id: int, **changes: str | bool) -> Json:
        """Change a pretend user, for example `is_deactivated=True`."""
        return _object(await self._call("PATCH", f"users/{user_id}", changes))

    async def start(self, user_id: int, peer: int | str, payload: str = "") -> Json:
        """Press Start, with a deep link's payload if given."""
        return _object(await self._post(_chat(user_id, peer, "start"), {"payload": payload}))

    async def send_text(self, user_id: int, peer: int | str, text: str, *, reply_to: int = 0) -> Json:
        """Write a text or a command."""
        values = {"text": text, "reply_to": reply_to}
        return _object(await self._post(_chat(user_id, peer, "messages"), values))

    async def send_contact(self, user_id: int, peer: int | str, contact: Json | None = None) -> Json:
        """Share the own contact, or a given card with `phone_number` and `first_name`."""
        return _object(await self._post(_chat(user_id, peer, "messages"), {"contact": contact or True}))

    async def send_location(self, user_id: int, peer: int | str, latitude: float, longitude: float) -> Json:
        """Share a place."""
        place = {"latitude": latitude, "longitude": longitude}
        return _object(await self._post(_chat(user_id, peer, "messages"), {"location": place}))

    async def send_file(
        self, user_id: int, peer: int | str, kind: str, file: Json | None = None, *, caption: str = ""
    ) -> Json:
        """Send a `photo`, `sticker` or `document`; without a file a sample is sent."""
        values = {kind: file or True, "caption": caption}
        return _object(await self._post(_chat(user_id, peer, "messages"), values))

    async def press_button(
        self, user_id: int, peer: int | str, message_id: int, *, text: str = "", data: str = ""
    ) -> Json:
        """Tap an inline button by its text or its data."""
        values = {"message_id": message_id, "text": text, "data": data}
        return _object(await self._post(_chat(user_id, peer, "press"), values))

    async def press_key(self, user_id: int, peer: int | str, text: str) -> Json:
        """Tap a key of the keyboard under the text field."""
        return _object(await self._post(_chat(user_id, peer, "keyboard"), {"text": text}))

    async def block(self, user_id: int, peer: int | str) -> Json:
        """Block a bot."""
        return _object(await self._post(_chat(user_id, peer, "block")))

    async def unblock(self, user_id: int, peer: int | str) -> Json:
        """Unblock a bot."""
        return _object(await self._post(_chat(user_id, peer, "unblock")))

    async def chats(self, user_id: int) -> list[Json]:
        """All chats of a user."""
        return _objects(await self._get(f"users/{user_id}/chats"))

    async def messages(self, user_id: int, peer: int | str, *, after: int = 0) -> list[Json]:
        """A chat's messages that changed after a sequence, oldest first."""
        return _objects(await self._get(_chat(user_id, peer, "messages"), {"after": after}))

    async def wait_for_message(
        self, user_id: int, peer: int | str, *, contains: str = "", after: int = 0, seconds: float = 10.0
    ) -> Json:
        """The bot's first message after a sequence that contains a text; raises TimeoutError.

        Waits up to `seconds`, at most 60.
        """
        query: dict[str, str | float] = {"contains": contains, "after": after, "timeout": seconds}
        found = await self._get(_chat(user_id, peer, "wait"), query, seconds + _WAIT_MARGIN)
        if found is None:
            raise TimeoutError(f"no message with {contains!r} came within {seconds} seconds")
        return _object(found)

    async def callback_answer(self, callback_query_id: str) -> Json | None:
        """How the bot answered a tap, or nothing yet."""
        answer = await self._get(f"callbacks/{callback_query_id}")
        return None if answer is None else _object(answer)

    async def create_group(self, title: str, user_id: int, bots: list[int | str]) -> Json:
        """Make a group of a user with bots; the answer holds its `chat_id`."""
        return _object(await self._post("groups", {"title": title, "user_id": user_id, "bots": bots}))

    async def change_group(self, chat_id: int, action: str, user_id: int, *, bot: int | str = "") -> Json:
        """Carry out `add_user`, `add_bot`, `kick_bot` or `migrate` on a group."""
        values = {"action": action, "user_id": user_id, "bot": str(bot)}
        return _object(await self._post(f"groups/{chat_id}", values))

    async def add_fault(self, kind: str, **rule: str | float | bool) -> Json:
        """Put a fault in force; see `faults.Fault` for the fields of a rule."""
        return _object(await self._post("faults", {"kind": kind, **rule}))

    async def faults(self) -> list[Json]:
        """The faults in force with their counters."""
        return _objects(await self._get("faults"))

    async def lift_faults(self) -> None:
        """Lift all faults."""
        await self._call("DELETE", "faults", {})

    async def set_limits(self, **limits: float | bool) -> Json:
        """Change the sending limits; `is_enforced=False` lifts them."""
        return _object(await self._call("PATCH", "limits", limits))

    async def statistics(self) -> Json:
        """Counts of calls by method and status, and the latest calls."""
        return _object(await self._get("statistics"))

    async def _post(self, path: str, values: Mapping[str, Any] | None = None) -> Any:
        return await self._call("POST", path, values or {})

    async def _get(self, path: str, query: Mapping[str, str | float] | None = None, seconds: float = 30.0) -> Any:
        return await self._request("GET", path, seconds, params=query)

    async def _call(self, verb: str, path: str, values: Mapping[str, Any]) -> Any:
        return await self._request(verb, path, 30.0, json=values)

    async def _request(self, verb: str, path: str, seconds: float, **content: Any) -> Any:
        if self._session is None:
            raise RuntimeError("use SimulatorClient in an `async with` block")
        address = f"{self.base_url}/simulator/{path}"
        limit = aiohttp.ClientTimeout(total=seconds)
        async with self._session.request(verb, address, timeout=limit, **content) as answer:
            body = await answer.json()
        if not body.get("ok"):
            raise SimulatorError(answer.status, str(body.get("description")))
        return body["result"]


def _chat(user_id: int, peer: int | str, action: str) -> str:
    return f"users/{user_id}/chats/{peer}/{action}"


def _object(value: Any) -> Json:
    return dict(value)


def _objects(value: Any) -> list[Json]:
    return [dict(item) for item in value]
