"""Short cuts into conversations: people of two languages, signed up or not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.members import service as members
from crm.points import service as points
from crm.sign_ups import service as sign_ups
from flows.testing import Conversation, conversation

LOCALES = ("en", "zh-CN")


async def open_shop(session: AsyncSession) -> None:
    """A brand with the shipped earning rules."""
    await brand.change(session, name="Tea & Co")
    await points.ensure_defaults(session)


@asynccontextmanager
async def stranger(
    session: AsyncSession, locale: str = "en", *, display_name: str = "Li Hua", channel: str = "telegram"
) -> AsyncIterator[Conversation]:
    """Someone who never wrote before."""
    await open_shop(session)
    async with conversation(session, locale=locale, display_name=display_name, channel=channel) as chat:
        yield chat


@asynccontextmanager
async def member(
    session: AsyncSession, locale: str = "en", *, display_name: str = "Li Hua", channel: str = "telegram"
) -> AsyncIterator[Conversation]:
    """Someone who signed up a moment ago, with the welcome gift, wanting news."""
    async with stranger(session, locale, display_name=display_name, channel=channel) as chat:
        await sign_ups.complete(session, chat.member_id, channel=channel)
        yield chat


async def is_signed_up(chat: Conversation) -> bool:
    """Whether the one who talks is a member by now."""
    return (await members.get(chat.session, chat.member_id)).is_signed_up


def words(locale: str, english: str, chinese: str) -> str:
    """The one that fits."""
    return english if locale == "en" else chinese
