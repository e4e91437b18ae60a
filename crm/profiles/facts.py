"""What the plain evaluators of conditions on profile columns know of a member: the profile."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from crm.profiles import service
from crm.profiles.types import Profile


class ProfileFacts:
    """Base of conditions whose fact is the member's profile."""

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, Profile]:
        """The profiles of these members."""
        return await service.get_many(session, member_ids)
