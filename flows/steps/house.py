"""What a conversation needs to know about the brand."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.members.policy import region_of


@dataclass(frozen=True)
class House:
    """The brand as its members meet it."""

    name: str
    terms: dict[str, str]
    terms_version: str
    locales: list[str]
    region: str | None
    """The country that a phone typed without a country code is read in."""


async def house(session: AsyncSession, member_id: int) -> House:
    """The brand as it is now."""
    del member_id
    found = await brand.get(session)
    return House(found.name, found.terms, found.terms_version, found.locales, region_of(found.currency))
