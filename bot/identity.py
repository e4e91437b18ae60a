"""Who sent an input: the contact behind it, made on first sight; and whether messages still reach it."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.types import InboundInput, InputKind
from crm.members import service as members
from crm.members.types import Contact


async def meet(session: AsyncSession, given: InboundInput) -> Contact:
    """The identity and member at the input's address, made on first contact. The caller holds the chat's lock."""
    return await members.ensure_identity(
        session,
        bot_id=given.bot_id,
        channel=given.channel,
        address=given.address,
        display_name=given.display_name,
        username=given.username,
        locale_hint=given.locale_hint,
        revives=given.kind is not InputKind.BLOCKED,
    )


async def note_blocked(session: AsyncSession, contact: Contact) -> None:
    """The person blocked the bot: nothing more is sent there until they write again."""
    await members.set_reachable(session, contact.identity.id, False, "blocked")


async def known(session: AsyncSession, identity_id: int) -> Contact:
    """The contact of an identity that is known. Raises NotFoundError."""
    identity = await members.identity(session, identity_id)
    return Contact(identity, await members.get(session, identity.member_id), is_new=False)
