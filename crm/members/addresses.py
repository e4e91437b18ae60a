"""Addresses of identities: what they look like, and moving a chat to the address that its provider gave it."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.text import clean_text
from crm.members.errors import AddressTaken, IdentityNotFound, InvalidMember
from crm.members.models import IdentityRow

_MOST = 256


def clean_address(text: str) -> str:
    """`text` as an address. Raises InvalidMember."""
    address = clean_text(text).strip()
    if not address or len(address) > _MOST:
        raise InvalidMember(f"a channel address is a text of 1 to {_MOST} characters")
    return address


async def migrate(session: AsyncSession, identity_id: int, new_address: str) -> None:
    """The provider gave the chat another address. Raises IdentityNotFound, AddressTaken."""
    address = clean_address(new_address)
    bot_id = await session.scalar(select(IdentityRow.bot_id).where(IdentityRow.id == identity_id))
    if bot_id is None:
        raise IdentityNotFound(identity_id=identity_id)
    taken = select(IdentityRow.id).where(
        IdentityRow.bot_id == bot_id, IdentityRow.address == address, IdentityRow.id != identity_id
    )
    if await session.scalar(taken) is not None:
        raise AddressTaken
    await session.execute(update(IdentityRow).where(IdentityRow.id == identity_id).values(address=address))
