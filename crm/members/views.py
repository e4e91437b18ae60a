"""What set-based SQL of other capabilities may read of members and their identities."""

from sqlalchemy import select

from crm.members.models import IdentityRow, MemberRow
from crm.members.repository import CONTACT

members = (
    select(
        MemberRow.id,
        MemberRow.display_name,
        MemberRow.locale,
        MemberRow.status,
        MemberRow.merged_into_id,
        MemberRow.is_demo,
        MemberRow.attributes,
        MemberRow.time_zone,
        MemberRow.next_time_zone,
        MemberRow.zone_changes_at,
        MemberRow.birthday,
    )
).subquery("members_view")
"""id, display_name, locale, status, merged_into_id, is_demo, attributes, birthday; merged and erased members too.

The zone is time_zone, from zone_changes_at on next_time_zone, or where both are absent the brand's.
"""
identities = (
    select(
        IdentityRow.id,
        IdentityRow.member_id,
        IdentityRow.bot_id,
        IdentityRow.channel,
        IdentityRow.address,
        IdentityRow.is_reachable,
        IdentityRow.last_seen_at,
    )
).subquery("identities_view")
"""id, member_id, bot_id, channel, address, is_reachable, last_seen_at."""
contact = CONTACT
"""See `repository.CONTACT`: the statement to which a caller may join its own rows, for `service.ensure_identity`."""
contact_id = IdentityRow.__table__.c.id
"""What such rows are joined by."""
