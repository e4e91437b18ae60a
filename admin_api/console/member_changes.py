"""Changing a member: details, tags, points, consents, and revealing personal data."""

from datetime import date
from typing import Any

from fastapi import Response

from admin_api.access import allow
from admin_api.api import members as api
from admin_api.api.points import Adjustment, adjust
from admin_api.console.forms import Text, Texts, body_of, parts
from admin_api.console.member_frame import HERE, framed
from admin_api.console.member_page import overview
from admin_api.console.member_values import attribute_patch, typed_attributes
from admin_api.console.pages import again, is_fragment, reason, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.errors import as_problem
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.consent import service as consent
from crm.kit.errors import DomainError, InvalidError
from crm.members import attributes, service
from crm.operators.permissions import Permission

router = page_router(HERE)
_WRITE = allow(Permission.MEMBERS_WRITE)


class InvalidBirthday(InvalidError):
    """A birthday looks like 1990-12-31."""


@router.get("/{member_id}/edit", dependencies=[_WRITE], name="member.edit_page")
async def edit_page(edge: EdgeOf, member_id: IdPath) -> Response:
    """The form of details and attributes; phone and email stay when left empty."""
    member = await service.get(edge.session, member_id)
    return await render(
        edge, "members/edit", nav="members", form=None, **await _edit_values(edge, member_id), version=member.version
    )


async def _edit_values(edge: Edge, member_id: int) -> dict[str, Any]:
    member = await service.get(edge.session, member_id)
    return {**await framed(edge, member, "edit"), "definitions": await attributes.definitions(edge.session)}


@router.post("/{member_id}/edit", dependencies=[_WRITE], name="member.change_by_form")
async def change(
    edge: EdgeOf,
    member_id: IdPath,
    *,
    display_name: Text = "",
    locale: Text = "",
    time_zone: Text = "",
    birthday: Text = "",
    phone: Text = "",
    email: Text = "",
    version: Text = "",
) -> Response:
    """All of it or nothing; refused when somebody else changed the member meanwhile."""
    form = await edge.request.form()
    typed: dict[str, Any] = {"display_name": display_name, "locale": locale, "time_zone": time_zone.strip() or None}
    typed |= {name: text for name, text in (("phone", phone.strip()), ("email", email.strip())) if text}
    definitions = await attributes.definitions(edge.session)
    try:
        typed["attributes"] = attribute_patch(definitions, form)
        typed["birthday"] = _birthday(birthday)
        body = body_of(api.MemberChange, **typed, expected_version=int(version) if version.isdecimal() else None)
        await api.apply_change(edge, member_id, body)
    except DomainError as error:
        await edge.session.rollback()
        shown = {**typed, "birthday": birthday, "attributes": typed_attributes(definitions, form)}
        values = await _edit_values(edge, member_id)
        return await again(edge, "members/edit", error, nav="members", form=shown, version=version, **values)
    return redirect(edge, f"{HERE}/{member_id}", done="Saved.")


def _birthday(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text.strip() else None
    except ValueError as wrong:
        raise InvalidBirthday(path="birthday") from wrong


@router.post("/{member_id}/reveal", dependencies=[allow(Permission.MEMBERS_REVEAL)], name="member.reveal_by_form")
async def reveal(edge: EdgeOf, member_id: IdPath) -> Response:
    """Personal data in full, on this one page; the audit log says who looked."""
    member = await service.get(edge.session, member_id)
    revealed = await api.reveal(edge, member_id)
    if is_fragment(edge):
        known = await attributes.definitions(edge.session)
        return await render(edge, "members/personal", member=member, revealed=revealed, definitions=known)
    return await overview(edge, member, revealed=revealed)


@router.post("/{member_id}/tags", dependencies=[_WRITE], name="member.add_tags_by_form")
async def add_tags(edge: EdgeOf, member_id: IdPath, tag: Texts = []) -> Response:  # noqa: B006 - FastAPI copies it
    """One or several tags."""
    wanted = parts(tag)[:20]
    try:
        for name in wanted:
            await api.add_tag(edge, member_id, body_of(api.TagOn, tag=name))
    except DomainError as error:
        return await _overview_again(edge, member_id, error, "tag_error", typed_tags=wanted)
    edge.note("member.add_tag", f"member:{member_id}", after={"tags": wanted})
    return redirect(edge, f"{HERE}/{member_id}", done="Saved." if wanted else "")


@router.post("/{member_id}/tags/remove", dependencies=[_WRITE], name="member.remove_tag_by_form")
async def remove_tag(edge: EdgeOf, member_id: IdPath, tag: Text = "") -> Response:
    """Take one tag off."""
    await api.remove_tag(edge, member_id, tag)
    return redirect(edge, f"{HERE}/{member_id}", done="The tag is taken off.")


@router.post("/{member_id}/points/adjust", dependencies=[allow(Permission.POINTS_ADJUST)], name="points.adjust_by_form")
async def adjust_points(
    edge: EdgeOf,
    member_id: IdPath,
    *,
    direction: Text = "add",
    amount: Text = "",
    explanation: Text = "",
    key: Text = "",
) -> Response:
    """Add points or take some; the key of the form keeps a double click from counting twice."""
    sign = "-" if direction == "take" else ""
    try:
        body = body_of(
            Adjustment, points=f"{sign}{amount.strip().lstrip('+')}", reason=explanation.strip(), key=key or None
        )
        await adjust(edge, member_id, body)
    except DomainError as error:
        typed = {"direction": direction, "amount": amount, "explanation": explanation}
        return await _overview_again(edge, member_id, error, "points_error", typed_points=typed)
    return redirect(edge, f"{HERE}/{member_id}", done="The balance is corrected.")


@router.post("/{member_id}/consents/withdraw", dependencies=[_WRITE], name="member.withdraw_consent")
async def withdraw(edge: EdgeOf, member_id: IdPath, channel: Text = "", topic: Text = "") -> Response:
    """The member told an operator that they want no more of this."""
    await service.get(edge.session, member_id)
    known = {(item.channel, item.topic) for item in await consent.status(edge.session, member_id)}
    if (channel, topic) in known:
        await consent.withdraw(
            edge.session, member_id, channel=channel, topic=topic, source="operator", proof=edge.acting.actor
        )
    edge.note("member.withdraw_consent", f"member:{member_id}", after={"channel": channel[:50], "topic": topic[:64]})
    return redirect(edge, f"{HERE}/{member_id}", done="Nothing more will be sent about this.")


async def _overview_again(edge: Edge, member_id: int, error: DomainError, place: str, **typed: Any) -> Response:
    """The overview with what went wrong beside the form that it went wrong in."""
    await edge.session.rollback()
    problem = as_problem(error)
    assert problem is not None
    found = {place: reason(edge, error), **typed}
    return await overview(edge, await service.get(edge.session, member_id), status=problem.status, **found)
