"""The interactive lane: replies go out right after their commit; what a crash left is swept up.

The replies of one chat keep their order: each is claimed, sent and recorded before the next one is touched.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import bound_contextvars

from crm.db import clock
from crm.db.liveness import Liveness
from crm.db.session import Sessions
from crm.deliveries import effects, replies
from crm.deliveries.calling import with_reference
from crm.deliveries.policy import BOT_STOPPED_WAIT, conclude
from crm.deliveries.rates import Pacer, slot_for
from crm.deliveries.replies import Reply
from crm.deliveries.types import (
    ChannelSender,
    InDoubt,
    Lane,
    MessageClass,
    Migrated,
    SendOutcome,
    Throttled,
    Unauthorized,
    Unreachable,
)
from crm.kit.failures import where

log = structlog.get_logger(__name__)
_SWEEP = 50
_AT_ONCE = 8
_JITTER_STEPS = 1 << 16
_SOON = timedelta(seconds=2)


class InteractiveLane:
    """Delivers the replies of conversations; any number of processes may do so at once."""

    def __init__(
        self,
        sessions: Sessions,
        pacer: Pacer,
        senders: Mapping[str, ChannelSender],
        liveness: Liveness | None = None,
    ) -> None:
        self._sessions = sessions
        self._pacer = pacer
        self._senders = senders
        self._liveness = liveness
        self._is_stopping = False

    def stop(self) -> None:
        """Finish what is being sent and sweep no more: what waits in a chat is left to the next process."""
        self._is_stopping = True

    async def deliver_now(self, delivery_ids: Sequence[UUID]) -> None:
        """Send these committed replies, and whatever else waits in the same chats. Never raises for a failed send."""
        if not delivery_ids:
            return
        async with self._sessions.begin() as session:
            identities = await replies.identities_of(session, delivery_ids)
        await self._deliver_chats(identities)

    async def sweep(self) -> int:
        """Look after replies that are overdue; answers in how many chats."""
        if self._is_stopping:
            return 0
        async with self._sessions.begin() as session:
            identities = await replies.overdue(session, self._senders, _SWEEP)
        await self._deliver_chats(identities)
        return len(identities)

    async def _deliver_chats(self, identities: Sequence[int]) -> None:
        waiting = iter(identities)

        async def work() -> None:
            for identity_id in waiting:
                await self._deliver_chat(identity_id)

        await asyncio.gather(*(work() for _ in range(min(_AT_ONCE, len(identities)))))

    async def _deliver_chat(self, identity_id: int) -> None:
        owner = None if self._liveness is None else await self._liveness.owner()
        async with self._sessions.begin() as session:
            reply = await replies.claim_head(session, identity_id, self._senders, owner)
        while reply is not None:
            with bound_contextvars(delivery_id=str(reply.delivery_id)):
                outcome = await self._send(reply)
            async with self._sessions.begin() as session:
                await self._record(session, reply, outcome)
                if self._is_stopping:
                    return
                reply = await replies.claim_head(session, identity_id, self._senders, owner)

    async def _send(self, reply: Reply) -> SendOutcome:
        sender = self._senders[reply.channel]
        traits = sender.traits
        slot = slot_for(traits, reply.address, len(reply.message.text_html))
        waits = await self._pacer.reserve(reply.bot_id, Lane.INTERACTIVE, traits.replies_per_second, [slot])
        await asyncio.sleep(waits[0])
        outcome = await self._call(sender, reply, reply.address)
        if not isinstance(outcome, Migrated):
            return outcome
        if not await effects.move_address(self._sessions, reply.identity_id, outcome):
            return Unreachable("moved")
        return await self._call(sender, reply, outcome.address)

    async def _call(self, sender: ChannelSender, reply: Reply, address: str) -> SendOutcome:
        message = reply.message
        if reply.message_class is MessageClass.RECEIPT:
            message = with_reference(message, reply.delivery_id, reply.locale)
        try:
            return await sender.send(reply.bot_id, address, message, lane=Lane.INTERACTIVE)
        except Exception as error:  # noqa: BLE001 - a sender that raises broke its promise; nobody knows what it sent
            log.warning("sender_raised", channel=reply.channel, error=where(error))
            return InDoubt(f"the sender failed: {type(error).__name__}")

    async def _record(self, session: AsyncSession, reply: Reply, outcome: SendOutcome) -> None:
        now = await clock.now(session)
        jitter = secrets.randbelow(_JITTER_STEPS) / _JITTER_STEPS
        result = conclude(reply, outcome, reply.message_class, now, jitter)
        wait = _SOON if result.not_before is None else result.not_before - now
        if isinstance(outcome, Unauthorized):
            wait = BOT_STOPPED_WAIT
        if not await replies.record(session, reply, result, wait):
            log.warning("reply_claim_lost", delivery_id=str(reply.delivery_id))
            return
        await effects.note_unreachable(session, [result], [outcome])
        if isinstance(outcome, Throttled | Unauthorized):
            # Replies go first: when even they are too many, bulk has to wait as well.
            await effects.halt(session, reply.bot_id, outcome)


async def deliver_now(
    sessions: Sessions, pacer: Pacer, senders: Mapping[str, ChannelSender], delivery_ids: Sequence[UUID]
) -> None:
    """See `InteractiveLane.deliver_now`."""
    await InteractiveLane(sessions, pacer, senders).deliver_now(delivery_ids)
