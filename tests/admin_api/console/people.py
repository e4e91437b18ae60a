"""A member with a bit of everything, for pages to show."""

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service as consent
from crm.conversations import service as conversations
from crm.conversations.types import Direction, NewMessage
from crm.members import attributes, service
from crm.members.types import Contact, MemberChanges
from crm.orders import service as orders
from crm.orders.types import OrderItem
from crm.sources import service as sources
from crm.sources.types import Source
from crm.tags import rules
from crm.tags import service as tags
from crm.tags.types import TagRule
from crm.tickets import service as tickets
from crm.tickets.types import Ticket
from tests.factories.bots import make_bot
from tests.factories.members import make_contact
from tests.factories.orders import new_order
from tests.factories.points import give

PHONE, EMAIL, ADDRESS, DOCUMENT = "+8613812345678", "hua@shop.example", "4815162342", "Passport E7788990"


@dataclass(frozen=True)
class Shown:
    """What was made."""

    contact: Contact
    source: Source
    rule: TagRule
    ticket: Ticket

    @property
    def member_id(self) -> int:
        """The member's id."""
        return self.contact.member.id

    @property
    def path(self) -> str:
        """The member's page."""
        return f"/console/members/{self.member_id}"


async def make_shown(session: AsyncSession, name: str = "林小满") -> Shown:
    """A member with phone, email, attributes, tags, points, orders, consent, a conversation and an open request."""
    bot = await make_bot(session)
    source = await sources.create(session, name, tags=["from:window"], kind="qr")
    contact = await make_contact(session, bot=bot, display_name=name, address=ADDRESS)
    member_id = contact.member.id
    await sources.touch(session, member_id, source.code, identity_id=contact.identity.id)
    await service.set_phone(session, member_id, PHONE, is_verified=True)
    await service.set_email(session, member_id, EMAIL)
    await attributes.define(session, "favourite", label={"en": name}, type="choice", choices=["Oolong", name])
    await attributes.define(session, "document", label={"en": "Document"}, type="text", is_personal=True)
    values = {"favourite": name, "document": DOCUMENT}
    await service.change(session, member_id, MemberChanges(attributes=values), by="test")
    await tags.add(session, member_id, f"likes:{name}", source="operator")
    rule = await rules.create(
        session, name=name, event_kind="order_placed", tag="vip:gold", where={"amount": {"at_least": 300}}
    )
    await give(session, member_id, 120)
    order = replace(new_order(member_id), items=[OrderItem(name, 2)])
    await orders.record(session, order)
    await consent.give(session, member_id, channel=bot.channel, topic="news", text_version="1", source="sign_up")
    said = [NewMessage(Direction.IN, "text", name), NewMessage(Direction.OUT, "html", "<b>Hi</b>", buttons=[name])]
    await conversations.record(session, contact.identity.id, said)
    ticket = await tickets.request_person(session, member_id, identity_id=contact.identity.id, note=name)
    return Shown(contact, source, rule, ticket)
