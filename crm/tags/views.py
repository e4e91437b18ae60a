"""What set-based SQL of other capabilities may read of tags."""

from sqlalchemy import select

from crm.tags.models import MemberTagRow, TagRow

member_tags = select(
    MemberTagRow.member_id, MemberTagRow.tag_id, MemberTagRow.source, MemberTagRow.added_at, MemberTagRow.expires_at
).subquery("member_tags_view")
"""member_id, tag_id, source, added_at, expires_at."""
tags = select(TagRow.id, TagRow.group_name, TagRow.name, TagRow.is_archived).subquery("tags_view")
"""id, group_name, name, is_archived."""
