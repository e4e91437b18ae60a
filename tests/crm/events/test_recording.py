"""What events may carry: whatever the outside sends as JSON."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import service as events
from crm.events.catalogue import CustomEvent


async def test_numbers_beyond_64_bits_are_kept_exactly(session: AsyncSession) -> None:
    properties = {"large": 10**30, "text": "签到 🎉", "inner": {"list": [1, None, True]}}
    recorded = await events.publish(session, CustomEvent(member_id=None, name="odd", properties=properties))
    found = await events.find(session, recorded.id, recorded.occurred_at)
    assert found is not None
    assert found.data == {"name": "odd", "properties": properties}
