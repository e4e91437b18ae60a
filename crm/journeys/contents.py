"""What senders render of journeys; kept apart so that they load nothing else of them."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys.errors import JourneyNotFoundError
from crm.journeys.models import VersionRow
from crm.messages.stored import content_of
from crm.messages.types import MessageContent

SOURCE = "journey"
SENDING = "send"
"""The kind of node that sends."""
BIGGEST_ID = 2**63 - 1
BIGGEST_VERSION = 2**31 - 1


async def graph_json(session: AsyncSession, journey_id: int, version: int) -> dict[str, Any]:
    """The graph of one version as it is stored. Raises JourneyNotFoundError."""
    if not (0 < journey_id <= BIGGEST_ID and 0 < version <= BIGGEST_VERSION):
        raise JourneyNotFoundError
    query = select(VersionRow.graph).where(VersionRow.journey_id == journey_id, VersionRow.version == version)
    found: dict[str, Any] | None = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise JourneyNotFoundError
    return found


async def content(session: AsyncSession, source_id: str) -> MessageContent:
    """The message of `journey.version.node`. Raises JourneyNotFoundError."""
    journey_id, version, node = (*source_id.split(".", 2), "", "")[:3]
    if not (f"{journey_id}{version}".isascii() and journey_id.isdigit() and version.isdigit()):
        raise JourneyNotFoundError
    spec = (await graph_json(session, int(journey_id), int(version)))["nodes"].get(node)
    if spec is None or spec["kind"] != SENDING:
        raise JourneyNotFoundError
    return content_of(spec["parameters"]["message"])
