"""Go on by whether the member matches a segment at that moment."""

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys.nodes.contract import Batch, Begun, Verdict
from crm.kit.errors import DomainError
from crm.kit.rules import Parameters
from crm.segments import compiler
from crm.segments import service as segments


class CheckSegmentParameters(Parameters):
    """Which segment."""

    segment_id: int = Field(ge=1)


class CheckSegment:
    """Two exits: `yes` and `no`."""

    kind = "check_segment"
    label = "Check segment"
    parameters = CheckSegmentParameters
    exits = ("yes", "no")

    async def check(
        self, session: AsyncSession, parameters: CheckSegmentParameters, begun: Begun
    ) -> list[tuple[str, str]]:
        """The segment must exist and be in use."""
        del begun
        try:
            await segments.rule_of(session, parameters.segment_id)
        except DomainError as error:
            return [("segment_id", error.detail)]
        return []

    async def run(self, session: AsyncSession, parameters: CheckSegmentParameters, batch: Batch) -> Verdict:
        """One query for the whole batch."""
        rule = segments.parse(session, (await segments.get(session, parameters.segment_id)).rule)
        found = compiler.audience(rule, batch.now).subquery()
        rows = await session.scalars(found.select().where(found.c.member_id.in_(batch.member_ids)))
        matching = set(rows.all())
        others = [member_id for member_id in batch.member_ids if member_id not in matching]
        return Verdict({"yes": sorted(matching), "no": others})


CHECK_SEGMENT = CheckSegment()
