"""One update, or one thing that is due, in one transaction: who, which conversation, what is said, commit."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import bound_contextvars

from bot import identity
from bot.groups import GroupManners
from bot.lines import as_line, as_lines
from bot.outages import Outages
from bot.router import Heard, Reception, as_input, hear, reception
from bot.types import InboundChannel, InboundInput, InputKind, UnusableUpdateError
from crm.bots import service as bots
from crm.conversations import service as conversations
from crm.conversations import wakes
from crm.conversations.types import Conversation, NewMessage, Wake, WakeKind
from crm.db import clock
from crm.db.company import Company
from crm.db.joint import write_last_together
from crm.db.savepoint import SavepointsNeeded
from crm.db.seats import Apart
from crm.db.session import Sessions
from crm.inbox import service as inbox
from crm.inbox.types import TakenUpdate
from crm.kit.clock import monotonic
from crm.kit.errors import NotFoundError
from crm.kit.failures import where
from crm.members.types import Contact, Identity
from crm.messages.types import Outbound
from crm.referrals.service import devices
from flows.engine.engine import Engine

MAX_WAKE_ATTEMPTS = 5
WAKE_AGAIN = timedelta(minutes=1)
APART = 3
"""Updates that are handled alone at the same time, each with a connection."""
log = structlog.get_logger(__name__)
Deliver = Callable[[Sequence[UUID]], Awaitable[None]]
Observe = Callable[[str, float], None]
"""Takes what became of an update (`handled`, `failed`, `given_up`) and the seconds that it took."""


def _nothing(_: str, __: float) -> None:
    """Nobody measures."""


class Outbox(Protocol):
    """Inserts the deliveries of one turn in its transaction; `bot.replies.enqueue` is the one that is shipped."""

    def __call__(
        self,
        session: AsyncSession,
        identity: Identity,
        source: tuple[str, str],
        messages: Sequence[Outbound],
        *,
        is_gated: bool,
    ) -> Awaitable[Sequence[UUID]]:
        """The ids of what to deliver after the commit."""
        ...


@dataclass(frozen=True)
class Handled:
    """One update was dealt with: what to deliver now, or in how many seconds to try again."""

    delivery_ids: Sequence[UUID] = ()
    retry_after: float | None = None
    has_more: bool = True
    """Whether another update may wait in the chat."""


@dataclass
class Trial:
    """A chat whose first update is being handled, and the update once it is known."""

    bot_id: int
    chat_key: str
    taken: TakenUpdate | None = None


@dataclass
class Handler:
    """What handling needs, and the transactions that it makes."""

    sessions: Sessions
    channels: Mapping[str, InboundChannel]
    engine: Engine
    outbox: Outbox
    deliver_now: Deliver
    groups: GroupManners = field(default_factory=GroupManners)
    observe: Observe = _nothing
    outages: Outages = field(default_factory=Outages)
    _company: Company = field(init=False)
    _apart: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(APART))
    _names: dict[int, str] = field(default_factory=dict)
    _background: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Updates that come at the same time are handled in one transaction."""
        self._company = Company(self.sessions)

    async def serves(self, bot_id: int) -> bool:
        """Whether there is such a bot and this process serves its channel."""
        if bot_id not in self._names:
            try:
                async with self.sessions() as session:
                    self._names[bot_id] = (await bots.get(session, bot_id)).channel
            except NotFoundError:
                return False
        return self._names[bot_id] in self.channels

    async def next_update(self, bot_id: int, chat_key: str, *, time_limit: float) -> Handled | None:
        """Handle the chat's first update, or count its failure; None when none waits that this process serves."""
        if not await self.serves(bot_id):
            return None
        trial = Trial(bot_id, chat_key)
        started = monotonic()
        try:
            async with asyncio.timeout(time_limit):
                handled = await self._try(trial)
        except Exception as error:
            if trial.taken is None:
                raise
            done = await self._failed(trial.taken, error)
            self.observe("given_up" if done.retry_after is None else "failed", monotonic() - started)
            return done
        if handled is not None and handled.retry_after is None:
            self.observe("handled", monotonic() - started)
        return handled

    async def due(self, wake: Wake, *, time_limit: float) -> Sequence[UUID]:
        """Handle a timer or a job's result under its chat's lock; answers what to deliver."""
        try:
            async with asyncio.timeout(time_limit), self.sessions.begin() as session:
                await inbox.lock_chat(session, wake.bot_id, wake.chat_key)
                found = await wakes.find(session, wake.id)
                return [] if found is None else await self._wake(session, found)
        except Exception as error:  # noqa: BLE001 - one wake that fails must not stop the others
            log.warning("wake_failed", wake_id=wake.id, error=where(error))
        async with self.sessions.begin() as session:
            if wake.attempts + 1 >= MAX_WAKE_ATTEMPTS:
                await wakes.drop(session, wake.id)
            else:
                await wakes.postpone(session, wake.id, await clock.now(session) + WAKE_AGAIN)
        return []

    def deliver_soon(self, delivery_ids: Sequence[UUID]) -> None:
        """Deliver in the background, after the commit; what fails here is found by the deliveries' own sweeper.

        The chat does not wait for it: deliveries keep the order of one chat's replies.
        """
        if delivery_ids:
            self._later(self.deliver_now(delivery_ids))

    async def settle(self) -> None:
        """Wait for what runs in the background."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)

    async def _try(self, trial: Trial) -> Handled | None:
        """In company and without savepoints first, as a step hardly ever fails; alone and with them when one did."""
        try:
            order = (trial.bot_id, trial.chat_key)
            return await self._company.run(lambda session: self._first(session, trial, is_again=False), order=order)
        except (SavepointsNeeded, Apart):
            async with self._apart, self.sessions.begin() as session:
                return await self._first(session, trial, is_again=True)

    async def _first(self, session: AsyncSession, trial: Trial, *, is_again: bool) -> Handled | None:
        """All that an update does within its transaction."""
        taken = trial.taken = await inbox.next_for_chat(session, trial.bot_id, trial.chat_key)
        if taken is None:
            return None
        if taken.retry_after > 0:
            return Handled(retry_after=taken.retry_after)
        write_last_together(session)
        with bound_contextvars(update_id=str(taken.id), bot_id=taken.bot_id):
            ids = await self._update(session, taken, is_again=is_again)
        finished = await inbox.finish(session, taken)
        return Handled(ids, has_more=finished.has_more)

    async def _update(self, session: AsyncSession, taken: TakenUpdate, *, is_again: bool) -> Sequence[UUID]:
        channel = self._channel(taken.bot_id)
        parsed = channel.parse(taken.bot_id, taken.payload)
        if parsed is None:
            return []
        if parsed.tap_ref is not None and not is_again:
            self._later(channel.acknowledge(taken.bot_id, parsed))
        heard = hear(parsed)
        match reception(parsed.kind):
            case Reception.GROUP:
                await self._group(session, channel, heard.given)
                return []
            case Reception.REACHABILITY:
                contact = await identity.meet(session, heard.given)
                if parsed.kind is InputKind.BLOCKED:
                    await identity.note_blocked(session, contact)
                return []
            case Reception.CONVERSATION:
                return await self._converse(session, channel, heard, taken)

    async def _converse(
        self, session: AsyncSession, channel: InboundChannel, heard: Heard, taken: TakenUpdate
    ) -> Sequence[UUID]:
        contact, conversation = await identity.converse(session, heard.given, taken.chat_key)
        if heard.given.device is not None:
            await devices.note(session, contact.member.id, heard.given.device)
        given = as_input(heard.given, taken.id)
        with bound_contextvars(member_id=contact.member.id):
            is_tap_lost = await self._is_tap_lost(session, conversation, heard.given, taken)
            messages = await self.engine.handle(
                session, contact, conversation, given, channel.traits, is_tap_lost=is_tap_lost
            )
        lines = [as_line(heard), *as_lines(messages, channel.traits)]
        return await self._send(session, contact, ("update", str(taken.id)), messages, lines)

    async def _is_tap_lost(
        self, session: AsyncSession, conversation: Conversation, given: InboundInput, taken: TakenUpdate
    ) -> bool:
        """Whether the member may have tapped something while nobody listened; true once per chat and outage."""
        outage = await self.outages.since(session, taken, given, conversation)
        if outage is None or given.kind is InputKind.BUTTON:
            return False
        return self.engine.waits_for_tap(conversation) or await conversations.offered_buttons(
            session, conversation.identity_id, before=outage.since
        )

    async def _wake(self, session: AsyncSession, wake: Wake) -> Sequence[UUID]:
        channel = self._channel(wake.bot_id)
        contact = await identity.known(session, wake.identity_id)
        conversation = await conversations.load(session, wake.identity_id, bot_id=wake.bot_id, chat_key=wake.chat_key)
        messages = await self.engine.wake(session, contact, conversation, wake, channel.traits)
        if messages is None:
            await wakes.postpone(session, wake.id, await clock.now(session) + WAKE_AGAIN)
            return []
        await wakes.drop(session, wake.id)
        lines = as_lines(messages, channel.traits)
        is_gated = wake.kind is WakeKind.REMINDER
        return await self._send(session, contact, ("wake", str(wake.id)), messages, lines, is_gated=is_gated)

    async def _send(
        self,
        session: AsyncSession,
        contact: Contact,
        source: tuple[str, str],
        messages: Sequence[Outbound],
        lines: Sequence[NewMessage],
        *,
        is_gated: bool = False,
    ) -> Sequence[UUID]:
        await conversations.record(session, contact.identity.id, lines)
        if not messages:
            return []
        return await self.outbox(session, contact.identity, source, messages, is_gated=is_gated)

    async def _group(self, session: AsyncSession, channel: InboundChannel, given: InboundInput) -> None:
        if self.groups.may_speak(given.bot_id, given.address):
            message = await self.groups.words(session, self.engine.render, channel.traits)
            self._later(channel.answer_group(given.bot_id, given.address, message))

    async def _failed(self, taken: TakenUpdate, error: Exception) -> Handled:
        log.warning("update_failed", update_id=str(taken.id), attempt=taken.attempts + 1, error=where(error))
        async with self.sessions.begin() as session:
            await inbox.lock_chat(session, taken.bot_id, taken.chat_key)
            if isinstance(error, UnusableUpdateError):
                await inbox.give_up(session, taken, where(error), attempts=taken.attempts + 1)
                return Handled()
            delay = await inbox.fail(session, taken, where(error))
        if delay is not None:
            return Handled(retry_after=delay)
        return Handled(await self._apologise(taken))

    async def _apologise(self, taken: TakenUpdate) -> Sequence[UUID]:
        """A word to the member in a transaction of its own; the open question stays open."""
        try:
            async with self.sessions.begin() as session:
                await inbox.lock_chat(session, taken.bot_id, taken.chat_key)
                channel = self._channel(taken.bot_id)
                parsed = channel.parse(taken.bot_id, taken.payload)
                if parsed is None or reception(parsed.kind) is not Reception.CONVERSATION:
                    return []
                heard = hear(parsed)
                contact = await identity.meet(session, heard.given)
                messages = await self.engine.apology(session, contact, channel.traits)
                lines = [as_line(heard), *as_lines(messages, channel.traits)]
                return await self._send(session, contact, ("apology", str(taken.id)), messages, lines)
        except Exception as error:  # noqa: BLE001 - the dead letter stands; there is nobody left to tell
            log.warning("apology_failed", update_id=str(taken.id), error=where(error))
            return []

    def _channel(self, bot_id: int) -> InboundChannel:
        return self.channels[self._names[bot_id]]

    def _later(self, work: Awaitable[None]) -> None:
        """Outside work that no transaction waits for; its failure is logged, never raised."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - the provider may refuse; what was committed stands
                log.warning("background_work_failed", error=where(error))

        task = asyncio.create_task(guarded())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
