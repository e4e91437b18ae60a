"""Sources: opaque codes, addresses, first and last touch."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.events.service import timeline
from crm.members import service as members
from crm.profiles import service as profiles
from crm.sources import policy, service
from crm.sources.errors import InvalidSource, SourceNotFound
from crm.sources.types import SourceCounts
from crm.tags import service as tags
from crm.tags.errors import InvalidTag
from tests.factories.members import make_contact


async def test_first_and_last_touch_tags_and_event(session: AsyncSession) -> None:
    contact = await make_contact(session)
    member_id, identity_id = contact.member.id, contact.identity.id
    shop = await service.create(session, "Shop window", tags=["from:shop"], kind="qr")
    fair = await service.create(session, "Tea fair", tags=["from:fair"], welcome={"en": "Welcome to the fair!"})
    assert await service.touch(session, member_id, shop.code, identity_id=identity_id) == shop
    assert await service.touch(session, member_id, fair.code, identity_id=identity_id) == fair
    member = await members.get(session, member_id)
    assert (member.first_source_id, member.last_source_id) == (shop.id, fair.id)
    profile = await profiles.get(session, member_id)
    assert (profile.first_source_id, profile.last_source_id) == (shop.id, fair.id)
    assert {tag.tag for tag in await tags.of_member(session, member_id)} == {"from:shop", "from:fair"}
    touches = await timeline(session, member_id, kinds=["source_touched"])
    assert [entry.data["is_first"] for entry in touches] == [False, True]
    assert await service.counts(session, shop.id) == SourceCounts(1, 0, 1)
    assert await service.counts(session, fair.id) == SourceCounts(0, 1, 1)


@pytest.mark.parametrize("code", ["", "1", "x" * 65, "no-such-code-here", "' OR 1=1 --", "\x00" * 20])
async def test_a_strange_code_is_no_touch(session: AsyncSession, code: str) -> None:
    contact = await make_contact(session)
    assert await service.touch(session, contact.member.id, code, identity_id=contact.identity.id) is None
    assert (await members.get(session, contact.member.id)).first_source_id is None


async def test_codes_are_opaque_and_fit_a_deep_link(session: AsyncSession) -> None:
    made = [await service.create(session, "Same name") for _ in range(20)]
    assert len({source.code for source in made}) == 20
    assert all(policy.CODE.fullmatch(source.code) and len(source.code) == 16 for source in made)


async def test_an_archived_source_counts_no_more(session: AsyncSession) -> None:
    contact = await make_contact(session)
    source = await service.create(session, "Old flyer")
    await service.archive(session, source.id)
    assert await service.touch(session, contact.member.id, source.code, identity_id=contact.identity.id) is None
    assert await service.listing(session) == []
    with pytest.raises(SourceNotFound):
        await service.archive(session, source.id + 99)


async def test_every_bot_with_an_address_has_a_link(session: AsyncSession) -> None:
    await bots.add(session, channel="telegram", name="T", token=None, username="tea_bot")
    await bots.add(session, channel="webchat", name="W", token=None)
    await bots.add(session, channel="telegram", name="No username", token=None)
    local = {"start_link": "http://127.0.0.1/sim/{code}"}
    await bots.add(session, channel="telegram", name="Simulated", token=None, username="x", settings=local)
    source = await service.create(session, "Flyer")
    links = await service.links(session, source.id, public_url="https://crm.example/")
    assert [link.url for link in links] == [
        f"https://t.me/tea_bot?start={source.code}",
        f"https://crm.example/chat?start={source.code}",
        f"http://127.0.0.1/sim/{source.code}",
    ]
    assert service.qr_png(links[0].url).startswith(b"\x89PNG\r\n")


async def test_senseless_sources_are_refused(session: AsyncSession) -> None:
    with pytest.raises(InvalidSource):
        await service.create(session, " \x00 ")
    with pytest.raises(InvalidSource):
        await service.create(session, "x", kind="radio")
    with pytest.raises(InvalidSource):
        await service.create(session, "x", welcome={"en": "x" * 1001})
    with pytest.raises(InvalidSource):
        await service.create(session, "x", tags=[f"t{n}" for n in range(21)])
    with pytest.raises(InvalidTag):
        await service.create(session, "x", tags=["ok", ":"])
