"""Sending to a web page: the message is stored, shown at once where the visitor is, else on their return."""

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.contract import ChannelContext
from crm.db.session import Sessions
from crm.deliveries.types import InDoubt, Lane, NotAccepted, SendOutcome, Sent
from crm.messages.types import Outbound
from crm.webchat import service as webchat
from crm.webchat.types import Visitor

from . import notes
from .courtesy import Courtesy
from .manifest import NAME, TRAITS

_DATABASE_AWAY = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


class WebchatSender:
    """Implements `crm.deliveries.types.ChannelSender`: `sent` is stored, `delivered` is shown.

    An edit of a message that was shown before stays `sent`: nobody is shown a message twice.
    """

    name = NAME
    traits = TRAITS

    def __init__(self, sessions: Sessions, courtesy: Courtesy) -> None:
        self._sessions = sessions
        self._courtesy = courtesy

    async def send(self, bot_id: int, address: str, message: Outbound, *, lane: Lane) -> SendOutcome:
        """Store the message, then tell the processes in which the visitor may be."""
        del lane
        is_written = False
        try:
            async with self._sessions.begin() as session:
                stored = await webchat.store_said(session, Visitor(bot_id, address), message)
                is_written = True
        except _DATABASE_AWAY as error:
            detail = f"the message was not stored: {type(error).__name__}"
            return InDoubt(detail) if is_written else NotAccepted(detail)
        await notes.publish(self._courtesy, stored)
        return Sent(str(stored.id), awaits_receipt=stored.revision == 0)


def make(context: ChannelContext) -> WebchatSender:
    """The sender of this process."""
    return WebchatSender(context.sessions, Courtesy(context.valkey))
