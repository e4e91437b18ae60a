"""Leaving the news, at any time and by one word; and coming back."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent import service as consent
from crm.members import service as members
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.flow import Button, Command, Keyword, Opens, StopWords, flow
from flows.steps.house import house
from flows.steps.patience import A_DAY, leaves_quietly


async def _leave(session: AsyncSession, member_id: int, *, channel: str, proof: str | None) -> None:
    """Withdraw on this channel also what was never decided, so that the word stands; elsewhere what was given."""
    await consent.withdraw_all(session, member_id, channel=channel, source="stop", proof=proof)
    await consent.withdraw_all(session, member_id, source="stop", proof=proof)


async def _come_back(
    session: AsyncSession, member_id: int, *, channel: str, terms_version: str, proof: str | None
) -> None:
    """Agree to what sign-up asks for: the default topics, on this channel."""
    for topic in await consent.topics(session):
        if topic.is_default:
            await consent.give(
                session,
                member_id,
                channel=channel,
                topic=topic.key,
                text_version=terms_version,
                source="subscribe",
                proof=proof,
            )


@flow("stop", starts=[Command("stop"), Command("unsubscribe"), StopWords(), Button("stop")])
async def stop(chat: Chat) -> None:
    """Withdraws every consent to be written to, on all channels; no questions asked."""
    await chat.do(_leave, channel=chat.channel, proof=chat.said_in)
    if (await chat.look(members.get)).is_signed_up:
        await chat.say("subscription/stopped", buttons=[[Opens("subscribe")]])
    else:
        await chat.say("subscription/stopped_for_a_stranger")


@flow(
    "subscribe",
    starts=[Command("subscribe"), Keyword("订阅", "subscribe", "resubscribe"), Button("subscribe")],
    is_parked=False,
)
@leaves_quietly
async def subscribe(chat: Chat) -> None:
    """Asks for consent again, with the text as it is now."""
    await chat.member()
    brand = await chat.look(house)
    answer = await chat.ask(
        "subscription/terms",
        Choice("agree", "later", columns=2),
        terms=brand.terms,
        version=brand.terms_version,
        timeout=A_DAY,
    )
    if answer == "later":
        await chat.say("subscription/left_off")
        return
    await chat.do(_come_back, channel=chat.channel, terms_version=brand.terms_version, proof=chat.said_in)
    await chat.say("subscription/started")
