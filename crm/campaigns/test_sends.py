"""Sending a message to oneself before anybody else gets it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns import service
from crm.campaigns.errors import NoTestRecipientError
from crm.db import clock
from crm.deliveries import service as deliveries
from crm.kit.ids import uuid7
from crm.members import service as members
from crm.messages import service as messages
from crm.messages.types import MessageContent
from crm.operators import service as operators

_SOURCE = "test"


@dataclass(frozen=True)
class TestSend:
    """What was put on its way to which chats of the operator."""

    __test__ = False  # the name is a word of the domain, nothing for pytest to collect
    identity_ids: list[int]
    delivery_ids: list[UUID]


async def send_campaign(session: AsyncSession, campaign_id: int, *, operator_id: int) -> TestSend:
    """Send the campaign's message to the operator's own chats. Raises CampaignNotFoundError and what `send` raises."""
    campaign = await service.get(session, campaign_id)
    return await send(session, campaign.message, operator_id=operator_id)


async def send(session: AsyncSession, content: MessageContent, *, operator_id: int) -> TestSend:
    """Send the message, rendered for the operator as a member, to each chat that the operator linked.

    Raises NoTestRecipientError, TemplateProblemsError, RenderingFailedError.
    """
    chats = await operators.linked_identities(session, operator_id)
    if not chats:
        raise NoTestRecipientError
    identity_ids, delivery_ids = [], []
    for chat in chats:
        identity = await members.identity(session, chat.identity_id)
        shown = await messages.preview(session, content, identity.member_id)
        source = (_SOURCE, str(uuid7(await clock.now(session))))
        delivery_ids += await deliveries.replies(session, identity, source, [shown])
        identity_ids.append(identity.id)
    return TestSend(identity_ids, delivery_ids)
