"""What senders render of journeys; kept apart so that they load nothing else of them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.policy import PART_STEPS, step_of
from crm.journeys.errors import JourneyNotFoundError
from crm.journeys.models import EnrollmentRow, VersionRow
from crm.messages.stored import content_of
from crm.messages.types import MessageContent

SOURCE = "journey"
SENDING = "send"
"""The kind of node that sends."""
Facts = dict[tuple[int, int], dict[str, Any]]
_MONTH = re.compile(r"[0-9]{6}", re.ASCII)
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


def stem(journey_id: int, version: int, node: str) -> str:
    """How deliveries name a node; from its version's second month on the month follows."""
    return f"{journey_id}.{version}.{node}"


async def source_of(session: AsyncSession, stem: str, now: datetime) -> str:
    """The source that takes deliveries of a node now. Old months of deliveries go, so each month has its own."""
    journey_id, version, _ = stem.split(".")
    own = (VersionRow.journey_id == int(journey_id), VersionRow.version == int(version))
    made_at = (await session.execute(select(VersionRow.created_at).where(*own))).scalar_one_or_none()
    month = f"{now.astimezone(UTC):%Y%m}"
    return stem if made_at is None or f"{made_at.astimezone(UTC):%Y%m}" == month else f"{stem}.{month}"


async def facts(session: AsyncSession, source_id: str, wanted: Sequence[tuple[int, int]]) -> Facts:
    """What the ways of these members began with, by member and step; a step says which of their ways it is."""
    journey_id = source_id.partition(".")[0]
    if not (journey_id.isascii() and journey_id.isdigit() and int(journey_id) <= BIGGEST_ID):
        raise JourneyNotFoundError
    row = EnrollmentRow
    query = select(row.member_id, row.occurrence, row.facts).where(row.journey_id == int(journey_id))
    step = row.occurrence % PART_STEPS
    query = query.where(tuple_(row.member_id, step).in_(wanted), row.facts != {})
    found: Facts = {}
    for member_id, occurrence, said in await session.execute(query.order_by(row.occurrence)):
        found[member_id, step_of(occurrence)] = said
    return found


async def content(session: AsyncSession, source_id: str) -> MessageContent:
    """The message of `journey.version.node`, perhaps with a month behind it. Raises JourneyNotFoundError."""
    journey_id, version, rest = (*source_id.split(".", 2), "", "")[:3]
    node, _, month = rest.partition(".")
    if not (f"{journey_id}{version}".isascii() and journey_id.isdigit() and version.isdigit()):
        raise JourneyNotFoundError
    spec = (await graph_json(session, int(journey_id), int(version)))["nodes"].get(node)
    if spec is None or spec["kind"] != SENDING or (month and not _MONTH.fullmatch(month)):
        raise JourneyNotFoundError
    return content_of(spec["parameters"]["message"])
