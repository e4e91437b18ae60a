"""Pushing updates to a bot's webhook: one at a time per queue, with doubling delays."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import aiohttp
import orjson

from .json_types import Json
from .mailbox import Mailbox, Update
from .world.bots import Bot, Webhook

_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
_LONGEST_RETRY_AFTER = 3600.0
_GONE_SECONDS = 23 * 3600.0
_TAKEN = range(200, 300)
_CALL_IN_ANSWER = 64 * 1024

AnswerCall = Callable[[Bot, Json], Awaitable[None]]


class Courier:
    """Delivers one bot's updates as long as its webhook is set."""

    def __init__(self, mailbox: Mailbox, on_call: AnswerCall) -> None:
        self._mailbox = mailbox
        self._on_call = on_call
        self._queues: dict[str, asyncio.Task[None]] = {}

    async def run(self, webhook: Webhook) -> None:
        """Push until cancelled; each queue of updates has its own task while it is not empty."""
        places = asyncio.Semaphore(webhook.max_connections)
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            try:
                while True:
                    self._start_queues(session, webhook, places)
                    await self._mailbox.wait_for_arrival()
            finally:
                tasks = list(self._queues.values())
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self._queues.clear()

    def _start_queues(self, session: aiohttp.ClientSession, webhook: Webhook, places: asyncio.Semaphore) -> None:
        for update in list(self._mailbox.waiting.values()):
            if update.queue not in self._queues:
                work = self._drain(update.queue, session, webhook, places)
                self._queues[update.queue] = asyncio.create_task(work)

    async def _drain(
        self,
        queue: str,
        session: aiohttp.ClientSession,
        webhook: Webhook,
        places: asyncio.Semaphore,
    ) -> None:
        try:
            while (update := self._next(queue)) is not None and self._is_current(webhook):
                await self._deliver(update, session, webhook, places)
        finally:
            self._queues.pop(queue, None)

    def _is_current(self, webhook: Webhook) -> bool:
        return self._mailbox.bot.webhook is webhook

    def _next(self, queue: str) -> Update | None:
        waiting = self._mailbox.waiting.values()
        return next((update for update in waiting if update.queue == queue), None)

    async def _deliver(
        self,
        update: Update,
        session: aiohttp.ClientSession,
        webhook: Webhook,
        places: asyncio.Semaphore,
    ) -> None:
        config = self._mailbox.world.config
        delay = config.webhook_first_retry_seconds
        while update.update_id in self._mailbox.waiting and self._is_current(webhook):
            if update.expires_at <= config.clock():
                self._mailbox.drop(update.update_id)
                return
            async with places:
                wait = await self._post(update, session, webhook)
            if wait is None:
                self._mailbox.drop(update.update_id)
                return
            await asyncio.sleep(wait or delay)
            delay = min(delay * 2, config.webhook_retry_cap_seconds)

    async def _post(self, update: Update, session: aiohttp.ClientSession, webhook: Webhook) -> float | None:
        """Send once; None means taken, a number the seconds that the receiver asked to wait."""
        headers = {"Content-Type": "application/json"}
        if webhook.secret_token:
            headers[_SECRET_HEADER] = webhook.secret_token
        timeout = aiohttp.ClientTimeout(total=self._mailbox.world.config.webhook_timeout_seconds)
        try:
            async with session.post(
                webhook.url,
                data=orjson.dumps(update.body),
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                content = await answer.content.read(_CALL_IN_ANSWER)
                return await self._judge(answer, content, webhook)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._note_error(webhook, f"Connection failed: {type(error).__name__}")
            return 0.0

    async def _judge(self, answer: aiohttp.ClientResponse, content: bytes, webhook: Webhook) -> float | None:
        if answer.status in _TAKEN:
            webhook.gone_since = None
            await self._call_in_answer(content)
            return None
        self._note_error(webhook, f"Wrong response from the webhook: {answer.status} {answer.reason}")
        self._note_gone(webhook, is_gone=answer.status == HTTPStatus.GONE)
        asked = answer.headers.get("Retry-After", "")
        return min(float(asked), _LONGEST_RETRY_AFTER) if asked.isdecimal() else 0.0

    async def _call_in_answer(self, content: bytes) -> None:
        try:
            call = orjson.loads(content) if content.startswith(b"{") else None
        except orjson.JSONDecodeError:
            return
        if isinstance(call, dict) and isinstance(call.get("method"), str):
            await self._on_call(self._mailbox.bot, call)

    def _note_error(self, webhook: Webhook, text: str) -> None:
        webhook.last_error_date = self._mailbox.world.now()
        webhook.last_error_message = text
        self._mailbox.world.keep_bot(self._mailbox.bot)

    def _note_gone(self, webhook: Webhook, *, is_gone: bool) -> None:
        now = self._mailbox.world.config.clock()
        if not is_gone:
            webhook.gone_since = None
        elif webhook.gone_since is None:
            webhook.gone_since = now
        elif now - webhook.gone_since >= _GONE_SECONDS:
            self._mailbox.bot.webhook = None
            self._mailbox.world.keep_bot(self._mailbox.bot)
