"""What set-based SQL of other capabilities may read of check-ins."""

from sqlalchemy import select

from crm.check_ins.models import CheckInRow
from crm.check_ins.types import DayKind

check_ins = (
    select(CheckInRow.member_id, CheckInRow.local_date, CheckInRow.checked_in_at, CheckInRow.streak, CheckInRow.channel)
    .where(CheckInRow.kind == DayKind.CHECKED_IN.value)
    .subquery("check_ins_view")
)
"""member_id, local_date (the member's own), checked_in_at, streak, channel; without days that were filled."""
