"""Writes of profiles that a hot path combines with its own in one round trip."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, Update, update

from crm.profiles.models import ProfileRow

_COLUMNS = ", ".join(f"profiles.{column.name}" for column in ProfileRow.__table__.c)
CHECKED_IN = (
    "UPDATE profiles SET streak = counted.streak, last_check_in_on = counted.last_on,"  # noqa: S608 - names of columns
    " check_ins_count = counted.total FROM counted WHERE profiles.member_id = counted.member_id"
    f" RETURNING {_COLUMNS}"
)
"""What a check-in changes, from a CTE `counted` (member_id, streak, last_on, total); answers the whole rows."""


def held(query: Select[*tuple[Any, ...]], members: Table) -> Select[*tuple[Any, ...]]:
    """`query` over members with their profiles joined: those are held until the transaction ends, then the members."""
    profiles = ProfileRow.metadata.tables["profiles"]
    joined = query.join(profiles, profiles.c.member_id == members.c.id)
    return joined.with_for_update(key_share=True, of=(profiles, members))


def seen(member_id: int, at: datetime) -> Update:
    """Set when the member was last heard of."""
    return update(ProfileRow).where(ProfileRow.member_id == member_id).values(last_seen_at=at)
