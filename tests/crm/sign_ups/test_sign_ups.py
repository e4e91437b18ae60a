"""Signing up: once, with consent, stage, bonus and event."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.consent import service as consent
from crm.db.session import Sessions
from crm.events import relay
from crm.events import service as events
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.points import service as points
from crm.profiles import service as profiles
from crm.profiles.types import Stage
from crm.sign_ups import service
from crm.sign_ups.models import SignUpRow
from crm.tags import service as tags
from tests.factories.members import make_member


async def _default_topics(session: AsyncSession) -> set[str]:
    return {topic.key for topic in await consent.topics(session) if topic.is_default}


async def test_a_lead_becomes_a_member_with_bonus_and_consent(session: AsyncSession) -> None:
    await points.ensure_defaults(session)
    member = await make_member(session)
    found = await service.complete(session, member.id, channel="telegram", terms_version="v7", proof="update:1")
    assert (found.is_new, found.points, found.balance) == (True, 100, 100)
    assert (await members.get(session, member.id)).is_signed_up
    assert (await profiles.get(session, member.id)).stage == Stage.NEW
    given = [item for item in await consent.status(session, member.id) if item.is_given]
    assert {item.topic for item in given} == await _default_topics(session)
    assert {(item.channel, item.text_version) for item in given} == {("telegram", "v7")}
    row = (await session.scalars(select(SignUpRow).where(SignUpRow.member_id == member.id))).one()
    assert (row.terms_version, row.has_agreed_to_news) == ("v7", True)


async def test_signing_up_again_gives_nothing(session: AsyncSession) -> None:
    await points.ensure_defaults(session)
    member = await make_member(session)
    await service.complete(session, member.id, channel="telegram")
    again = await service.complete(session, member.id, channel="webchat")
    assert (again.is_new, again.points, again.balance) == (False, 0, 100)
    assert len(await events.timeline(session, member.id, kinds=["member_signed_up"])) == 1


async def test_without_news_no_consent_is_given(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.complete(session, member.id, channel="telegram", wants_news=False)
    assert not [item for item in await consent.status(session, member.id) if item.is_given]
    row = (await session.scalars(select(SignUpRow).where(SignUpRow.member_id == member.id))).one()
    assert row.terms_version == (await brand.get(session)).terms_version


async def test_the_relay_gives_no_second_bonus(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await points.ensure_defaults(session)
        member = await make_member(session)
        await service.complete(session, member.id, channel="telegram")
    await relay.relay_all(sessions)
    async with sessions() as session:
        assert await points.balance(session, member.id) == 100


async def test_what_is_missing_shrinks_as_it_is_told(session: AsyncSession) -> None:
    member = await make_member(session, display_name="")
    assert await service.missing(session, member.id) == ["name", "phone", "birthday", "interests"]
    await members.change(session, member.id, MemberChanges(display_name="Mei"), by="member")
    await members.set_phone(session, member.id, "+8613800138000", is_verified=False)
    await tags.add(session, member.id, "interest:tea", source="sign_up")
    assert await service.missing(session, member.id) == ["birthday"]


async def test_terms_fall_back_to_the_brands_language(session: AsyncSession) -> None:
    await brand.change(session, terms={"zh-CN": "条款"}, locales=["zh-CN"], default_locale="zh-CN")
    found = await service.terms(session, "en")
    assert found.text == "条款"
    assert found.version
