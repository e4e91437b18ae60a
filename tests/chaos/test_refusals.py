"""Rows 16 to 19: people who left, content that is refused, a token that was revoked, chats that moved."""

import pytest

from crm.deliveries.policy import CONTENT_ERRORS_TO_PAUSE, GROUP
from tests.acceptance.waiting import until
from tests.chaos.broadcasts import draft
from tests.chaos.fleet import SENDERS, STANDARD
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.chaos.table import Row

WITHIN = 300.0
_REACHABLE = "SELECT is_reachable FROM identities WHERE id = $1"
_GONE = "SELECT count(*) FROM identities WHERE bot_id = $1 AND NOT is_reachable"


@pytest.mark.chaos_row(16)
async def test_people_who_left(row: Row, stage: Stage) -> None:
    """They are not written to again, until one of them is back."""
    row.plan(
        "403 for 20 % of the recipients",
        done=f"{SIZES.crowd:,} recipients, two broadcasts; one of them blocks and unblocks",
        expected="suppressed, never called again, campaign not paused; back after unblocking",
        factor="rate x40",
    )
    client = stage.telegram.client
    await stage.fleet.have(*STANDARD)
    crowd = await stage.crowd("left", SIZES.crowd)
    bot = f"@{crowd.provider_bot['username']}"
    await client.create_user("Wen", user_id=crowd.first)
    await client.start(crowd.first, bot)
    await client.block(crowd.first, bot)
    await client.add_fault("forbidden", method="sendMessage", probability=0.2)
    first = await stage.launched(crowd)
    await first.until("finished", within=WITHIN)
    await client.lift_faults()
    seen = await stage.evidence(crowd, first)
    gone = int(await stage.database.fetchval(_GONE, crowd.bot_id))
    calls = len(list(stage.telegram.calls(crowd.telegram_id)))
    second = await stage.launched(crowd)
    await second.until("finished", within=WITHIN)
    again = await stage.evidence(crowd, second)
    called = len(list(stage.telegram.calls(crowd.telegram_id))) - calls
    await client.unblock(crowd.first, bot)
    await stage.fleet.begin("poller")
    await until(lambda: stage.database.fetchval(_REACHABLE, crowd.first), bool)
    third = await stage.launched(crowd)
    await third.until("finished", within=WITHIN)
    back = await stage.evidence(crowd, third)
    row.saw(
        f"{gone} left; second broadcast: {called} calls for {again.states['sent']} sent, "
        f"{again.states['suppressed']} suppressed; unblocked: {back.taken.get(crowd.first, 0)} message"
    )
    assert 0 < gone < crowd.size
    assert seen.states["suppressed"] == again.states["suppressed"] == gone
    assert called == again.states["sent"] == crowd.size - gone
    assert back.taken[crowd.first] == 1
    for found in (seen, again, back):
        assert (found.lost, found.copies, found.unwanted, found.uncertain) == (0, 0, 0, 0)
        assert found.is_counted_right


@pytest.mark.chaos_row(17)
async def test_content_is_refused(row: Row, stage: Stage) -> None:
    """What can be known before is refused at launch; what the provider finds stops the campaign soon."""
    most = CONTENT_ERRORS_TO_PAUSE + GROUP * len(SENDERS)
    row.plan(
        "400 for the content",
        done=f"one launch too long for some; refused from the middle of {SIZES.crowd:,} recipients on",
        expected=f"launch refused; in flight paused after {CONTENT_ERRORS_TO_PAUSE} in a row, failed <= {most}; "
        "the others are sent once it goes on",
        factor="rate x40",
    )
    await stage.fleet.have(*STANDARD)
    crowd = await stage.crowd("content", SIZES.crowd)
    too_long = await draft(stage.office, crowd, text="{{ member.name }}" * 300)
    refused = await too_long.act("launch")
    half = SIZES.crowd // 2
    campaign = await draft(stage.office, crowd)
    text = "Bad Request: can't parse entities: unsupported start tag"
    await stage.telegram.client.add_fault("bad_request", method="sendMessage", skip=half, text=text)
    await campaign.do("launch")
    paused = await campaign.until("paused", within=WITHIN)
    at_rest = await campaign.at_rest(within=WITHIN)
    await stage.telegram.client.lift_faults()
    await campaign.do("resume")
    await campaign.until("finished", within=WITHIN)
    found = await stage.evidence(crowd, campaign)
    row.saw(
        f"launch {refused.status_code}; {paused['status']} ({paused['held_reason']}) with "
        f"{at_rest['counts']['failed']} failed; at the end {found}"
    )
    assert refused.status_code == 422
    assert paused["held_reason"] == "content"
    assert CONTENT_ERRORS_TO_PAUSE <= at_rest["counts"]["failed"] <= most
    assert found.states["failed"] == at_rest["counts"]["failed"]
    assert found.states["sent"] == crowd.size - found.states["failed"]
    assert (found.lost, found.copies, found.unwanted) == (0, 0, 0)
    assert found.is_counted_right


@pytest.mark.chaos_row(18)
async def test_token_is_revoked(row: Row, stage: Stage) -> None:
    """Nobody sends through the bot any more; once it has a new token everybody gets the message."""
    row.plan(
        "401 in the middle of a broadcast",
        done=f"token revoked after a third of {SIZES.crowd:,}, 2 senders; then a new token",
        expected="bot stopped <= 1 s, an alert, failed 0, everybody is sent to afterwards",
        factor="rate x8",
    )
    await stage.fleet.have(*STANDARD)
    crowd = await stage.crowd("revoked", SIZES.crowd, rate=200)
    campaign = await stage.launched(crowd)
    third = SIZES.crowd // 3
    await campaign.until_so(lambda _: stage.telegram.count(crowd.telegram_id) >= third, "a third sent", within=WITHIN)
    token = await stage.telegram.client.revoke_token(crowd.telegram_id)

    async def status() -> str:
        return str(await stage.database.fetchval("SELECT status FROM bots WHERE id = $1", crowd.bot_id))

    await until(status, lambda found: found == "stopped")
    at_rest = await campaign.at_rest(within=WITHIN)
    # An unknown token has no bot to count it for.
    refused = [call["at"] for call in stage.telegram.calls(0) if call["status"] == 401]
    changed = await stage.office.patch(f"bots/{crowd.bot_id}", json={"token": token})
    assert changed.status_code == 200, changed.text
    await stage.office.post(f"bots/{crowd.bot_id}/start")
    await campaign.until("finished", within=WITHIN)
    found = await stage.evidence(crowd, campaign)
    span = max(refused) - min(refused)
    alerts = await stage.alerts("bot_refused", crowd.bot_id)
    row.saw(
        f"{len(refused)} calls refused within {span:.2f} s, {alerts} alert, {at_rest['counts']['failed']} failed; "
        f"then {found}"
    )
    assert alerts == 1
    assert at_rest["counts"]["failed"] == 0
    assert len(refused) <= 2 * GROUP * len(SENDERS)
    assert span <= 1 or not SIZES.is_full
    assert found.states["sent"] == crowd.size
    assert (found.lost, found.copies, found.uncertain) == (0, 0, 0)
    assert found.is_counted_right


@pytest.mark.chaos_row(19)
async def test_chats_move(row: Row, stage: Stage) -> None:
    """The new address is kept and used at once."""
    moved = 5
    row.plan(
        "migrate_to_chat_id",
        done=f"{moved} of {SIZES.crowd:,} chats moved, two broadcasts",
        expected="address kept, each message delivered once",
        factor="rate x40",
    )
    await stage.fleet.have(*STANDARD)
    crowd = await stage.crowd("moved", SIZES.crowd)
    homes = {chat: chat + 4_000_000_000_000 for chat in range(crowd.first, crowd.first + moved)}
    for old, new in homes.items():
        await stage.telegram.client.add_fault("migrate", chat_id=old, migrate_to_chat_id=new)
    seen = []
    for _ in range(2):
        campaign = await stage.launched(crowd)
        await campaign.until("finished", within=WITHIN)
        seen.append(await stage.evidence(crowd, campaign))
    known = await stage.database.fetch("SELECT id, address FROM identities WHERE id = ANY($1)", list(homes))
    kept = sum(row["address"] == str(homes[row["id"]]) for row in known)
    row.saw(f"{kept} addresses kept; {seen[0]}; then {seen[1]}")
    assert kept == moved
    for found in seen:
        assert (found.lost, found.copies, found.uncertain) == (0, 0, 0)
        assert found.taken_in_all == crowd.size
        assert found.is_counted_right
