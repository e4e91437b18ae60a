"""Lives the months of every invented person through the services that real members use, with the clock moved."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from rich.progress import Progress
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.brand import service as brands
from crm.check_ins import service as check_ins
from crm.db import clock
from crm.db.session import Sessions
from crm.events import relay
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.orders import service as orders
from crm.orders.types import NewOrder, OrderItem
from crm.sign_ups import service as sign_ups
from crm.tags import service as tags
from crm.tiers.service import standings
from runtime.demo_data import loyalty, shelf
from runtime.demo_data.dice import Dice
from runtime.demo_data.friends import Friends
from runtime.demo_data.gifts import Gift
from runtime.demo_data.loyalty import Visitor
from runtime.demo_data.moving import set_clock
from runtime.demo_data.people import Person, people

MEMBERS = 300
CHANNEL = "webchat"
BOT_NAME = "Tea shop (demo)"
SOURCE = "demo"
_AT_ONCE = 6
_RELAYS = 3
"""Tasks that hand over what happened; most of their time is waiting for the database."""
_MOST_DAYS_OF_CHECK_INS = 60
_GOODS = (
    ("Longjing 100 g", 128),
    ("Tieguanyin 250 g", 168),
    ("Puer cake", 298),
    ("Jasmine pearls", 88),
    ("Gaiwan", 156),
)


async def is_filled(sessions: Sessions) -> bool:
    """Whether the tea shop is there already."""
    async with sessions() as session:
        return any(bot.is_demo for bot in await bots.listing(session))


async def fill(sessions: Sessions, *, count: int = MEMBERS) -> int:
    """Make the demo bot, its shelf and its members; answers how many. Does nothing when the demo bot is there."""
    if await is_filled(sessions):
        return 0
    async with sessions.begin() as session:
        bot = await bots.add(session, channel=CHANNEL, name=BOT_NAME, token=None, is_demo=True)
        today = await clock.now(session)
        offered = await shelf.put_up(session)
    everybody, visitors = people(count), list[Visitor]()
    since = today - timedelta(days=1 + max(person.joined_days_ago for person in everybody))
    async with sessions.begin() as session:
        can_bring = await loyalty.begin(session, since)
    friends = Friends(everybody)
    slots = asyncio.Semaphore(_AT_ONCE)
    with Progress(transient=True) as progress:
        task = progress.add_task("Filling the tea shop", total=count)

        async def live(person: Person) -> None:
            async with slots, sessions.begin() as session:
                member_id = await _live(session, person, bot.id, today, friends)
                if can_bring and person in friends.hosts:
                    await friends.known(session, person, member_id)
            if person.has_signed_up:
                visitors.append(Visitor(person.number, member_id, person.joined_days_ago, person.stopped_days_ago))
                async with slots, sessions.begin() as session:
                    await shelf.visit(session, offered, person, member_id, today)
            progress.advance(task)

        for some in (friends.hosts, friends.others):
            async with asyncio.TaskGroup() as group:
                for person in some:
                    group.create_task(live(person))
        cup = next((reward.coupon_id for reward in offered.rewards if reward.coupon_id is not None), None)
        await loyalty.enliven(sessions, sorted(visitors, key=lambda one: one.number), cup, today)
    await asyncio.gather(*(relay.relay_all(sessions, limit=100 * count) for _ in range(_RELAYS)))
    return count


async def _live(session: AsyncSession, person: Person, bot_id: int, today: datetime, friends: Friends) -> int:
    """The person's months, up to now or to their last day; answers the member's id."""
    dice = Dice(f"days {person.number}")
    joined = today - timedelta(days=person.joined_days_ago, minutes=dice.whole(0, 600))
    await set_clock(session, joined)
    contact = await members.ensure_identity(
        session,
        bot_id=bot_id,
        channel=CHANNEL,
        address=f"demo-{person.number:04d}",
        display_name=person.name,
        locale_hint=person.locale,
    )
    member_id, gift = contact.member.id, Gift(person, joined)
    await friends.bring(session, person, contact)
    if person.has_signed_up:
        await _sign_up(session, member_id, person)
        await gift.give(session, member_id)
        for moment, what in _diary(person, today, joined, dice):
            await gift.until(session, member_id, moment)
            await set_clock(session, moment)
            if what == "order":
                await _order(session, member_id, person, moment, dice)
                await standings.evaluate(session, member_id)
            else:
                await check_ins.check_in(session, member_id, channel=CHANNEL)
    await members.touch(session, contact.identity.id)
    if person.has_signed_up:
        await gift.until(session, member_id, today)
    return member_id


async def _sign_up(session: AsyncSession, member_id: int, person: Person) -> None:
    changes = MemberChanges(display_name=person.name, locale=person.locale, birthday=person.birthday)
    await members.change(session, member_id, changes, by=SOURCE)
    await members.set_phone(session, member_id, f"+86138{person.number:08d}", is_verified=False)
    for interest in person.interests:
        await tags.add(session, member_id, f"interest:{interest}", source=SOURCE)
    await tags.add(session, member_id, f"city:{person.city}", source=SOURCE)
    await sign_ups.complete(session, member_id, channel=CHANNEL, wants_news=person.wants_news, source=SOURCE)


def _diary(person: Person, today: datetime, joined: datetime, dice: Dice) -> Iterator[tuple[datetime, str]]:
    """Check-ins and orders in the order of time."""
    first = min(person.joined_days_ago - 1, _MOST_DAYS_OF_CHECK_INS)
    for days_ago in range(person.joined_days_ago, person.stopped_days_ago - 1, -1):
        morning = (today - timedelta(days=days_ago)).replace(hour=1, minute=dice.whole(0, 59), second=0, microsecond=0)
        if morning <= joined or morning >= today:
            continue
        if days_ago <= first and dice.chance() < person.eagerness:
            yield morning, "check_in"
        if days_ago in person.order_days:
            yield morning + timedelta(minutes=30), "order"


async def _order(session: AsyncSession, member_id: int, person: Person, moment: datetime, dice: Dice) -> None:
    name, price = dice.pick(_GOODS)
    quantity = dice.whole(1, 3)
    new = NewOrder(
        member_id=member_id,
        external_id=f"demo-{person.number}-{moment:%Y%m%d}",
        source=SOURCE,
        amount=Decimal(price * quantity),
        currency=(await brands.get(session)).currency,
        placed_at=moment,
        items=[OrderItem(name, quantity, Decimal(price))],
    )
    await orders.record(session, new)
