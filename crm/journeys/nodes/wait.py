"""Wait for some minutes, hours or days."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys.nodes.contract import Batch, Begun, Verdict
from crm.kit.rules import Parameters


class WaitParameters(Parameters):
    """How long; the parts add up."""

    days: int = Field(0, ge=0, le=365)
    hours: int = Field(0, ge=0, le=8760)
    minutes: int = Field(0, ge=0, le=525600)

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        if not (self.days or self.hours or self.minutes):
            raise ValueError("say how long to wait, in days, hours or minutes")
        return self

    def duration(self) -> timedelta:
        """The sum."""
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes)


class Wait:
    """The next node is due after a while."""

    kind = "wait"
    label = "Wait"
    parameters = WaitParameters
    exits = ("next",)

    async def check(self, session: AsyncSession, parameters: WaitParameters, begun: Begun) -> list[tuple[str, str]]:
        """Nothing beyond the schema."""
        del session, parameters, begun
        return []

    async def run(self, session: AsyncSession, parameters: WaitParameters, batch: Batch) -> Verdict:
        """All take the exit, later."""
        del session
        return Verdict({"next": batch.member_ids}, batch.now + parameters.duration())


WAIT = Wait()
