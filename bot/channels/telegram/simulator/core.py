"""The simulated server's parts joined together, with a start and an end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .config import BotAccount, SimulatorConfig
from .errors import BotApiError, bad_request, conflict
from .faults import FaultScript
from .limits import Pacer
from .live import Live
from .mailbox import Mailbox
from .statistics import Statistics
from .store import Store
from .tokens import is_token_shaped
from .webhooks import AnswerCall, Courier
from .world.bots import Bot
from .world.loading import load_world, mark_clean_end
from .world.world import World


class Simulator:
    """One simulated Bot API server."""

    def __init__(self, config: SimulatorConfig, on_call: AnswerCall) -> None:
        self.config = config
        self.store = Store(config.data_folder, config.flush_seconds)
        self.world = World(config, self.store)
        self.live = Live(self.world)
        self.faults = FaultScript()
        self.pacer = Pacer(config.limits)
        self.statistics = Statistics()
        self.mailboxes: dict[int, Mailbox] = {}
        self._by_token: dict[str, Bot] = {}
        self._couriers: dict[int, asyncio.Task[None]] = {}
        self._on_call = on_call
        load_world(self.world)
        for account in config.bots:
            self.add_bot(account)
        for bot in self.world.bots.values():
            self._open_mailbox(bot)
            self._by_token[bot.token] = bot

    def add_bot(self, account: BotAccount) -> Bot:
        """Register a bot; a known one gets this token, and its old token stops working."""
        if not is_token_shaped(account.token):
            raise bad_request("a bot token is digits, a colon and at least 20 letters or digits")
        known = self.world.bots.get(account.id)
        if known is not None:
            self._by_token.pop(known.token, None)
        bot = self.world.add_bot(account)
        self._by_token[bot.token] = bot
        self._open_mailbox(bot)
        return bot

    def remove_bot(self, bot: Bot) -> None:
        """Forget a bot, its chats and its waiting updates."""
        bot.webhook = None
        self.switch_webhook(bot)
        mailbox = self.mailboxes.pop(bot.id)
        mailbox.release_poll()
        mailbox.drop_all()
        self._by_token.pop(bot.token, None)
        self.world.remove_bot(bot)

    def bot_by_token(self, token: str) -> Bot:
        """The bot that a token belongs to; raises 401 for any other token."""
        bot = self._by_token.get(token)
        if bot is None:
            raise BotApiError(401, "Unauthorized")
        return bot

    def mailbox(self, bot: Bot) -> Mailbox:
        """The waiting updates of a bot."""
        return self.mailboxes[bot.id]

    def deliver(self, bot: Bot, kind: str, payload: dict[str, object], queue: str) -> None:
        """Put an update where the bot will get it, by poll or webhook."""
        config = self.config
        is_short = kind == "callback_query"
        expires_in = config.callback_expiry_seconds if is_short else config.update_expiry_seconds
        self.mailbox(bot).add(kind, payload, queue, expires_in=expires_in)

    def switch_webhook(self, bot: Bot) -> None:
        """Start or stop pushing after a bot's webhook has changed."""
        courier = self._couriers.pop(bot.id, None)
        if courier is not None:
            courier.cancel()
        if bot.webhook is not None:
            self.mailbox(bot).end_poll("terminated by setWebhook request")
            work = Courier(self.mailbox(bot), self._on_call).run(bot.webhook)
            self._couriers[bot.id] = asyncio.create_task(work)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write behind and push while the block runs; everything is written at its end."""
        writer = asyncio.create_task(self.store.run())
        for bot in self.world.bots.values():
            self.switch_webhook(bot)
        try:
            yield
        finally:
            self.hang_up()
            tasks = [writer, *self._couriers.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._couriers.clear()
            mark_clean_end(self.world)
            await self.store.close()

    def hang_up(self) -> None:
        """Answer every waiting poll and end every stream, so that a stop need not wait for them."""
        for mailbox in self.mailboxes.values():
            mailbox.release_poll()
        self.live.close()

    def require_no_webhook(self, bot: Bot) -> None:
        """Raise the 409 that a poller gets while a webhook is set."""
        if bot.webhook is not None:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )

    def _open_mailbox(self, bot: Bot) -> None:
        if bot.id not in self.mailboxes:
            mailbox = self.mailboxes[bot.id] = Mailbox(bot, self.world)
            mailbox.load()
