"""Bots: list, add, change, stop and start."""

from typing import Annotated, Any

from fastapi import Form, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import bots
from admin_api.console.pages import again, redirect, render
from admin_api.deps import AdminDeps, Deps, EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.bots import service
from crm.bots.errors import InvalidBot
from crm.bots.types import Bot
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission

router = page_router(f"{ROOT}/settings/bots")
HERE = f"{ROOT}/settings/bots"
_READ, _WRITE = allow(Permission.BOTS_READ), allow(Permission.BOTS_WRITE)
Text = Annotated[str, Form(max_length=600)]


async def _values(edge: Edge, deps: AdminDeps) -> dict[str, Any]:
    return {
        "bots": await service.listing(edge.session),
        "channels": list(deps.channels),
        "modes": _several(deps),
    }


def _several(deps: AdminDeps) -> list[str]:
    """The ways in which updates may arrive, of channels with more than one."""
    return sorted({mode for modes in deps.modes.values() if len(modes) > 1 for mode in modes})


def _one(deps: AdminDeps, bot: Bot) -> dict[str, Any]:
    modes = deps.modes.get(bot.channel, ())
    return {"bot": bot, "modes": list(modes) if len(modes) > 1 else []}


@router.get("", dependencies=[_READ], name="bot.list_page")
async def list_page(edge: EdgeOf, deps: Deps) -> Response:
    """Every bot with its state."""
    return await render(edge, "settings/bots", nav="settings", **await _values(edge, deps))


@router.get("/{bot_id}", dependencies=[_READ], name="bot.page")
async def bot_page(edge: EdgeOf, deps: Deps, bot_id: IdPath) -> Response:
    """One bot."""
    return await render(edge, "settings/bot", nav="settings", **_one(deps, await service.get(edge.session, bot_id)))


@router.post("", dependencies=[_WRITE], name="bot.add_by_form")
async def add(
    edge: EdgeOf, deps: Deps, *, channel: Text = "", name: Text = "", token: Text = "", mode: Text = ""
) -> Response:
    """Add a bot; its token is checked with the provider."""
    own = mode if mode in deps.modes.get(channel, ()) else None
    try:
        bot = await bots.add_bot(edge, deps, channel=channel, name=name, token=token.strip() or None, mode=own)
    except DomainError as error:
        typed = {"channel": channel, "name": name, "mode": mode}
        return await again(edge, "settings/bots", error, nav="settings", typed=typed, **await _values(edge, deps))
    return redirect(edge, f"{HERE}/{bot.id}", done="The bot is added.")


@router.post("/{bot_id}", dependencies=[_WRITE], name="bot.change_by_form")
async def change(
    edge: EdgeOf,
    deps: Deps,
    bot_id: IdPath,
    *,
    name: Text = "",
    token: Text = "",
    bulk_rate: Text = "",
    mode: Text = "",
) -> Response:
    """Another name, token, way of updates or rate; an empty token keeps the present one."""
    try:
        rate = _rate(bulk_rate)
        changes = {"name": name, "token": token.strip() or None, "mode": mode or None}
        await bots.change_bot(edge, deps, bot_id, bulk_rate=rate, **changes)
    except DomainError as error:
        await edge.session.rollback()
        values = _one(deps, await service.get(edge.session, bot_id))
        return await again(edge, "settings/bot", error, nav="settings", **values)
    return redirect(edge, f"{HERE}/{bot_id}", done="Saved.")


def _rate(text: str) -> float | None:
    try:
        return float(text) if text.strip() else None
    except ValueError as wrong:
        raise InvalidBot("The bulk rate is a number of messages a second.") from wrong


@router.post("/{bot_id}/stop", dependencies=[_WRITE], name="bot.stop_by_form")
async def stop(edge: EdgeOf, bot_id: IdPath) -> Response:
    """Neither receive nor send."""
    await bots.stop_bot(edge, bot_id)
    return redirect(edge, f"{HERE}/{bot_id}", done="The bot is stopped.")


@router.post("/{bot_id}/start", dependencies=[_WRITE], name="bot.start_by_form")
async def start(edge: EdgeOf, bot_id: IdPath) -> Response:
    """Work again."""
    await bots.start_bot(edge, bot_id)
    return redirect(edge, f"{HERE}/{bot_id}", done="The bot works again.")
