"""The first frame of a connection: who the visitor is, and what they are shown first."""

from dataclasses import dataclass
from typing import Any

from crm.bots.types import Bot
from crm.brand import service as brands
from crm.brand.types import Brand
from crm.kit.clock import process_now
from crm.members import service as members
from crm.members.types import Contact, MemberChanges
from crm.referrals.service import devices
from crm.webchat import service as webchat
from crm.webchat.types import Visitor

from . import inbound, tokens
from .desk import Desk
from .frames import Hello
from .policy import spoken
from .views import brand_view, menu_view


class TooManyVisitorsError(Exception):
    """The network address became too many visitors within a minute."""


@dataclass(frozen=True)
class Greeted:
    """A visitor who said hello; `welcome` is the answer, `opening` is the update to store then, if any."""

    visitor: Visitor
    locale: str
    welcome: dict[str, Any]
    opening: tuple[str, bytes] | None


async def greet(desk: Desk, bot: Bot, hello: Hello, network: str, agent: str = "") -> Greeted:
    """Know the visitor by their token, or give them one.

    Raises TokenInvalidError, TokenExpiredError, TooManyVisitorsError.
    """
    now = process_now()
    visitor, token = None, hello.token
    if token:
        known = tokens.read(desk.vault, bot, token, now)
        visitor, token = known.visitor, None if known.is_old else token
    elif not await desk.counters.allows(f"visitors:{network}", desk.limits.visitors):
        raise TooManyVisitorsError
    visitor = visitor or tokens.new_visitor(bot)
    async with desk.sessions.begin() as session:
        brand = await brands.get(session)
        contact = await members.find_contact(session, visitor.bot_id, visitor.address)
        locale = _locale(brand, contact, hello)
        if contact is not None and hello.has_switched and contact.member.locale != locale:
            await members.change(session, contact.member.id, MemberChanges(locale=locale), by="member")
        labels = desk.menu(await webchat.menu(session, visitor), locale)
    welcome = {
        "type": "welcome",
        "token": token or tokens.issue(desk.vault, bot, visitor, now),
        "brand": brand_view(desk.vault, brand),
        "locale": locale,
        "menu": menu_view(labels),
    }
    device = devices.fingerprint(desk.vault, network, agent)
    return Greeted(visitor, locale, welcome, _opening(visitor, contact, hello, locale, device))


def _locale(brand: Brand, contact: Contact | None, hello: Hello) -> str:
    """The member's language, unless they just chose another one on the page."""
    asked = spoken(brand, hello.locale) or brand.default_locale
    if contact is None or hello.has_switched:
        return asked
    return contact.member.locale


def _opening(
    visitor: Visitor, contact: Contact | None, hello: Hello, locale: str, device: str
) -> tuple[str, bytes] | None:
    """Key and payload of "the chat was opened": for strangers, and for those who come by a deep link.

    A link that is loaded again within the hour opens nothing anew.
    """
    if contact is not None and hello.start is None:
        return None
    hour = process_now().strftime("%Y%m%d%H") if contact is not None else ""
    key = f"{visitor.address}:start:{hello.start or ''}:{hour}"
    return key, inbound.opened(visitor.address, hello.start, locale, device)
