"""The picture of an activity, and the QR codes at its door."""

from typing import Annotated

from fastapi import File, Response, UploadFile

from admin_api.access import allow
from admin_api.addresses import ROOT, public_url
from admin_api.console.pages import redirect
from admin_api.console.rewards import NoPictureChosen
from admin_api.deps import EdgeOf
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.activities.service import definitions
from crm.kit.errors import NotFoundError
from crm.media import service as media
from crm.operators.permissions import Permission
from crm.sources import service as sources

HERE = f"{ROOT}/activities"
router = page_router(HERE)
_READ, _WRITE = allow(Permission.ACTIVITIES_READ), allow(Permission.ACTIVITIES_WRITE)
_ASSIST = allow(Permission.ACTIVITIES_ASSIST)
_LARGEST = 11 * 1024 * 1024
_KEPT_A_DAY = {"cache-control": "private, max-age=86400"}


class NoSuchLink(NotFoundError):
    """The door has no address on this channel."""


class NoActivityPicture(NotFoundError):
    """The activity has no picture."""


@router.get("/{activity_id}/picture", dependencies=[_READ], name="activity.picture")
async def picture(edge: EdgeOf, activity_id: IdPath) -> Response:
    """The picture that members see."""
    activity = await definitions.get(edge.session, activity_id)
    if activity.photo_media_id is None:
        raise NoActivityPicture
    content_type, data = await media.read(edge.session, activity.photo_media_id)
    return Response(data, media_type=content_type, headers=_KEPT_A_DAY)


@router.post(
    "/{activity_id}/picture", dependencies=[_WRITE], name="activity.change_picture_by_form", max_body_size=_LARGEST
)
async def change_picture(
    edge: EdgeOf, activity_id: IdPath, picture: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Another picture; what is no picture is answered with the reason."""
    data = await picture.read() if picture is not None else b""
    if not data:
        raise NoPictureChosen
    stored = await media.store_image(edge.session, data)
    await definitions.set_photo(edge.session, activity_id, stored.id)
    edge.note("activity.change_picture", f"activity:{activity_id}", after={"photo_media_id": str(stored.id)})
    return redirect(edge, f"{HERE}/{activity_id}", done="Saved.")


@router.get("/{activity_id}/door/{channel}", dependencies=[_ASSIST], name="activity.door_picture")
async def door_picture(edge: EdgeOf, activity_id: IdPath, channel: str) -> Response:
    """The QR code of one channel's address as PNG, large enough for print."""
    door = await definitions.door(edge.session, activity_id, public_url=public_url(edge.request))
    if channel not in door.links:
        raise NoSuchLink
    return Response(sources.qr_png(door.links[channel], scale=16), media_type="image/png")
