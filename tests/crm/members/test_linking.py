"""Link codes: both chats are proven, guesses are counted, the fuller history is kept."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.members import linking, merging, service
from crm.profiles import service as profiles
from tests.conftest import At
from tests.factories.bots import make_bot
from tests.factories.members import make_contact


async def test_a_code_from_one_chat_typed_in_the_other_joins_both(session: AsyncSession) -> None:
    here, there = await make_contact(session), await make_contact(session, bot=await make_bot(session, "webchat"))
    await service.mark_signed_up(session, there.member.id)
    made = await linking.issue_link_code(session, here.member.id, identity_id=here.identity.id)
    assert made.code.isdigit()
    assert len(made.code) == 6
    result = await linking.redeem_link_code(session, there.member.id, made.code, identity_id=there.identity.id)
    assert (result.kept_member_id, result.merged_member_id, result.problem) == (there.member.id, here.member.id, None)
    assert len(await service.identities(session, there.member.id)) == 2
    used = await linking.redeem_link_code(session, there.member.id, made.code, identity_id=there.identity.id)
    assert used.problem == "invalid_link_code"


async def test_the_fuller_history_is_kept(session: AsyncSession) -> None:
    one, two = await make_contact(session), await make_contact(session)
    assert await linking.fuller(session, one.member.id, two.member.id) == (one.member.id, two.member.id)
    await profiles.record(session, two.member.id, points_balance=5)
    assert await linking.fuller(session, one.member.id, two.member.id) == (two.member.id, one.member.id)
    await profiles.record(session, one.member.id, orders_count=1)
    assert await linking.fuller(session, one.member.id, two.member.id) == (one.member.id, two.member.id)


async def test_a_code_is_useless_in_the_chat_that_made_it(session: AsyncSession) -> None:
    here = await make_contact(session)
    made = await linking.issue_link_code(session, here.member.id, identity_id=here.identity.id)
    result = await linking.redeem_link_code(session, here.member.id, made.code, identity_id=here.identity.id)
    assert (result.problem, result.tries_left) == ("same_account", 5)


async def test_a_code_runs_out_and_a_new_one_replaces_it(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+00:00")
    here, there = await make_contact(session), await make_contact(session)
    old = await linking.issue_link_code(session, here.member.id, identity_id=here.identity.id)
    assert old.expires_at - now == timedelta(minutes=10)
    new = await linking.issue_link_code(session, here.member.id, identity_id=here.identity.id)
    assert (await session.execute(text("SELECT count(*) FROM link_codes"))).scalar_one() == 1
    await at(session, "2026-03-01T08:10+00:00")
    for code in {old.code, new.code}:
        late = await linking.redeem_link_code(session, there.member.id, code, identity_id=there.identity.id)
        assert late.problem == "invalid_link_code"


async def test_five_wrong_codes_close_the_chat_for_ten_minutes(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+00:00")
    here, there = await make_contact(session), await make_contact(session)
    made = await linking.issue_link_code(session, here.member.id, identity_id=here.identity.id)
    left = []
    for guess in ("", "abc", "中文", "\x00", "1234567"):
        result = await linking.redeem_link_code(session, there.member.id, guess, identity_id=there.identity.id)
        assert result.problem == "invalid_link_code"
        left.append(result.tries_left)
    assert left == [4, 3, 2, 1, 0]
    closed = await linking.redeem_link_code(session, there.member.id, made.code, identity_id=there.identity.id)
    assert closed.problem == "too_many_tries"
    await at(session, "2026-03-01T08:10:01+00:00")
    fresh = await linking.issue_link_code(session, here.member.id, identity_id=here.identity.id)
    opened = await linking.redeem_link_code(session, there.member.id, fresh.code, identity_id=there.identity.id)
    assert opened.problem is None


async def test_profiles_that_are_one_already_stay_so(session: AsyncSession) -> None:
    here, there = await make_contact(session), await make_contact(session)
    made = await linking.issue_link_code(session, here.member.id, identity_id=here.identity.id)
    await merging.merge(session, there.member.id, here.member.id, by="operator:1")
    result = await linking.redeem_link_code(session, here.member.id, made.code, identity_id=there.identity.id)
    assert (result.kept_member_id, result.merged_member_id, result.problem) == (there.member.id, None, None)


async def test_a_demo_profile_is_not_linked_with_a_real_one(session: AsyncSession) -> None:
    here = await make_contact(session)
    there = await make_contact(session, bot=await make_bot(session, is_demo=True))
    made = await linking.issue_link_code(session, here.member.id, identity_id=here.identity.id)
    result = await linking.redeem_link_code(session, there.member.id, made.code, identity_id=there.identity.id)
    assert (result.kept_member_id, result.problem) == (there.member.id, "merge_impossible")
