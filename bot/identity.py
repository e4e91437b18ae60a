"""Who sent an input: the contact behind it, made on first sight; and whether messages still reach it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.types import InboundInput, InputKind
from crm.conversations import service as conversations
from crm.conversations.arriving import arrive
from crm.conversations.types import Conversation
from crm.kit.text import clean_text
from crm.members import service as members
from crm.members.types import Contact


async def meet(session: AsyncSession, given: InboundInput, *, found: Mapping[str, Any] | None = None) -> Contact:
    """The identity and member at the input's address, made on first contact. The caller holds the chat's lock.

    `found` is the contact's row when it is known already.
    """
    return await members.ensure_identity(
        session,
        bot_id=given.bot_id,
        channel=given.channel,
        address=given.address,
        display_name=given.display_name,
        username=given.username,
        locale_hint=given.locale_hint,
        revives=given.kind is not InputKind.BLOCKED,
        found=found,
    )


async def converse(session: AsyncSession, given: InboundInput, chat_key: str) -> tuple[Contact, Conversation]:
    """Like `meet`, with the conversation, which is made on first contact as well."""
    address = clean_text(given.address).strip()
    arrival = await arrive(session, bot_id=given.bot_id, address=address, chat_key=chat_key)
    contact = await meet(session, given, found=None if arrival is None else arrival.contact)
    if arrival is not None and arrival.conversation is not None:
        return contact, arrival.conversation
    return contact, await conversations.load(session, contact.identity.id, bot_id=given.bot_id, chat_key=chat_key)


async def note_blocked(session: AsyncSession, contact: Contact) -> None:
    """The person blocked the bot: nothing more is sent there until they write again."""
    await members.set_reachable(session, contact.identity.id, False, "blocked")


async def known(session: AsyncSession, identity_id: int) -> Contact:
    """The contact of an identity that is known. Raises NotFoundError."""
    identity = await members.identity(session, identity_id)
    return Contact(identity, await members.get(session, identity.member_id), is_new=False)
