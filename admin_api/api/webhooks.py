"""Outgoing webhooks: endpoints, their secrets, the log of messages, sending again."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, Cursor, IdPath, Limit, PageOf, paged
from crm.operators.permissions import Permission
from crm.webhooks import messages, service
from crm.webhooks.policy import LONGEST_OVERLAP
from crm.webhooks.types import (
    EVERY_KIND,
    Attempt,
    DisabledReason,
    Endpoint,
    EndpointStatus,
    IssuedEndpoint,
    Message,
    MessageState,
)

router = api_router("/api/v1/webhooks", "Webhooks")
_READ = allow(Permission.WEBHOOKS_READ)
_WRITE = allow(Permission.WEBHOOKS_WRITE)
_SENSITIVE = allow(Permission.WEBHOOKS_WRITE, sensitive=True)
Name = Annotated[str, Field(min_length=1, max_length=64)]
Address = Annotated[str, Field(min_length=1, max_length=2000, examples=["https://shop.example/hooks"])]
Kinds = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(min_length=1, max_length=200, examples=[["checked_in", "order_placed"], [EVERY_KIND]]),
]
EventId = Annotated[UUID, Path(description="The message's `event_id`, which is also its `webhook-id`.")]
StateOf = Annotated[MessageState | None, Query(description="Only messages that stand so.")]


class NewWebhook(Body):
    """Who is told of what; `*` stands for all kinds of events."""

    name: Name
    address: Address
    kinds: Kinds


class WebhookChange(Body):
    """Fields to change; what is left out stays."""

    name: Name | None = None
    address: Address | None = None
    kinds: Kinds | None = None


class Rotation(Body):
    """How long the present secret signs along with the new one."""

    overlap_hours: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP)] = 24


class WebhookView(BaseModel):
    """An endpoint without its secrets."""

    id: int
    name: str
    address: str
    kinds: list[str]
    status: EndpointStatus
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    failing_since: datetime | None
    older_secret_until: datetime | None
    created_by: int | None
    created_at: datetime


class IssuedWebhook(WebhookView):
    """An endpoint with its new secret, shown this one time."""

    secret: str


class MessageView(BaseModel):
    """One event for one endpoint, with the calls that were made."""

    message: Message
    attempts: list[Attempt]


class Replayed(BaseModel):
    """How many messages are sent again."""

    messages: int


def webhook_view(endpoint: Endpoint) -> WebhookView:
    """As the API shows an endpoint."""
    return WebhookView.model_validate(vars(endpoint))


def _issued(made: IssuedEndpoint) -> IssuedWebhook:
    return IssuedWebhook(**webhook_view(made.endpoint).model_dump(), secret=made.secret)


@router.get("", dependencies=[_READ], name="webhook.list", summary="List webhooks")
async def list_webhooks(edge: EdgeOf) -> PageOf[WebhookView]:
    """Newest first; there are 50 at most."""
    return PageOf(items=[webhook_view(item) for item in await service.listing(edge.session)])


@router.post("", dependencies=[_SENSITIVE], name="webhook.create", summary="Add a webhook", status_code=201)
async def create_webhook(edge: EdgeOf, body: NewWebhook) -> IssuedWebhook:
    """Answers the secret by which messages are verified, this one time."""
    made = await service.create(edge.session, **body.model_dump(), created_by=edge.acting.operator_id)
    after = {"name": made.endpoint.name, "kinds": made.endpoint.kinds}
    edge.note("webhook.create", f"webhook:{made.endpoint.id}", after=after)
    return _issued(made)


@router.get("/{webhook_id}", dependencies=[_READ], name="webhook.read", summary="Read a webhook")
async def read_webhook(edge: EdgeOf, webhook_id: IdPath) -> WebhookView:
    """One endpoint."""
    return webhook_view(await service.get(edge.session, webhook_id))


@router.patch("/{webhook_id}", dependencies=[_SENSITIVE], name="webhook.change", summary="Change a webhook")
async def change_webhook(edge: EdgeOf, webhook_id: IdPath, body: WebhookChange) -> WebhookView:
    """The secret stays. What waits goes to the new address."""
    given = body.model_dump(exclude_unset=True)
    before = await service.get(edge.session, webhook_id)
    after = await service.change(edge.session, webhook_id, **given)
    edge.note(
        "webhook.change",
        f"webhook:{webhook_id}",
        before={"name": before.name, "kinds": before.kinds},
        after={"name": after.name, "kinds": after.kinds, "has_new_address": before.address != after.address},
    )
    return webhook_view(after)


@router.delete(
    "/{webhook_id}", dependencies=[_WRITE], name="webhook.delete", summary="Remove a webhook", status_code=204
)
async def delete_webhook(edge: EdgeOf, webhook_id: IdPath) -> Response:
    """With its secrets and its messages; what waits is not sent any more."""
    await service.delete(edge.session, webhook_id)
    edge.note("webhook.delete", f"webhook:{webhook_id}")
    return Response(status_code=204)


@router.post("/{webhook_id}/enable", dependencies=[_WRITE], name="webhook.enable", summary="Enable a webhook")
async def enable_webhook(edge: EdgeOf, webhook_id: IdPath) -> WebhookView:
    """What waits is sent at once. A second time changes nothing."""
    endpoint = await service.enable(edge.session, webhook_id)
    edge.note("webhook.enable", f"webhook:{webhook_id}")
    return webhook_view(endpoint)


@router.post("/{webhook_id}/disable", dependencies=[_WRITE], name="webhook.disable", summary="Disable a webhook")
async def disable_webhook(edge: EdgeOf, webhook_id: IdPath) -> WebhookView:
    """What waits goes on waiting; events that happen meanwhile are not kept for it."""
    endpoint = await service.disable(edge.session, webhook_id)
    edge.note("webhook.disable", f"webhook:{webhook_id}")
    return webhook_view(endpoint)


@router.post(
    "/{webhook_id}/rotate-secret", dependencies=[_SENSITIVE], name="webhook.rotate_secret", summary="Make a new secret"
)
async def rotate_secret(edge: EdgeOf, webhook_id: IdPath, body: Rotation) -> IssuedWebhook:
    """Answers it this one time. Meanwhile messages carry a signature by each of the two."""
    made = await service.rotate_secret(edge.session, webhook_id, overlap_hours=body.overlap_hours)
    edge.note("webhook.rotate_secret", f"webhook:{webhook_id}", after={"overlap_hours": body.overlap_hours})
    return _issued(made)


@router.post("/{webhook_id}/test", dependencies=[_WRITE], name="webhook.test", summary="Send a test message")
async def send_test(edge: EdgeOf, webhook_id: IdPath) -> Message:
    """A message of type `webhook_test`; look into the log for what became of it."""
    message = await messages.send_test(edge.session, webhook_id)
    edge.note("webhook.test", f"webhook:{webhook_id}")
    return message


@router.get("/{webhook_id}/messages", dependencies=[_READ], name="webhook.messages", summary="List messages")
async def list_messages(
    edge: EdgeOf, webhook_id: IdPath, state: StateOf = None, limit: Limit = 50, cursor: Cursor = None
) -> PageOf[Message]:
    """Latest first."""
    found = await messages.listing(edge.session, webhook_id, state=state, limit=limit, cursor=cursor)
    return paged(found, lambda message: message)


@router.post("/{webhook_id}/replay-dead", dependencies=[_WRITE], name="webhook.replay_dead", summary="Replay all dead")
async def replay_dead(edge: EdgeOf, webhook_id: IdPath) -> Replayed:
    """Every message that was given up is sent again, with all its tries."""
    number = await messages.replay_dead(edge.session, webhook_id)
    edge.note("webhook.replay_dead", f"webhook:{webhook_id}", after={"messages": number})
    return Replayed(messages=number)


@router.get("/{webhook_id}/messages/{event_id}", dependencies=[_READ], name="webhook.message", summary="Read a message")
async def read_message(edge: EdgeOf, webhook_id: IdPath, event_id: EventId) -> MessageView:
    """How it stands, and each call with its answer, the latest first."""
    message = await messages.get(edge.session, webhook_id, event_id)
    return MessageView(message=message, attempts=await messages.attempts(edge.session, webhook_id, event_id))


@router.post(
    "/{webhook_id}/messages/{event_id}/replay",
    dependencies=[_WRITE],
    name="webhook.replay",
    summary="Replay a message",
)
async def replay(edge: EdgeOf, webhook_id: IdPath, event_id: EventId) -> Message:
    """Sent again at once under the same id and number, whatever became of it."""
    message = await messages.replay(edge.session, webhook_id, event_id)
    edge.note("webhook.replay", f"webhook:{webhook_id}", after={"event_id": str(event_id)})
    return message
