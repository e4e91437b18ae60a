"""What every deployment starts with; harmless to repeat, and what operators changed stays."""

from crm.bots import service as bots
from crm.consent import service as consent
from crm.points import service as points
from runtime.container import Container

WEBCHAT = "webchat"


async def ensure_defaults(container: Container) -> None:
    """Earning rules, topics, the web chat's bot, and the Telegram bot that the environment names."""
    async with container.sessions.begin() as session:
        await points.ensure_defaults(session)
        if not await bots.listing(session, channel=WEBCHAT):
            await bots.add(session, channel=WEBCHAT, name="Web chat", token=None)
        if "news" not in {topic.key for topic in await consent.topics(session, with_archived=True)}:
            names = {"en": "News and offers", "zh-CN": "新品与优惠"}
            await consent.create_topic(session, "news", name=names, is_default=True)
