"""Taps on buttons of what senders rendered: which source they belong to, and what the button does."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns import service as campaigns
from crm.journeys import service as journeys
from crm.messages.types import ButtonSpec
from flows.engine.engine import TapResolver
from runtime.contents import CAMPAIGN, JOURNEY, LETTERS


async def _campaign_tap(session: AsyncSession, source_id: str, place: str) -> ButtonSpec | None:
    is_number = source_id.isascii() and source_id.isdigit()
    return await campaigns.tapped_button(session, int(source_id), place) if is_number else None


TAPS: Mapping[str, TapResolver] = {
    LETTERS[CAMPAIGN]: _campaign_tap,
    LETTERS[JOURNEY]: journeys.tapped_button,
}
