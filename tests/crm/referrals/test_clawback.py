"""Taking back a whole subtree: what the preview says is what is taken, once."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import counter, holding
from crm.points import service as points
from crm.referrals.errors import ReasonMissing
from crm.referrals.service import clawback, programmes, standing
from crm.referrals.types import Gift, Invitee, Level, Part, Status
from tests.factories.loyalty import make_coupon
from tests.factories.referrals import befriend, invite, make_programme, make_referrer


def _shape(tree: tuple[Invitee, ...]) -> list[object]:
    return [[node.name, node.status.value, _shape(node.invitees)] for node in tree]


async def test_a_subtree_is_taken_back_once(session: AsyncSession) -> None:
    coupon = await make_coupon(session)
    programme = await make_programme(
        session, friend=Gift(50, coupon.id), levels=(Level(1, Gift(10)),), second_percent=10
    )
    top = await make_referrer(session)
    bad = (await befriend(session, top, "Bad")).friend_id
    one, two = await befriend(session, bad, "One"), await befriend(session, bad, "Two")
    await befriend(session, one.friend_id, "Deep")
    await invite(session, one.friend_id, "Open")
    (used,) = await holding.usable(session, two.friend_id)
    await counter.use(session, [used.code], key="till", by="operator:1")
    await points.redeem(session, two.friend_id, 50, reason="tea", key="tea")

    seen = await clawback.preview(session, bad)
    assert (seen.referrals, seen.members, seen.vouchers, seen.used_vouchers) == (4, 5, 2, 1)
    # 3 friends 50, 3 referrers 100, 3 second levels 10, levels of "bad" and "one" 10
    assert seen.points == 3 * 50 + 3 * 100 + 3 * 10 + 2 * 10
    with pytest.raises(ReasonMissing):
        await clawback.claw_back(session, bad, reason="", by="operator:1")
    assert await clawback.claw_back(session, bad, reason="Fakes", by="operator:1") == seen

    assert await points.balance(session, bad) == 50, "what came for being invited by somebody else stays"
    assert await points.balance(session, top) == 110, "only the second level goes"
    assert await points.balance(session, one.friend_id) == 0
    assert (await points.summary(session, two.friend_id)).debt == 50
    assert await holding.usable(session, one.friend_id) == []
    left = {item.part: item for item in await standing.given(session, two.id)}
    assert left[Part.FRIEND].remains == "voucher_used"
    assert (await programmes.get(session, programme.id)).spent_points == 160
    assert _shape(await standing.tree(session, top)) == [
        ["Bad", "qualified", [["One", "void", [["Deep", "void", []], ["Open", "void", []]]], ["Two", "void", []]]]
    ]
    again = await clawback.claw_back(session, bad, reason="Fakes", by="operator:1")
    assert (again.referrals, again.points, again.vouchers) == (0, 0, 0)
    assert await points.balance(session, bad) == 50
    assert (await points.verify(session)).is_clean


async def test_a_level_that_is_lost_can_be_reached_anew(session: AsyncSession) -> None:
    await make_programme(session, referrer=Gift(), friend=Gift(), levels=(Level(2, Gift(500)),))
    referrer = await make_referrer(session)
    first = await befriend(session, referrer)
    await befriend(session, referrer)
    assert await points.balance(session, referrer) == 500
    assert first.status is Status.QUALIFIED
    await clawback.claw_back(session, referrer, reason="Fakes", by="operator:1")
    assert await points.balance(session, referrer) == 0
    for balance in (0, 500):
        await befriend(session, referrer)
        assert await points.balance(session, referrer) == balance


async def test_nothing_below(session: AsyncSession) -> None:
    referrer = await make_referrer(session)
    assert (await clawback.preview(session, referrer)).referrals == 0
    assert await standing.tree(session, referrer) == ()
