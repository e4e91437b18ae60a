"""Wait until a time of day on the member's own clock, on certain days of the week if wanted."""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.journeys.nodes.contract import Batch, Begun, Verdict
from crm.kit.rules import Parameters, TimeOfDay
from crm.members.own_days import own_zone
from crm.members.views import members

_WEEK = 7


class WaitUntilParameters(Parameters):
    """From when on; who comes by later that day goes on at once, up to `until`."""

    at: TimeOfDay = Field(time(10), description="The earliest time of day.")
    until: TimeOfDay = Field(time(20), description="Who comes by after this waits for the next day.")
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field(
        [], max_length=7, description="1 is Monday, 7 Sunday; empty: every day."
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.at.tzinfo is not None or self.until.tzinfo is not None:
            raise ValueError("times of day are the member's own, without an offset")
        if self.until <= self.at:
            raise ValueError("until must be later than at, on the same day")
        return self

    def due(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The first moment from `now` on that is open."""
        local = now.astimezone(zone)
        for ahead in range(_WEEK + 1):
            day = local.date() + timedelta(days=ahead)
            begins, ends = (datetime.combine(day, bound, zone) for bound in (self.at, self.until))
            if (not self.weekdays or day.isoweekday() in self.weekdays) and now < ends:
                # An hour that clocks leave out in spring is taken as the one after it.
                return max(now, begins.astimezone(UTC))
        raise AssertionError("every weekday comes within eight days")


class WaitUntil:
    """The next node is due when the member's own clock says so."""

    kind = "wait_until"
    label = "Wait until a time of day"
    parameters = WaitUntilParameters
    exits = ("next",)

    async def check(
        self, session: AsyncSession, parameters: WaitUntilParameters, begun: Begun
    ) -> list[tuple[str, str]]:
        """Nothing beyond the schema."""
        del session, parameters, begun
        return []

    async def run(self, session: AsyncSession, parameters: WaitUntilParameters, batch: Batch) -> Verdict:
        """One query for the zones of the whole batch."""
        of_brand = (await brand.get(session)).time_zone
        zone = func.coalesce(own_zone(members.c, batch.now), of_brand)
        rows = await session.execute(select(members.c.id, zone).where(members.c.id.in_(batch.member_ids)))
        dues = {member_id: parameters.due(batch.now, ZoneInfo(name)) for member_id, name in rows}
        return Verdict({"next": [item for item in batch.member_ids if item in dues]}, dues=dues)


WAIT_UNTIL = WaitUntil()
