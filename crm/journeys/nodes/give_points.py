"""Give points, once for each time that a member comes by."""

from typing import Annotated

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.journeys.nodes import gifts
from crm.journeys.nodes.contract import Batch, Begun, Verdict
from crm.points import service as points
from crm.points.types import MAX_POINTS
from crm.points.validity import Validity


class GivePointsParameters(Validity):
    """How many, what the statement says of them, and how long they last."""

    points: int = Field(ge=1, le=MAX_POINTS)
    reason: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        "gift", description="What the member's statement says; `gift` and `birthday` are told in their language."
    )


class GivePoints:
    """Two exits: `next`, and `refused` for profiles that take no points any more."""

    kind = "give_points"
    label = "Give points"
    parameters = GivePointsParameters
    exits = gifts.EXITS

    async def check(
        self, session: AsyncSession, parameters: GivePointsParameters, begun: Begun
    ) -> list[tuple[str, str]]:
        """Nothing beyond the schema."""
        del session, parameters, begun
        return []

    async def run(self, session: AsyncSession, parameters: GivePointsParameters, batch: Batch) -> Verdict:
        """The same number each, through the ledger."""
        expires_at = parameters.expires_at(batch.now, await brand.zone(session))

        async def give(member_id: int, key: str) -> object:
            return await points.earn(
                session, member_id, parameters.points, rule=parameters.reason, key=key, expires_at=expires_at
            )

        return await gifts.each(session, batch, give)


GIVE_POINTS = GivePoints()
