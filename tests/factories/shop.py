"""A shop in which everything that people can name or write says what a test wants it to say."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service import definitions as activities
from crm.activities.service import registering
from crm.activities.types import NewActivity
from crm.activities.types import Terms as ActivityTerms
from crm.bots import service as bots
from crm.bots.types import Bot
from crm.brand import service as brand
from crm.campaigns import launching
from crm.campaigns import service as campaigns
from crm.campaigns.types import NewCampaign
from crm.check_ins import programmes as check_ins
from crm.check_ins.types import NewMilestone
from crm.conversations import keywords
from crm.conversations import service as conversations
from crm.conversations.types import Direction, NewMessage
from crm.coupons.service import definitions as coupons
from crm.coupons.service import issuing
from crm.coupons.types import CouponKind, NewCoupon, Terms
from crm.db import clock
from crm.draws.service import definitions as draws
from crm.draws.types import NewDraw
from crm.imports import staging
from crm.journeys import service as journeys
from crm.journeys.triggers import SignedUpTrigger
from crm.journeys.types import Graph, NodeSpec
from crm.kit.errors import DomainError
from crm.members import attributes
from crm.members import service as members
from crm.members.types import Identity, MemberChanges
from crm.messages import service as messages
from crm.messages.types import ButtonSpec, MessageContent
from crm.missions.service import definitions as missions
from crm.missions.types import NewMission, Rewards, Step, Window
from crm.orders import service as orders
from crm.points import earning_rules, replays
from crm.points import service as points
from crm.points.checking import RuleText
from crm.points.models import EarningReplayRow
from crm.points.replay_types import ReplayStatus
from crm.referrals.service import joining, links, programmes
from crm.referrals.types import Act, Gift
from crm.referrals.types import Terms as ReferralTerms
from crm.rewards.service import catalogue, redeeming
from crm.rewards.types import NewReward, Price, RewardKind
from crm.segments import service as segments
from crm.sources import service as sources
from crm.surveys import service as surveys
from crm.tags import rules as tag_rules
from crm.tags import service as tags
from crm.tickets import service as tickets
from crm.webhooks import messages as webhook_messages
from crm.webhooks import sending
from crm.webhooks import service as webhooks
from crm.webhooks.types import EVERY_KIND, Claimed, Message, Outcome
from tests.factories.draws import lucky
from tests.factories.orders import new_order

Ids = dict[str, int | str]
_FIXED: Ids = {"locale": "en", "name": "start/welcome"}
"""Values of the parameters in addresses of pages that show this shop."""
EVERYONE: dict[str, list[object]] = {"all": []}


@dataclass(frozen=True)
class Words:
    """What is written into one member and one of each thing; `number` keeps them apart."""

    number: int
    name: str
    text: str

    def both(self, what: str) -> dict[str, str]:
        """In both shipped languages."""
        return {"en": what, "zh-CN": what}


async def open_shop(session: AsyncSession, channel: str = "telegram", *, name: str = "Tea") -> Bot:
    """The brand and a bot."""
    await brand.change(session, name=name)
    await points.ensure_defaults(session)
    return await bots.add(session, channel=channel, name=name, token=None)


async def fill(session: AsyncSession, bot: Bot, words: Words, identity: Identity | None = None) -> Ids:
    """One of each thing; what a service refuses to take in is left out, for then it is shown nowhere."""
    if identity is None:
        contact = await members.ensure_identity(
            session, bot_id=bot.id, channel=bot.channel, address=f"shop-{words.number}", display_name=words.name
        )
        identity = contact.identity
    ids: Ids = {"member_id": identity.member_id, "bot_id": bot.id, "channel": bot.channel, **_FIXED}
    for part in (
        _describe,
        _talk,
        _outreach,
        _house,
        _survey,
        _loyalty,
        _games,
        _days,
        _activity,
        _friends,
        _replay,
        _webhook,
    ):
        ids |= await part(session, identity, words)
    return ids


async def _tried(session: AsyncSession, name: str, act: Callable[[], object]) -> Ids:
    """The id of what `act` made under `name`; nothing when the domain refused the words."""
    try:
        async with session.begin_nested():
            made = await act()  # type: ignore[misc]  # an async function of any service
    except DomainError:
        return {}
    return {name: made.id}


async def _describe(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    member_id, key = identity.member_id, f"note_{words.number}"
    await attributes.define(session, key, label=words.both(words.name), type="text")
    await members.change(session, member_id, MemberChanges(attributes={key: words.text}), by="operator:1")
    await orders.record(session, new_order(member_id))
    await points.adjust(session, member_id, 5, reason=words.name, key=f"shop-{words.number}", by="operator:1")

    async def tagged() -> object:
        await tags.add(session, member_id, f"words:{words.name}".replace("\n", " "), source="shop")
        return await tags.find(session, f"words:{words.name}")

    found = await _tried(session, "tag_id", tagged)
    rule = await tag_rules.create(session, name=words.name, event_kind="member_signed_up", tag=f"plain {words.number}")
    return {"key": key, "rule_id": rule.id, **found}


async def _talk(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    ticket = await tickets.request_person(session, identity.member_id, identity_id=identity.id, note=words.text)
    said = [
        NewMessage(Direction.IN, "text", words.text),
        NewMessage(Direction.OPERATOR, "text", words.text),
        NewMessage(Direction.OUT, "text", words.text, buttons=[words.name]),
    ]
    await conversations.record(session, identity.id, said)
    new = keywords.NewKeyword(words.name, [words.name], reply=words.both(words.text))
    keyword = await _tried(session, "keyword_id", lambda: keywords.create(session, new))
    return {"ticket_id": ticket.id, **keyword}


async def _outreach(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    made = await segments.create(session, name=words.name, rule=EVERYONE, description=words.text)
    button = ButtonSpec(words.both(words.name[:60]), opens="check_in")
    content = MessageContent(words.both(words.text), [[button]])
    ids: Ids = {"segment_id": made.id}
    template = await _tried(session, "template_id", lambda: messages.create_template(session, words.name, content))
    if not template:
        content = MessageContent(words.both("Hello {{ member.name }}"))
    new = NewCampaign(words.name, made.id, content)
    campaign = await campaigns.create(session, new, by="operator:1")
    if words.number == 0:
        await launching.launch(session, campaign.id, by="operator:1", confirm_count=await _everyone(session))
    node = NodeSpec(kind="send", parameters={"message": {"text": content.text}})
    graph = Graph(start="hello", nodes={"hello": node})
    journey = await journeys.create(session, name=words.name, trigger=SignedUpTrigger(), graph=graph)
    del identity
    return {**ids, **template, "campaign_id": campaign.id, "journey_id": journey.id, "version": 1, "node": "hello"}


async def _everyone(session: AsyncSession) -> int:
    return (await segments.preview(session, EVERYONE)).count


async def _house(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    source = await sources.create(session, words.name, welcome=words.both(words.text[:400]))
    await sources.touch(session, identity.member_id, source.code, identity_id=identity.id)
    await earning_rules.create(session, kind="sign_up", name=words.name, parameters={"points": 1})
    table = f'name,"{words.name.replace(chr(34), chr(34) * 2)}"\nA,B\n'.encode()
    kept = await staging.upload(session, table, filename=words.name, by="operator:1")
    return {"source_id": source.id, "import_id": kept.id}


async def _survey(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    question = {"key": "why", "type": "text", "title": words.both(words.text)}
    definition = {"intro": words.both(words.text), "thanks": words.both(words.text), "questions": [question]}
    made = await surveys.create(session, key=f"s{words.number}", name=words.name, definition=definition)
    await surveys.publish(session, made.id)
    run = await surveys.open_run(session, identity.member_id, made.key)
    await surveys.record_answer(session, identity.member_id, run.response_id, "why", words.text)
    await surveys.complete(session, identity.member_id, run.response_id)
    return {"survey_id": made.id}


async def _loyalty(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    member_id, key = identity.member_id, f"shop-{words.number}"
    coupon = NewCoupon(words.both(words.name), Terms(CouponKind.GIFT), words.both(words.text[:400]))
    ids = await _tried(session, "coupon_id", lambda: coupons.create(session, coupon))
    if not ids:
        return {}
    voucher = await issuing.issue(session, member_id, int(ids["coupon_id"]), key=key, source=words.name)
    await issuing.cancel(session, voucher.id, reason=words.text, by=words.name)
    reward = NewReward(words.both(words.name), RewardKind.GOODS, Price(1), words.both(words.text[:400]))
    made = await catalogue.create(session, reward)
    done = await redeeming.redeem(session, member_id, made.id, key=key)
    return {**ids, "voucher_id": str(voucher.id), "reward_id": made.id, "redemption_id": str(done.id)}


async def _games(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    del identity
    draw = NewDraw(words.both(words.name), lucky())
    ids = await _tried(session, "draw_id", lambda: draws.create(session, draw))
    mission = NewMission(words.both(words.name), (Step("checked_in", 3),), Window.MONTHLY, Rewards(points=1))
    return {**ids, **await _tried(session, "mission_id", lambda: missions.create(session, mission))}


async def _days(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    """A milestone whose badge says it; there can be one for each number of days."""
    del identity
    new = NewMilestone(words.number + 2, badge=words.both(words.name[:32]))
    return await _tried(session, "milestone_id", lambda: check_ins.add_milestone(session, new))


async def _activity(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    """Published, with the member registered."""
    starts_at = await clock.now(session) + timedelta(days=7)
    when = ActivityTerms(starts_at, starts_at + timedelta(hours=2))
    new = NewActivity(words.both(words.name), when, words.both(words.text[:400]), words.both(words.name))
    ids = await _tried(session, "activity_id", lambda: activities.create(session, new))
    if ids:
        await activities.publish(session, int(ids["activity_id"]))
        await registering.register(session, identity.member_id, int(ids["activity_id"]))
    return ids


async def _friends(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    """A programme, of which the first alone runs, and a friend who came through the member's link."""
    terms = ReferralTerms(Act.SIGN_UP, referrer=Gift(1), friend=Gift(1))
    headline = words.both(words.text[:80])
    is_first = words.number == 0
    ids = await _tried(
        session,
        "programme_id",
        lambda: programmes.create(session, words.name, terms, headline=headline, is_active=is_first),
    )
    friend = await members.ensure_identity(
        session,
        bot_id=identity.bot_id,
        channel=identity.channel,
        address=f"friend-{words.number}",
        display_name=words.name,
    )
    code = await links.code_of(session, identity.member_id)
    await joining.touch(session, friend.member.id, code, identity_id=friend.identity.id)
    return ids


async def _replay(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    """A replay that ended with what a formula of somebody failed with."""
    tried = RuleText("custom_event", words.name, {"points": 1, "event_name": "visit"})
    ids = await _tried(session, "replay_id", lambda: replays.start(session, tried, days=1, by=words.name))
    if not ids:
        return {}
    sums = {"live": 1, "draft": 2}
    result = {
        "total": {**sums, "difference": 1},
        "members": {**sums, "gaining": 1, "losing": 0},
        "withheld": sums,
        "rules": [{"rule_id": None, "name": words.name, "kind": "custom_event", **sums}],
        "days": [{"day": "2026-03-01", **sums}],
        "top": [{"member_id": identity.member_id, **sums}],
        "failures": [{"message": words.text, "count": 1}],
    }
    row = await session.get_one(EarningReplayRow, int(ids["replay_id"]))
    row.status, row.error, row.result = ReplayStatus.DONE.value, words.text, result
    await session.flush()
    return ids


async def _webhook(session: AsyncSession, identity: Identity, words: Words) -> Ids:
    """An endpoint that answers to a message what it should not."""
    del identity
    host = "https://consumer.example/hooks"
    signs = "".join(sign for sign in words.name if sign.isprintable() and not sign.isspace() and sign != "\\")
    made = await webhooks.create(session, name=words.name[:64], address=f"{host}?{signs}", kinds=[EVERY_KIND])
    message = await webhook_messages.send_test(session, made.endpoint.id)
    refused = Outcome(is_success=False, milliseconds=1, status=500, error=words.text, excerpt=words.name)
    await sending.settle(session, _claimed(message), refused)
    return {"webhook_id": made.endpoint.id, "event_id": str(message.event_id)}


def _claimed(message: Message) -> Claimed:
    return Claimed(message.endpoint_id, message.event_id, message.occurred_at, fence=0, tries=0, attempts=0)
