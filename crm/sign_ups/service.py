"""Use cases of sign-ups: the terms, finishing, and what is still to be told."""

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.consent import service as consent
from crm.db import clock
from crm.events import service as events
from crm.events.catalogue import MemberSignedUp
from crm.members import service as members
from crm.points import service as points
from crm.points.types import spendable, waiting
from crm.profiles import service as profiles
from crm.profiles.types import Stage
from crm.sign_ups.models import SignUpRow
from crm.sign_ups.types import SignUpResult, Terms
from crm.tags import service as tags

INTERESTS = "interest"
"""Group of the tags that say what a member is interested in."""


async def terms(session: AsyncSession, locale: str) -> Terms:
    """What a member agrees to, in `locale` or else the brand's own language."""
    found = await brand.get(session)
    text = found.terms.get(locale) or found.terms.get(found.default_locale) or next(iter(found.terms.values()), "")
    return Terms(found.terms_version, text)


async def complete(
    session: AsyncSession,
    member_id: int,
    *,
    channel: str,
    terms_version: str | None = None,
    wants_news: bool = True,
    source: str = "sign_up",
    proof: str | None = None,
) -> SignUpResult:
    """Make the lead a member who agreed to the terms on `channel`, and give the bonus; once.

    `terms_version` is what was shown (the present terms when None); `wants_news` gives consent to the default topics
    on this channel. The second time nothing changes. Raises MemberNotFound.
    """
    if not await members.mark_signed_up(session, member_id):
        return SignUpResult(0, await points.balance(session, member_id), False)
    version = terms_version or (await brand.get(session)).terms_version
    profile = await profiles.get(session, member_id)
    if profile.stage == Stage.LEAD:
        await profiles.record(session, member_id, stage=Stage.NEW)
    if wants_news:
        await _consent(session, member_id, channel=channel, version=version, source=source, proof=proof)
    source_id = profile.first_source_id
    fact = MemberSignedUp(member_id=member_id, channel=channel, source_id=source_id)
    recorded = await events.publish(session, fact)
    row = insert(SignUpRow).values(
        member_id=member_id,
        channel=channel,
        source=source,
        source_id=source_id,
        terms_version=version,
        has_agreed_to_news=wants_news,
        event_id=recorded.id,
        event_at=recorded.occurred_at,
        completed_at=await clock.now(session),
    )
    await session.execute(row)
    awards = await points.award(session, recorded)
    balance = await points.balance(session, member_id)
    return SignUpResult(spendable(awards), balance, True, waiting(awards))


async def missing(session: AsyncSession, member_id: int) -> list[str]:
    """What the member has not told yet, of `name`, `phone`, `birthday` and `interests`, in that order."""
    member = await members.get(session, member_id)
    told = {
        "name": bool(member.display_name),
        "phone": member.phone_masked is not None,
        "birthday": member.birthday is not None,
        "interests": any(tag.group == INTERESTS for tag in await tags.of_member(session, member_id)),
    }
    return [part for part, is_told in told.items() if not is_told]


async def _consent(
    session: AsyncSession, member_id: int, *, channel: str, version: str, source: str, proof: str | None
) -> None:
    for topic in await consent.topics(session):
        if topic.is_default:
            await consent.give(
                session,
                member_id,
                channel=channel,
                topic=topic.key,
                text_version=version,
                source=source,
                proof=proof,
            )
