"""What every deployment starts with; harmless to repeat, and what operators changed stays."""

import structlog
from sqlalchemy import text

from bot.channels.contract import ChannelAccount, ChannelContext
from crm.bots import service as bots
from crm.consent import service as consent
from crm.journeys import shipped
from crm.kit.errors import DomainError, UnavailableError
from crm.kit.parts import load_part
from crm.points import service as points
from runtime.channels import discover_channels
from runtime.container import Container
from runtime.failures import StartProblem

log = structlog.get_logger(__name__)
_TURN_BACK = "SELECT set_config('siyu.now', (clock_timestamp() - interval '200 days')::text, true)"
_WEBCHAT = "webchat"
_TELEGRAM = "telegram"


async def ensure_defaults(container: Container, *, with_history: bool = False) -> None:
    """Earning rules, journeys, the news topic, the web chat's bot, and the Telegram bot that the environment names.

    `with_history` puts new earning rules in force from 200 days ago, so that demo members have a past.
    """
    async with container.sessions.begin() as session:
        if with_history:
            await session.execute(text(_TURN_BACK))
        await points.ensure_defaults(session)
    async with container.sessions.begin() as session:
        if not any(not bot.is_demo for bot in await bots.listing(session, channel=_WEBCHAT)):
            await bots.add(session, channel=_WEBCHAT, name="Web chat", token=None)
        if "news" not in {topic.key for topic in await consent.topics(session, with_archived=True)}:
            names = {"en": "News and offers", "zh-CN": "新品与优惠"}
            await consent.create_topic(session, "news", name=names, is_default=True)
        await shipped.ensure_defaults(session)
    await _ensure_own_bot(container)


async def _ensure_own_bot(container: Container) -> None:
    given = container.settings.telegram
    if given.bot_token is None:
        return
    token = given.bot_token.get_secret_value().strip()
    account = await _account(container, token)
    async with container.sessions.begin() as session:
        for bot in await bots.listing(session, channel=_TELEGRAM):
            if not bot.settings.get("is_simulator") and await bots.token(session, bot.id) == token:
                await bots.change(session, bot.id, mode=given.mode, username=account.username)
                return
        await bots.add(
            session, channel=_TELEGRAM, name=account.name, token=token, mode=given.mode, username=account.username
        )


async def _account(container: Container, token: str) -> ChannelAccount:
    """What Telegram says of the token. Raises StartProblem when it is refused; an absent Telegram stops nobody."""
    manifest = discover_channels()[_TELEGRAM]
    context = ChannelContext(container.settings, container.interactive, container.valkey)
    try:
        found: ChannelAccount = await load_part(manifest.check_token or "")(context, token)
    except UnavailableError as error:
        log.warning("bot_token_not_checked", detail=error.detail)
        return ChannelAccount(manifest.title, None)
    except DomainError as error:
        raise StartProblem(f"SIYU_TELEGRAM_BOT_TOKEN was refused: {error.detail}") from error
    return found
