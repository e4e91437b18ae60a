"""Outgoing webhooks: list, form, secret, log of messages with their calls, replay."""

from typing import Annotated, Any

from fastapi import Query, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import webhooks as api
from admin_api.console.forms import Text, Texts, address, body_of
from admin_api.console.pages import again, redirect, render, say
from admin_api.console.typed import whole
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.events.catalogue import CATALOGUE
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.webhooks import messages, service
from crm.webhooks.types import TEST_KIND, MessageState

router = page_router(f"{ROOT}/settings/webhooks")
HERE = f"{ROOT}/settings/webhooks"
_READ, _WRITE = allow(Permission.WEBHOOKS_READ), allow(Permission.WEBHOOKS_WRITE)
_SENSITIVE = allow(Permission.WEBHOOKS_WRITE, sensitive=True)
_SHOWN = 30
_TEST_TITLE = "Test message"


def _titles(edge: Edge) -> dict[str, str]:
    """Kinds of events and what they are called, in the order of their names."""
    named = {kind: say(edge, event.title) for kind, event in CATALOGUE.items()}
    return dict(sorted(named.items(), key=lambda item: item[1]))


async def _listed(edge: Edge) -> dict[str, Any]:
    return {
        "webhooks": await service.listing(edge.session),
        "dead": await messages.count_dead(edge.session),
        "kinds": _titles(edge),
    }


async def _detail(edge: Edge, webhook_id: int, state: str = "", cursor: str | None = None) -> dict[str, Any]:
    webhook = await service.get(edge.session, webhook_id)
    wanted = MessageState(state) if state in set(MessageState) else None
    page = await messages.listing(edge.session, webhook_id, state=wanted, limit=_SHOWN, cursor=cursor)
    here, kinds = f"{HERE}/{webhook_id}", _titles(edge)
    return {
        "webhook": webhook,
        "kinds": kinds,
        "titles": {**kinds, TEST_KIND: say(edge, _TEST_TITLE)},
        "messages": page.items,
        "state": wanted.value if wanted else "",
        "next_href": address(here, state=state, cursor=page.next_cursor) if page.next_cursor else "",
        "start_href": address(here, state=state) if cursor else "",
    }


@router.get("", dependencies=[_READ], name="webhook.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Every endpoint, and the form of a new one."""
    return await render(edge, "settings/webhooks", nav="settings", **await _listed(edge))


@router.post("", dependencies=[_SENSITIVE], name="webhook.create_by_form")
async def create(
    edge: EdgeOf,
    name: Text = "",
    target: Text = "",
    kind: Texts = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Add an endpoint and show its secret this one time."""
    typed = {"name": name, "address": target.strip(), "kinds": kind}
    try:
        made = await api.create_webhook(edge, body_of(api.NewWebhook, **typed))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, "settings/webhooks", error, nav="settings", typed=typed, **await _listed(edge))
    values = await _detail(edge, made.id)
    return await render(edge, "settings/webhook", nav="settings", secret=made.secret, **values)


@router.get("/{webhook_id}", dependencies=[_READ], name="webhook.page")
async def webhook_page(
    edge: EdgeOf, webhook_id: IdPath, state: Annotated[str, Query(max_length=20)] = "", cursor: Cursor = None
) -> Response:
    """One endpoint with its log."""
    values = await _detail(edge, webhook_id, state, cursor)
    return await render(edge, "settings/webhook", nav="settings", **values)


@router.post("/{webhook_id}", dependencies=[_SENSITIVE], name="webhook.change_by_form")
async def change(
    edge: EdgeOf,
    webhook_id: IdPath,
    name: Text = "",
    target: Text = "",
    kind: Texts = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Another name, address or choice of events."""
    typed = {"name": name, "address": target.strip(), "kinds": kind}
    try:
        await api.change_webhook(edge, webhook_id, body_of(api.WebhookChange, **typed))
    except DomainError as error:
        await edge.session.rollback()
        values = await _detail(edge, webhook_id)
        return await again(edge, "settings/webhook", error, nav="settings", typed=typed, **values)
    return redirect(edge, f"{HERE}/{webhook_id}", done="Saved.")


@router.post("/{webhook_id}/rotate-secret", dependencies=[_SENSITIVE], name="webhook.rotate_secret_by_form")
async def rotate_secret(edge: EdgeOf, webhook_id: IdPath, overlap_hours: Text = "24") -> Response:
    """Make a new secret and show it this one time."""
    try:
        body = body_of(api.Rotation, overlap_hours=whole(overlap_hours, 24))
        made = await api.rotate_secret(edge, webhook_id, body)
    except DomainError as error:
        await edge.session.rollback()
        values = await _detail(edge, webhook_id)
        return await again(edge, "settings/webhook", error, nav="settings", **values)
    values = await _detail(edge, webhook_id)
    return await render(edge, "settings/webhook", nav="settings", secret=made.secret, **values)


@router.post("/{webhook_id}/enable", dependencies=[_WRITE], name="webhook.enable_by_form")
async def enable(edge: EdgeOf, webhook_id: IdPath) -> Response:
    """Send again."""
    await api.enable_webhook(edge, webhook_id)
    return redirect(edge, f"{HERE}/{webhook_id}", done="The webhook is enabled.")


@router.post("/{webhook_id}/disable", dependencies=[_WRITE], name="webhook.disable_by_form")
async def disable(edge: EdgeOf, webhook_id: IdPath) -> Response:
    """Send no more."""
    await api.disable_webhook(edge, webhook_id)
    return redirect(edge, f"{HERE}/{webhook_id}", done="The webhook is disabled.")


@router.post("/{webhook_id}/delete", dependencies=[_WRITE], name="webhook.delete_by_form")
async def delete(edge: EdgeOf, webhook_id: IdPath) -> Response:
    """Remove it for good."""
    await api.delete_webhook(edge, webhook_id)
    return redirect(edge, HERE, done="The webhook is removed.")


@router.post("/{webhook_id}/test", dependencies=[_WRITE], name="webhook.test_by_form")
async def send_test(edge: EdgeOf, webhook_id: IdPath) -> Response:
    """Send a message of no event."""
    message = await api.send_test(edge, webhook_id)
    done = "A test message is on its way; load this page again to see the answer."
    return redirect(edge, f"{HERE}/{webhook_id}/messages/{message.event_id}", done=done)


@router.post("/{webhook_id}/replay-dead", dependencies=[_WRITE], name="webhook.replay_dead_by_form")
async def replay_dead(edge: EdgeOf, webhook_id: IdPath) -> Response:
    """Send all that was given up again."""
    await api.replay_dead(edge, webhook_id)
    return redirect(edge, f"{HERE}/{webhook_id}", done="What was given up is sent again.")


@router.get("/{webhook_id}/messages/{event_id}", dependencies=[_READ], name="webhook.message_page")
async def message_page(edge: EdgeOf, webhook_id: IdPath, event_id: api.EventId) -> Response:
    """One message, and each call with its answer."""
    view = await api.read_message(edge, webhook_id, event_id)
    return await render(
        edge,
        "settings/webhook_message",
        nav="settings",
        webhook=await service.get(edge.session, webhook_id),
        message=view.message,
        attempts=view.attempts,
        titles={**_titles(edge), TEST_KIND: say(edge, _TEST_TITLE)},
    )


@router.post("/{webhook_id}/messages/{event_id}/replay", dependencies=[_WRITE], name="webhook.replay_by_form")
async def replay(edge: EdgeOf, webhook_id: IdPath, event_id: api.EventId) -> Response:
    """Send it again at once."""
    await api.replay(edge, webhook_id, event_id)
    return redirect(edge, f"{HERE}/{webhook_id}/messages/{event_id}", done="The message is sent again.")
