"""Many members at once, by set-based SQL over the real tables: what is measured begins after this."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.bots import service as bots
from runtime.container import Container

TOKEN = "123456:" + "b" * 35
_FILL = (
    """INSERT INTO members (id, display_name, locale, signed_up_at)
       SELECT n, 'Member ' || n, CASE WHEN n % 3 = 0 THEN 'en' ELSE 'zh-CN' END, siyu_now()
       FROM generate_series(CAST(:first AS bigint), :last) n""",
    """INSERT INTO profiles (member_id, locale, stage, signed_up_at)
       SELECT n, CASE WHEN n % 3 = 0 THEN 'en' ELSE 'zh-CN' END, 'new', siyu_now()
       FROM generate_series(CAST(:first AS bigint), :last) n""",
    """INSERT INTO identities (id, member_id, bot_id, channel, address, display_name)
       SELECT n, n, :bot_id, 'telegram', (n + 1000000)::text, 'Member ' || n
       FROM generate_series(CAST(:first AS bigint), :last) n""",
    """INSERT INTO consent_states (member_id, channel, topic, is_given, text_version, source, at)
       SELECT n, 'telegram', 'news', true, 'bench', 'bench', siyu_now()
       FROM generate_series(CAST(:first AS bigint), :last) n""",
)


async def add_bot(
    container: Container, api_base: str, *, number: int = 0, bulk_rate: float = bots.MAX_BULK_RATE
) -> int:
    """A Telegram bot on the stand-in; each `number` has a token of its own, the rate is the highest unless named."""
    async with container.sessions.begin() as session:
        made = await bots.add(
            session,
            channel="telegram",
            name="Bench",
            token=f"{int(TOKEN[:6]) + number}{TOKEN[6:]}",
            username=f"bench{number}_bot",
            settings={"api_base": api_base},
        )
        await bots.change(session, made.id, bulk_rate=bulk_rate)
    return made.id


async def add_members(container: Container, bot_id: int, first: int, last: int) -> None:
    """Signed-up, reachable members with consent, whose Telegram address is their id + 1,000,000."""
    values = {"first": first, "last": last, "bot_id": bot_id}
    async with container.sessions.begin() as session:
        for statement in _FILL:
            named = {name: value for name, value in values.items() if f":{name}" in statement}
            await session.execute(text(statement), named)
    await _settle(container)


async def _settle(container: Container) -> None:
    """Leave nothing to do for later: what reads new rows first would write their hint bits, pages at a time."""
    engine = container.sessions.kw["bind"]
    assert isinstance(engine, AsyncEngine)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM (FREEZE, ANALYZE) members, profiles, identities, consent_states"))
