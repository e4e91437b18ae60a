"""The ledger refuses to be changed, and a verification names what was changed behind its back."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.migrations.versions.r0011_points import IMMUTABLE
from crm.points import holds, pending, service
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give


async def _history(session: AsyncSession) -> int:
    member = await make_member(session)
    for points in (10, 20, 30):
        await give(session, member.id, points)
    await service.redeem(session, member.id, 25, reason="tea", key="k")
    await assert_sound(session)
    return member.id


async def _behind_the_back(session: AsyncSession, statement: str) -> None:
    for state in ("DISABLE", "ENABLE"):
        for table in IMMUTABLE:
            await session.execute(text(f"ALTER TABLE {table} {state} TRIGGER USER"))
        if state == "DISABLE":
            await session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET amount = amount + 1",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_transactions SET reason = 'other'",
        "DELETE FROM ledger_transactions",
        "UPDATE ledger_keys SET amount = 1",
        "DELETE FROM ledger_keys",
        "UPDATE lot_uses SET amount = 1",
        "DELETE FROM ledger_checkpoints",
        "UPDATE ledger_checkpoint_heads SET sequence = 1",
    ],
)
async def test_rows_are_immutable(session: AsyncSession, statement: str) -> None:
    await _history(session)
    await service.checkpoint(session)
    with pytest.raises(DBAPIError, match="never changed or removed"):
        async with session.begin_nested():
            await session.execute(text(statement))


async def test_entries_that_do_not_sum_to_zero_are_refused(session: AsyncSession) -> None:
    with pytest.raises(DBAPIError, match="do not sum to zero"):
        await session.execute(
            text(
                "INSERT INTO ledger_entries (transaction_id, position, occurred_at, account, amount)"
                " VALUES (gen_random_uuid(), 1, siyu_now(), 'issuance', -5)"
            )
        )


async def test_a_balance_below_zero_is_refused(session: AsyncSession) -> None:
    await _history(session)
    with pytest.raises(DBAPIError, match="ck_point_accounts_balance"):
        await session.execute(text("UPDATE point_accounts SET balance = -1"))


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE ledger_entries SET amount = amount * 2 WHERE sequence = 2", "transactions sum to zero"),
        ("UPDATE ledger_transactions SET reason = 'forged' WHERE kind = 'redeem'", "chains"),
        ("UPDATE ledger_transactions SET actor = 'forged' WHERE kind = 'redeem'", "chains"),
        ("UPDATE ledger_entries SET hash = sha256('x') WHERE sequence = 1", "chains"),
        ("DELETE FROM ledger_entries WHERE sequence = 2", "chains"),
        ("DELETE FROM ledger_transactions WHERE kind = 'redeem'", "transactions and entries belong together"),
        ("DELETE FROM ledger_keys WHERE key = 'k'", "keys and transactions belong together"),
        ("UPDATE point_accounts SET balance = balance + 1", "balances equal entries"),
        ("UPDATE point_lots SET remaining = remaining + 1 WHERE remaining = 5", "balances equal lots"),
        ("UPDATE lot_uses SET amount = amount + 1", "lots equal their uses"),
        ("UPDATE profiles SET points_balance = 1", "profiles show the balance"),
        ("UPDATE point_lots SET expires_at = siyu_now() - interval '1 day'", "expired lots are not spent"),
        (
            "UPDATE point_lots SET expires_at = siyu_now() + interval '9 days' WHERE points = 30",
            "lots are spent in their order",
        ),
        (
            "UPDATE point_lots SET earned_at = earned_at - interval '1 s' WHERE points = 30",
            "lots are spent in their order",
        ),
    ],
)
async def test_what_was_changed_is_named(session: AsyncSession, statement: str, check: str) -> None:
    await _history(session)
    await _behind_the_back(session, statement)
    found = await service.verify(session)
    assert not found.is_clean
    assert check in {problem.check for problem in found.problems}
    assert all(problem.subject for problem in found.problems)


async def test_a_history_rewritten_with_fitting_hashes_is_betrayed_by_the_checkpoint(session: AsyncSession) -> None:
    member_id = await _history(session)
    sealed = await service.checkpoint(session)
    assert sealed is not None
    assert sealed.accounts == 1
    assert await service.checkpoint(session) is None
    await _behind_the_back(
        session,
        "UPDATE ledger_transactions SET reason = 'forged' WHERE kind = 'redeem'",
    )
    await _behind_the_back(
        session,
        "UPDATE ledger_entries e SET hash = siyu_entry_hash((SELECT p.hash FROM ledger_entries p WHERE p.sequence = 3),"
        " e.member_id, e.sequence, e.amount, e.balance_after, t.id, t.occurred_at, t.kind, t.key, t.reason, t.actor,"
        " t.rule_id, t.event_id, t.reverses_id) FROM ledger_transactions t WHERE t.id = e.transaction_id"
        " AND e.sequence = 4",
    )
    await _behind_the_back(
        session,
        "UPDATE point_accounts SET last_hash = (SELECT hash FROM ledger_entries WHERE sequence = 4)",
    )
    found = await service.verify(session)
    assert [(problem.check, problem.subject) for problem in found.problems] == [
        ("checkpoints", f"member {member_id}, entry 4")
    ]


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("UPDATE ledger_checkpoints SET signature = sha256('x') WHERE id = 2", "is not signed"),
        ("UPDATE ledger_checkpoint_heads SET sequence = 1 WHERE checkpoint_id = 2", "differs from checkpoint 2"),
        ("DELETE FROM ledger_checkpoint_heads WHERE checkpoint_id = 1", "does not match"),
        ("DELETE FROM ledger_checkpoints WHERE id = 1", "is missing"),
    ],
)
async def test_changed_checkpoints_are_named(session: AsyncSession, statement: str, detail: str) -> None:
    member_id = await _history(session)
    await service.checkpoint(session)
    await give(session, member_id, 1)
    await service.checkpoint(session)
    assert (await assert_sound(session)).checkpoints == 2
    await _behind_the_back(session, statement)
    found = await service.verify(session)
    assert any(problem.check == "checkpoints" and detail in problem.detail for problem in found.problems)


_WITHOUT_THE_NEWEST = (
    "CREATE TEMP TABLE newest ON COMMIT DROP AS SELECT transaction_id FROM ledger_entries WHERE sequence = 4",
    "DELETE FROM ledger_keys WHERE transaction_id IN (SELECT transaction_id FROM newest)",
    "DELETE FROM ledger_transactions WHERE id IN (SELECT transaction_id FROM newest)",
    "DELETE FROM lot_uses WHERE transaction_id IN (SELECT transaction_id FROM newest)",
    "DELETE FROM ledger_entries WHERE transaction_id IN (SELECT transaction_id FROM newest)",
    "UPDATE point_lots SET remaining = points",
    "UPDATE profiles SET points_balance = 60",
    (
        "UPDATE point_accounts SET balance = 60, last_sequence = 3,"
        " last_hash = (SELECT hash FROM ledger_entries WHERE sequence = 3)"
    ),
)
"""A redemption removed with all its traces in the ledger."""


async def test_newest_rows_that_were_cut_off_are_betrayed_by_the_event_log(session: AsyncSession) -> None:
    await _history(session)
    for statement in _WITHOUT_THE_NEWEST:
        await _behind_the_back(session, statement)
    found = await service.verify(session)
    assert [problem.check for problem in found.problems] == ["events name what is there"]


async def test_newest_rows_that_were_sealed_are_betrayed_by_the_checkpoint(session: AsyncSession) -> None:
    member_id = await _history(session)
    await service.checkpoint(session)
    for statement in _WITHOUT_THE_NEWEST:
        await _behind_the_back(session, statement)
    found = {problem.check: problem for problem in (await service.verify(session)).problems}
    assert set(found) == {"chains", "checkpoints", "events name what is there"}
    assert found["chains"].subject == f"member {member_id}"
    assert found["chains"].detail == "entry 4 was sealed by a checkpoint and is missing"


async def test_the_first_bad_entry_of_the_first_bad_chain_is_named(session: AsyncSession) -> None:
    first = await _history(session)
    second = await make_member(session)
    await give(session, second.id, 5)
    forged = "UPDATE ledger_transactions SET reason = 'forged' WHERE id IN"
    await _behind_the_back(
        session, f"{forged} (SELECT transaction_id FROM ledger_entries WHERE sequence = 3 OR member_id = {second.id})"
    )
    (problem,) = (await service.verify(session)).problems
    assert (problem.check, problem.subject) == ("chains", f"member {first}")
    assert problem.detail == "entry 3 was changed: its hash does not match"


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE point_accounts SET held = held + 1", "balances equal entries"),
        ("UPDATE point_holds SET points = points + 1", "what is pending and held equals accounts"),
        ("DELETE FROM pending_points", "what is pending and held equals accounts"),
        ("UPDATE point_accounts SET pending = 0", "balances equal entries"),
        (
            (
                "INSERT INTO ledger_keys SELECT 'void:' || substr(key, 7), transaction_id, occurred_at, amount"
                " FROM ledger_keys WHERE key LIKE 'spend:%'"
            ),
            "holds and pending points are resolved once",
        ),
        (
            "UPDATE ledger_keys SET amount = amount * 9 WHERE key LIKE 'cancel:%'",
            "no more is taken back than was earned",
        ),
    ],
)
async def test_what_is_set_aside_cannot_be_changed_unseen(session: AsyncSession, statement: str, check: str) -> None:
    member_id = await _history(session)
    until = await clock.now(session) + timedelta(hours=1)
    for key in ("a", "b"):
        await holds.hold(session, member_id, 3, reason="order", key=key, until=until)
        await pending.earn(session, member_id, 4, rule="gift", key=f"pending {key}")
    await holds.post(session, "a")
    await pending.cancel(session, "pending a", reason="returned")
    await assert_sound(session)
    await _behind_the_back(session, statement)
    assert check in {problem.check for problem in (await service.verify(session)).problems}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE point_lots SET expires_at = NULL",
        "UPDATE point_lots SET expires_at = siyu_now() + interval '1 hour'",
        "INSERT INTO lot_uses SELECT transaction_id, lot_id + 1, occurred_at, amount FROM lot_uses",
        "DELETE FROM lot_uses",
    ],
)
async def test_an_expiry_that_was_changed_is_named(session: AsyncSession, at: At, statement: str) -> None:
    await at(session, "2026-03-01T08:00Z")
    member = await make_member(session)
    now = await clock.now(session)
    for days in (1, 2):
        await give(session, member.id, 5, expires_at=now + timedelta(days=days))
    await at(session, "2026-03-02T09:00Z")
    assert await service.expire_due(session) == 1
    await assert_sound(session)
    await _behind_the_back(session, statement)
    found = {problem.check for problem in (await service.verify(session)).problems}
    assert "expiry is of one lot, once, in its time" in found
