"""Fetching the updates of one bot: fetch, commit to the inbox, and only then move the offset."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from bot.channels.contract import Intake
from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.db.session import Sessions
from crm.inbox import outages
from crm.inbox.outages import SIGN_EVERY
from crm.kit.clock import monotonic

from .access import DATABASE_AWAY, Access, stop_refused
from .answers import Answer, Reply, describe
from .keys import ALLOWED_UPDATES, keys_of
from .outcomes import is_bad_token, retry_after
from .profile import Calls, tell
from .transport import BotApi

log = structlog.get_logger(__name__)
_CONFLICT, _THROTTLED = 409, 429
_JITTER_STEPS = 1 << 16
_CONFLICT_WAIT = 3.0


@dataclass(frozen=True)
class Pace:
    """Seconds."""

    long_poll: int = 25
    first_wait: float = 1.0
    longest_wait: float = 30.0
    margin: float = 10.0
    """How much longer than the long poll an answer may take."""


class Fetcher:
    """Serves one bot until it is cancelled or its token is refused."""

    def __init__(
        self, api: BotApi, sessions: Sessions, intake: Intake, *, bot_id: int, access: Access, pace: Pace | None = None
    ) -> None:
        self._api = api
        self._sessions = sessions
        self._intake = intake
        self._bot_id = bot_id
        self._access = access
        self._pace = pace or Pace()
        self._offset: int | None = None
        self._failures = 0
        self._signed_at: float | None = None
        self._may_be_contested = True
        """Whether the alert of a second poller may be open: at first nobody knows what an earlier process left."""

    async def run(self, preparing: Calls) -> None:
        """Prepare the bot for polling, then fetch for ever; returns only when its token is refused."""
        is_prepared = False
        while True:
            refused = await (self._fetch() if is_prepared else tell(self._api, self._access, preparing))
            if refused is None:
                is_prepared = True
                self._failures = 0
                await self._note_alone()
            elif is_bad_token(refused):
                if await self._stop_bot(refused):
                    return
            else:
                await self._note_contested(refused)
                await asyncio.sleep(self._wait_after(refused))

    async def _fetch(self) -> Reply | None:
        """One long poll; None when it went well and everything it brought is committed."""
        values: dict[str, Any] = {"timeout": self._pace.long_poll, "allowed_updates": ALLOWED_UPDATES}
        if self._offset is not None:
            values["offset"] = self._offset
        patience = self._pace.long_poll + self._pace.margin
        reply = await self._api.call(self._access, "getUpdates", values, pool="poll", read_timeout=patience)
        if not isinstance(reply, Answer) or not reply.is_ok or not isinstance(reply.result, list):
            return reply
        try:
            await self._give_sign()
            await self._take_in(reply.result)
        except DATABASE_AWAY as error:
            return Answer(503, description=f"the inbox cannot be reached: {type(error).__name__}")
        return None

    async def _give_sign(self) -> None:
        """Note that this bot is listened to, before what came in is stored: an outage must be known by then."""
        if self._signed_at is not None and monotonic() - self._signed_at < SIGN_EVERY.total_seconds():
            return
        async with self._sessions.begin() as session:
            await outages.listening(session, self._bot_id)
        self._signed_at = monotonic()

    async def _take_in(self, updates: list[Any]) -> None:
        """Commit updates one by one; those behind a failure stay at the server and come again."""
        for raw in updates:
            payload = orjson.dumps(raw)
            keys = keys_of(raw, payload)
            await self._intake(bot_id=self._bot_id, update_key=keys.update, chat_key=keys.chat, payload=payload)
            if keys.update.isdecimal():
                self._offset = int(keys.update) + 1
        if not updates:
            # All before it is confirmed by now. Ids may start over at a lower number, which an old offset would skip.
            self._offset = None

    async def _stop_bot(self, refused: Reply) -> bool:
        try:
            is_stopped = await stop_refused(self._sessions, self._bot_id, self._access.token, describe(refused))
        except DATABASE_AWAY:
            is_stopped = False
            await asyncio.sleep(self._backoff())
        if is_stopped:
            log.error("bot_stopped", bot_id=self._bot_id, detail=describe(refused), remedy="enter a new token")
        else:
            await asyncio.sleep(self._pace.first_wait)
        return is_stopped

    def _wait_after(self, refused: Reply) -> float:
        """Seconds to wait, after saying why."""
        self._failures += 1
        wait = self._backoff()
        if isinstance(refused, Answer) and refused.status == _THROTTLED:
            wait = max(wait, retry_after(refused))
        if isinstance(refused, Answer) and refused.status == _CONFLICT:
            wait = _CONFLICT_WAIT + wait
            self._tell_conflict(refused)
        else:
            log.warning("updates_not_fetched", bot_id=self._bot_id, detail=describe(refused), wait=round(wait, 1))
        return wait

    def _tell_conflict(self, refused: Answer) -> None:
        if "webhook" in refused.description.lower():
            event, remedy = "webhook_is_active", "another system has set a webhook for this bot; give it another token"
        else:
            event, remedy = "other_poller", "another program fetches this bot's updates; stop it or use another token"
        log.warning(event, bot_id=self._bot_id, detail=refused.description, remedy=remedy)

    async def _note_contested(self, refused: Reply) -> None:
        """Open the alert that another program takes this bot's updates."""
        if not isinstance(refused, Answer) or refused.status != _CONFLICT:
            return
        detail = "Another program fetches this bot's updates, or has set a webhook; stop it or use another token."
        with suppress(*DATABASE_AWAY):
            async with self._sessions.begin() as session:
                await alerts.raise_alert(session, AlertKind.SECOND_POLLER, str(self._bot_id), detail)
            self._may_be_contested = True

    async def _note_alone(self) -> None:
        if not self._may_be_contested:
            return
        with suppress(*DATABASE_AWAY):
            async with self._sessions.begin() as session:
                await alerts.resolve(session, AlertKind.SECOND_POLLER, str(self._bot_id))
            self._may_be_contested = False

    def _backoff(self) -> float:
        """1, 2, 4 .. 30 seconds, give or take a fifth."""
        doubled: float = self._pace.first_wait * (1 << min(self._failures, 10)) / 2
        wait = max(self._pace.first_wait, min(self._pace.longest_wait, doubled))
        return wait * (0.8 + 0.4 * secrets.randbelow(_JITTER_STEPS) / _JITTER_STEPS)
