"""What members can say they are interested in: tags of the group `interest`, ready-made ones until there are own."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.tags import service as tags
from flows.engine.reading import Option

GROUP = "interest"
MOST = 20
_READY_MADE = {
    "new": {"zh-CN": "新品", "en": "New arrivals"},
    "offers": {"zh-CN": "优惠", "en": "Offers"},
    "events": {"zh-CN": "活动", "en": "Events"},
    "stories": {"zh-CN": "幕后故事", "en": "Behind the scenes"},
}


async def offered(session: AsyncSession, member_id: int) -> list[str]:
    """Names to choose from: the operators' own tags of the group, else the ready-made ones."""
    del member_id
    own = [tag.name for tag in await tags.listing(session) if tag.group == GROUP]
    return list(_READY_MADE) if set(own) <= set(_READY_MADE) else own[:MOST]


async def chosen(session: AsyncSession, member_id: int) -> list[str]:
    """Names of the member's interests."""
    return [tag.name for tag in await tags.of_member(session, member_id) if tag.group == GROUP]


async def choose(session: AsyncSession, member_id: int, names: list[str], source: str) -> None:
    """Make `names` the member's interests: tags that are new are added, the others are taken off."""
    before = set(await chosen(session, member_id))
    for name in names:
        if name not in before:
            await tags.add(session, member_id, f"{GROUP}:{name}", source=source)
    for name in sorted(before - set(names)):
        await tags.remove(session, member_id, f"{GROUP}:{name}", source=source)


def options(names: list[str]) -> list[Option]:
    """The names as buttons."""
    return [Option(name, _READY_MADE.get(name, name)) for name in names]


def labels(names: list[str]) -> list[str | dict[str, str]]:
    """The names as members read them, by locale where they are ready-made."""
    return [_READY_MADE.get(name, name) for name in names]
