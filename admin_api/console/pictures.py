"""Pictures on pages: shown from the media that were stored, taken from what a form sends."""

from uuid import UUID

from fastapi import Response, UploadFile

from admin_api.edge import Edge
from crm.kit.errors import InvalidError, NotFoundError
from crm.media import service as media

LARGEST = 11 * 1024 * 1024
"""Bytes of a form with a picture."""
KEPT_A_DAY = {"cache-control": "private, max-age=86400"}


class PictureNotFound(NotFoundError):
    """There is no picture."""


class NoPictureChosen(InvalidError):
    """Choose a picture: PNG, JPEG or WebP, up to 10 MB."""


async def shown(edge: Edge, media_id: UUID | None) -> Response:
    """A stored picture, to be kept for a day. Raises PictureNotFound."""
    if media_id is None:
        raise PictureNotFound
    content_type, data = await media.read(edge.session, media_id)
    return Response(data, media_type=content_type, headers=KEPT_A_DAY)


async def stored(edge: Edge, sent: UploadFile | None) -> UUID:
    """Store what a form sent. Raises NoPictureChosen, and a subclass of InvalidError for what is no picture."""
    data = await sent.read() if sent is not None else b""
    if not data:
        raise NoPictureChosen
    return (await media.store_image(edge.session, data)).id
