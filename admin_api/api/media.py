"""Pictures for messages and the logo."""

from typing import Annotated
from uuid import UUID

from fastapi import File, Response, UploadFile

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from crm.media import service
from crm.media.types import Media
from crm.operators.permissions import Permission

router = api_router("/api/v1/media", "Media")
_LARGEST_UPLOAD = 11 * 1024 * 1024


@router.post(
    "",
    dependencies=[allow(Permission.MEDIA_WRITE)],
    name="media.store",
    summary="Upload a picture",
    status_code=201,
    max_body_size=_LARGEST_UPLOAD,
)
async def store(
    edge: EdgeOf, file: Annotated[UploadFile, File(description="PNG, JPEG or WebP, 10 MB at most.")]
) -> Media:
    """Drawn anew before it is kept, so that nothing hides in it."""
    media = await service.store_image(edge.session, await file.read())
    edge.note("media.store", f"media:{media.id}", after={"sha256": media.sha256})
    return media


@router.get(
    "/{media_id}",
    dependencies=[allow(Permission.MESSAGES_READ)],
    name="media.read",
    summary="Read a picture",
    response_class=Response,
    responses={200: {"content": {"image/*": {}}, "description": "The picture."}},
)
async def read(edge: EdgeOf, media_id: UUID) -> Response:
    """The picture itself."""
    content_type, data = await service.read(edge.session, media_id)
    return Response(data, media_type=content_type, headers={"cache-control": "private, max-age=86400, immutable"})
