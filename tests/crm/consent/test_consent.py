"""Consent: decisions with their proof, where they stand, and what cannot be changed."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service
from crm.consent.errors import InvalidTopic, TopicTaken, UnknownTopic
from crm.events.service import timeline
from tests.factories.members import make_member


async def _give(session: AsyncSession, member_id: int, *, channel: str = "telegram", version: str = "v1") -> bool:
    return await service.give(
        session, member_id, channel=channel, topic="news", text_version=version, source="sign_up", proof="update:7"
    )


async def test_a_decision_is_recorded_with_its_proof_once(session: AsyncSession) -> None:
    member = await make_member(session)
    assert await _give(session, member.id)
    assert not await _give(session, member.id)
    assert await _give(session, member.id, version="v2")
    (status,) = await service.status(session, member.id)
    assert (status.is_given, status.text_version, status.source) == (True, "v2", "sign_up")
    proofs = await session.scalars(text("SELECT proof FROM consents"))
    assert proofs.all() == ["update:7", "update:7"]
    assert len(await timeline(session, member.id, kinds=["consent_changed"])) == 2


async def test_withdrawing_everything_covers_every_channel_or_one(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.create_topic(session, "courses", name={"en": "Tea courses"})
    await _give(session, member.id)
    await _give(session, member.id, channel="webchat")
    assert await service.withdraw_all(session, member.id, channel="telegram", source="stop", proof="update:9") == 2
    given = {(item.channel, item.topic): item.is_given for item in await service.status(session, member.id)}
    assert given == {
        ("telegram", "news"): False,
        ("telegram", "courses"): False,
        ("webchat", "news"): True,
    }
    assert await service.withdraw_all(session, member.id, source="stop") == 1
    assert await service.withdraw_all(session, member.id, source="stop") == 0
    assert await _give(session, member.id)


async def test_a_stranger_who_says_stop_leaves_proof(session: AsyncSession) -> None:
    member = await make_member(session)
    assert await service.withdraw_all(session, member.id, channel="telegram", source="stop") == 1


async def test_a_recorded_decision_cannot_be_rewritten(session: AsyncSession) -> None:
    member = await make_member(session)
    await _give(session, member.id)
    with pytest.raises(IntegrityError, match="never changed"):
        await session.execute(text("UPDATE consents SET is_given = false"))


async def test_topics_are_checked(session: AsyncSession) -> None:
    member = await make_member(session)
    with pytest.raises(UnknownTopic):
        await service.give(session, member.id, channel="x", topic="nope", text_version="1", source="x")
    with pytest.raises(TopicTaken):
        await service.create_topic(session, "news", name={"en": "News"})
    for key, name in (("Bad Key", {"en": "x"}), ("good", {}), ("good", {"en": "\x00"})):
        with pytest.raises(InvalidTopic):
            await service.create_topic(session, key, name=name)
    await service.change_topic(session, "news", is_archived=True)
    assert await service.topics(session) == []
