"""The picture of an activity, and the QR codes at its door."""

from typing import Annotated

from fastapi import File, Response, UploadFile

from admin_api.access import allow
from admin_api.addresses import ROOT, public_url
from admin_api.console import pictures
from admin_api.console.pages import redirect
from admin_api.deps import EdgeOf
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.activities.service import definitions
from crm.kit.errors import NotFoundError
from crm.operators.permissions import Permission
from crm.sources import service as sources

HERE = f"{ROOT}/activities"
router = page_router(HERE)
_READ, _WRITE = allow(Permission.ACTIVITIES_READ), allow(Permission.ACTIVITIES_WRITE)
_ASSIST = allow(Permission.ACTIVITIES_ASSIST)


class NoSuchLink(NotFoundError):
    """The door has no address on this channel."""


@router.get("/{activity_id}/picture", dependencies=[_READ], name="activity.picture")
async def picture(edge: EdgeOf, activity_id: IdPath) -> Response:
    """The picture that members see."""
    return await pictures.shown(edge, (await definitions.get(edge.session, activity_id)).photo_media_id)


@router.post(
    "/{activity_id}/picture",
    dependencies=[_WRITE],
    name="activity.change_picture_by_form",
    max_body_size=pictures.LARGEST,
)
async def change_picture(
    edge: EdgeOf, activity_id: IdPath, picture: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Another picture; what is no picture is answered with the reason."""
    media_id = await pictures.stored(edge, picture)
    await definitions.set_photo(edge.session, activity_id, media_id)
    edge.note("activity.change_picture", f"activity:{activity_id}", after={"photo_media_id": str(media_id)})
    return redirect(edge, f"{HERE}/{activity_id}", done="Saved.")


@router.get("/{activity_id}/door/{channel}", dependencies=[_ASSIST], name="activity.door_picture")
async def door_picture(edge: EdgeOf, activity_id: IdPath, channel: str) -> Response:
    """The QR code of one channel's address as PNG, large enough for print."""
    door = await definitions.door(edge.session, activity_id, public_url=public_url(edge.request))
    if channel not in door.links:
        raise NoSuchLink
    return Response(sources.qr_png(door.links[channel], scale=16), media_type="image/png")
