"""The data itself: the safe mode after a restore, the last backup, and how long what is kept."""

from typing import Annotated, Any

from fastapi import Form, Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from crm.deliveries import restored
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.recovery import service as recovery
from crm.retention import service as retention

router = page_router(f"{ROOT}/settings/data")
HERE = f"{ROOT}/settings/data"
Days = Annotated[str, Form(max_length=10)]


async def _facts(edge: Edge) -> dict[str, Any]:
    return {
        "safe_mode": await recovery.current(edge.session),
        "backup": await recovery.last_backup(edge.session),
        "rules": await retention.rules(edge.session),
    }


@router.get("", dependencies=[allow(Permission.DATA_READ)], name="data.page")
async def data_page(edge: EdgeOf) -> Response:
    """Safe mode, last backup, retention."""
    return await render(edge, "settings/data", nav="settings", **await _facts(edge))


@router.post("/resume-sending", dependencies=[allow(Permission.SENDING_RESUME)], name="sending.resume")
async def resume_sending(edge: EdgeOf) -> Response:
    """End the safe mode."""
    try:
        held = await restored.resume_sending(edge.session, by=edge.acting.actor)
    except DomainError as error:
        return await _again(edge, error)
    edge.note("sending.resume", "sending", after=vars(held))
    return redirect(edge, HERE, done="Siyu sends again.")


@router.post("/retention/{key}", dependencies=[allow(Permission.DATA_WRITE)], name="retention.change")
async def change_retention(edge: EdgeOf, key: str, days: Days = "") -> Response:
    """Keep one class of data for another time."""
    try:
        before = await retention.rule(edge.session, key)
        rule = await retention.change(edge.session, key, int(days) if days.isascii() and days.isdigit() else 0)
    except DomainError as error:
        return await _again(edge, error)
    edge.note("retention.change", f"retention:{key}", before={"days": before.days}, after={"days": rule.days})
    return redirect(edge, HERE, done="Saved.")


async def _again(edge: Edge, error: DomainError) -> Response:
    await edge.session.rollback()
    return await again(edge, "settings/data", error, nav="settings", **await _facts(edge))
