"""Activities: the list, the form, one activity with its list and report, and the desk."""

from typing import Annotated, Any

from fastapi import Form, Query, Response
from fastapi.responses import StreamingResponse

from admin_api.access import allow
from admin_api.addresses import ROOT, public_url
from admin_api.api import activities as api
from admin_api.console import activity_values
from admin_api.console.activity_values import ActivityForm
from admin_api.console.forms import address, body_of
from admin_api.console.loyalty_forms import Text, in_locale
from admin_api.console.member_frame import actor_names
from admin_api.console.pages import again, redirect, render
from admin_api.deps import Deps, EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import Cursor, IdPath
from crm.activities.service import definitions, reporting
from crm.activities.types import Activity, RegistrationStatus
from crm.kit.errors import DomainError
from crm.members import bulk
from crm.operators.permissions import Permission

HERE = f"{ROOT}/activities"
router = page_router(HERE)
_READ, _WRITE = allow(Permission.ACTIVITIES_READ), allow(Permission.ACTIVITIES_WRITE)
_ASSIST, _INVITE = allow(Permission.ACTIVITIES_ASSIST), allow(Permission.CAMPAIGNS_WRITE)
_PAGE = 50
Posted = Annotated[ActivityForm, Form()]


@router.get("", dependencies=[_READ], name="activity.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """All activities, the last to begin first."""
    found = await definitions.listing(edge.session)
    titles = {one.id: activity_values.title(edge, one) for one in found}
    return await render(edge, "activities/list", nav="activities", activities=found, titles=titles)


@router.get("/new", dependencies=[_WRITE], name="activity.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """The form of a new activity."""
    form = ActivityForm(has_waiting_list=True)
    return await render(edge, "activities/form", nav="activities", **await _form(edge, form.model_dump()))


@router.post("", dependencies=[_WRITE], name="activity.create_by_form")
async def create(edge: EdgeOf, posted: Posted) -> Response:
    """A draft; it is published on its page."""
    try:
        made = await api.create_activity(edge, await activity_values.body(edge, posted))
    except DomainError as error:
        await edge.session.rollback()
        return await again(edge, "activities/form", error, nav="activities", **await _form(edge, posted.model_dump()))
    return redirect(edge, f"{HERE}/{made.id}", done="The activity is a draft; look at it, then publish it.")


@router.get("/{activity_id}", dependencies=[_READ], name="activity.page")
async def activity_page(
    edge: EdgeOf, activity_id: IdPath, status: Annotated[str, Query(max_length=20)] = "", cursor: Cursor = None
) -> Response:
    """One activity: what was agreed, how it goes, who comes."""
    values = await _values(edge, activity_id, status=status, cursor=cursor)
    return await render(edge, "activities/detail", nav="activities", **values)


@router.get("/{activity_id}/edit", dependencies=[_WRITE], name="activity.edit_page")
async def edit_page(edge: EdgeOf, activity_id: IdPath) -> Response:
    """The form of what can still be changed."""
    activity = await definitions.get(edge.session, activity_id)
    shown = await _form(edge, await activity_values.form_of(edge, activity), activity)
    return await render(edge, "activities/form", nav="activities", **shown)


@router.post("/{activity_id}", dependencies=[_WRITE], name="activity.change_by_form")
async def change(edge: EdgeOf, activity_id: IdPath, posted: Posted) -> Response:
    """Another content; the picture stays."""
    activity = await definitions.get(edge.session, activity_id)
    try:
        body = await activity_values.body(edge, posted, activity.photo_media_id)
        await api.change_activity(edge, activity_id, body)
    except DomainError as error:
        await edge.session.rollback()
        shown = await _form(edge, posted.model_dump(), activity)
        return await again(edge, "activities/form", error, nav="activities", **shown)
    return redirect(edge, f"{HERE}/{activity_id}", done="Saved.")


@router.post("/{activity_id}/publish", dependencies=[_WRITE], name="activity.publish_by_form")
async def publish(edge: EdgeOf, activity_id: IdPath) -> Response:
    """Let members register."""
    try:
        await api.publish_activity(edge, activity_id)
    except DomainError as error:
        return await _again(edge, activity_id, error)
    return redirect(edge, f"{HERE}/{activity_id}", done="The activity is published; now tell a segment about it.")


@router.post("/{activity_id}/invitations", dependencies=[_INVITE], name="activity.invite_by_form")
async def invite(edge: EdgeOf, activity_id: IdPath, segment_id: Annotated[Text, Form()] = "") -> Response:
    """The draft of a campaign to a segment, to be looked at and launched."""
    try:
        campaign = await api.invite(edge, activity_id, body_of(api.InvitationBody, segment_id=segment_id))
    except DomainError as error:
        return await _again(edge, activity_id, error)
    return redirect(
        edge, f"{ROOT}/campaigns/{campaign.id}", done="The invitation is a draft; look at it, then launch it."
    )


@router.post("/{activity_id}/close", dependencies=[_WRITE], name="activity.close_by_form")
async def close(edge: EdgeOf, activity_id: IdPath) -> Response:
    """The list is final."""
    try:
        await api.close_activity(edge, activity_id)
    except DomainError as error:
        return await _again(edge, activity_id, error)
    return redirect(edge, f"{HERE}/{activity_id}", done="The activity is closed; its list is final.")


@router.post("/{activity_id}/call-off", dependencies=[_WRITE], name="activity.call_off_by_form")
async def call_off(edge: EdgeOf, activity_id: IdPath) -> Response:
    """It does not take place."""
    try:
        await api.call_off_activity(edge, activity_id)
    except DomainError as error:
        return await _again(edge, activity_id, error)
    return redirect(edge, f"{HERE}/{activity_id}", done="The activity is called off; everybody is told.")


@router.post("/{activity_id}/check-ins", dependencies=[_ASSIST], name="activity.check_in_by_form")
async def check_in(edge: EdgeOf, activity_id: IdPath, code: Annotated[Text, Form()] = "") -> Response:
    """The desk: the code that the member shows."""
    try:
        came = await api.check_in(edge, activity_id, body_of(api.CheckInBody, code=code))
    except DomainError as error:
        return await _again(edge, activity_id, error, code=code)
    known = await bulk.names(edge.session, [came.member_id])
    return await render(
        edge, "activities/detail", nav="activities", **await _values(edge, activity_id), came=known.get(came.member_id)
    )


@router.post("/{activity_id}/registrations", dependencies=[_ASSIST], name="activity.register_by_form")
async def register(edge: EdgeOf, activity_id: IdPath, member_id: Annotated[Text, Form()] = "") -> Response:
    """Put a member down who called or came by."""
    try:
        await api.register(edge, activity_id, body_of(api.RegistrationBody, member_id=member_id.strip()))
    except DomainError as error:
        return await _again(edge, activity_id, error, member_id=member_id)
    return redirect(edge, f"{HERE}/{activity_id}", done="The member is on the list.")


@router.post("/{activity_id}/registrations/{member_id}/cancel", dependencies=[_ASSIST], name="activity.cancel_by_form")
async def cancel(edge: EdgeOf, activity_id: IdPath, member_id: IdPath) -> Response:
    """For a member; what was paid goes back."""
    try:
        await api.cancel_registration(edge, activity_id, member_id, api.CancellationBody())
    except DomainError as error:
        return await _again(edge, activity_id, error)
    return redirect(edge, f"{HERE}/{activity_id}", done="The registration is cancelled; what was paid went back.")


@router.post("/{activity_id}/door", dependencies=[_ASSIST], name="activity.renew_door_by_form")
async def renew_door(edge: EdgeOf, activity_id: IdPath) -> Response:
    """Another code at the door."""
    await api.renew_door(edge, activity_id)
    return redirect(edge, f"{HERE}/{activity_id}", done="There is a new code for the door.")


@router.get("/{activity_id}/file", dependencies=[_READ], name="activity.registrations_from_page")
async def registrations_file(edge: EdgeOf, deps: Deps, activity_id: IdPath) -> StreamingResponse:
    """The list as CSV."""
    return await api.registrations_file(edge, deps, activity_id)


async def _form(edge: Edge, form: dict[str, Any], activity: Activity | None = None) -> dict[str, Any]:
    return {
        "form": form,
        "activity": activity,
        "surveys": await activity_values.survey_options(edge),
        "segments": await activity_values.segment_options(edge, activity.terms.segment_ids if activity else ()),
    }


async def _again(edge: Edge, activity_id: int, error: DomainError, **typed: str) -> Response:
    await edge.session.rollback()
    return await again(
        edge, "activities/detail", error, nav="activities", **await _values(edge, activity_id), typed=typed
    )


async def _values(edge: Edge, activity_id: int, *, status: str = "", cursor: str | None = None) -> dict[str, Any]:
    activity = await definitions.get(edge.session, activity_id)
    wanted = RegistrationStatus(status) if status in set(RegistrationStatus) else None
    page = await reporting.participants(edge.session, activity_id, status=wanted, limit=_PAGE, cursor=cursor)
    here = f"{HERE}/{activity_id}"
    may_assist = edge.may(Permission.ACTIVITIES_ASSIST)
    report = await reporting.report(edge.session, activity_id)
    audience = activity.terms.segment_ids
    segments = await activity_values.segment_options(edge, audience)
    return {
        "segments": segments,
        "audience": [item["label"] for item in segments if int(item["value"]) in audience],
        "activity": activity,
        "heading": activity_values.title(edge, activity),
        "place": in_locale(edge.acting, activity.place),
        "report": report,
        "questions": [{"title": in_locale(edge.acting, one.title), "value": one} for one in report.feedback],
        "door": await definitions.door(edge.session, activity_id, public_url=public_url(edge.request))
        if may_assist
        else None,
        "registrations": page.items,
        "names": await bulk.names(edge.session, [one.member_id for one in page.items]),
        "actors": await actor_names(edge),
        "chosen": wanted.value if wanted else "",
        "next_href": address(here, status=status, cursor=page.next_cursor) if page.next_cursor else "",
    }
