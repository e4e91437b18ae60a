"""Bots and their tokens."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import AdminDeps, Deps, EdgeOf
from admin_api.edge import Edge
from admin_api.problems import FieldError, ProblemError
from admin_api.routing import api_router
from admin_api.schemas import Body, IdPath, PageOf
from crm.bots import service
from crm.bots.errors import InvalidBot
from crm.bots.types import Bot, BotStatus
from crm.operators.permissions import Permission

router = api_router("/api/v1/bots", "Bots")
_READ = allow(Permission.BOTS_READ)
_WRITE = allow(Permission.BOTS_WRITE)
_STOPPED_BY_HAND = "stopped by an operator"
Token = Annotated[str, Field(min_length=1, max_length=512, description="Write only: it is never shown again.")]


Mode = Annotated[
    str,
    Field(max_length=20, description="How updates arrive: on Telegram `polling` or `webhook`.", examples=["webhook"]),
]


class BotView(BaseModel):
    """One account of the brand on one channel."""

    id: int
    channel: str
    name: str
    username: str | None
    status: BotStatus
    stopped_reason: str | None
    is_demo: bool
    mode: str
    bulk_rate: float
    bulk_paused_until: datetime | None
    settings: dict[str, Any]
    has_token: bool
    created_at: datetime


class NewBot(Body):
    """A bot to serve."""

    channel: Annotated[str, Field(min_length=1, max_length=50, examples=["telegram"])]
    name: Annotated[str, Field(max_length=200)] = ""
    token: Token | None = None
    mode: Mode | None = None


class BotChange(Body):
    """Fields to change; what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    token: Token | None = None
    mode: Mode | None = None
    bulk_rate: Annotated[float, Field(gt=0, le=1000, description="Bulk messages a second.")] | None = None


def bot_view(bot: Bot) -> BotView:
    """As the API shows a bot."""
    return BotView.model_validate(vars(bot))


async def add_bot(
    edge: Edge, deps: AdminDeps, *, channel: str, name: str, token: str | None, mode: str | None = None
) -> Bot:
    """Add a bot whose token its provider knows. Raises ProblemError, InvalidBot, TokenTaken."""
    if channel not in deps.channels:
        detail = f"There is no channel {channel!r}; there are {', '.join(deps.channels)}."
        errors = [FieldError(path="channel", message=detail, code="unknown_channel")]
        raise ProblemError(422, "unknown_channel", detail, errors=errors)
    mode = mode or deps.modes[channel][0]
    _check_mode(deps, channel, mode)
    username = None
    if token is not None and deps.check_bot_token is not None:
        account = await deps.check_bot_token(channel, token)
        name, username = name or account.name, account.username
    bot = await service.add(
        edge.session, channel=channel, name=name or channel, token=token, username=username, mode=mode
    )
    edge.note("bot.add", f"bot:{bot.id}", after={"channel": channel, "mode": mode})
    return bot


def _check_mode(deps: AdminDeps, channel: str, mode: str) -> None:
    """Raises InvalidBot."""
    known = deps.modes.get(channel, ())
    if mode not in known:
        raise InvalidBot(f"updates of the channel {channel} arrive by {' or '.join(known)}")
    if mode == "webhook" and deps.settings.public.url is None:
        raise InvalidBot("a webhook needs the address of this deployment: set SIYU_PUBLIC_URL, or choose polling")


async def change_bot(
    edge: Edge,
    deps: AdminDeps,
    bot_id: int,
    *,
    name: str | None,
    token: str | None,
    bulk_rate: float | None,
    mode: str | None = None,
) -> Bot:
    """Change a bot; a new token is asked of its provider first. Raises BotNotFound, InvalidBot, TokenTaken."""
    before = await service.get(edge.session, bot_id)
    if mode and mode != before.mode:
        _check_mode(deps, before.channel, mode)
    username = None
    if token is not None and deps.check_bot_token is not None:
        username = (await deps.check_bot_token(before.channel, token)).username
    bot = await service.change(
        edge.session, bot_id, name=name, token=token, bulk_rate=bulk_rate, username=username, mode=mode
    )
    was = {"name": before.name, "bulk_rate": before.bulk_rate, "mode": before.mode}
    after = {"name": bot.name, "bulk_rate": bot.bulk_rate, "mode": bot.mode, "has_new_token": token is not None}
    edge.note("bot.change", f"bot:{bot_id}", before=was, after=after)
    return bot


async def stop_bot(edge: Edge, bot_id: int) -> Bot:
    """Let the bot neither receive nor send."""
    edge.note("bot.stop", f"bot:{bot_id}")
    return await service.stop(edge.session, bot_id, _STOPPED_BY_HAND)


async def start_bot(edge: Edge, bot_id: int) -> Bot:
    """Let a stopped bot work again."""
    edge.note("bot.start", f"bot:{bot_id}")
    return await service.start(edge.session, bot_id)


@router.get("", dependencies=[_READ], name="bot.list", summary="List bots")
async def list_bots(edge: EdgeOf) -> PageOf[BotView]:
    """By id."""
    return PageOf(items=[bot_view(bot) for bot in await service.listing(edge.session)])


@router.post("", dependencies=[_WRITE], name="bot.add", summary="Add a bot", status_code=201)
async def create(edge: EdgeOf, deps: Deps, body: NewBot) -> BotView:
    """The token is asked of the channel's provider first; without a name the bot gets the provider's."""
    added = await add_bot(edge, deps, channel=body.channel, name=body.name, token=body.token, mode=body.mode)
    return bot_view(added)


@router.get("/{bot_id}", dependencies=[_READ], name="bot.read", summary="Read a bot")
async def read(edge: EdgeOf, bot_id: IdPath) -> BotView:
    """One bot."""
    return bot_view(await service.get(edge.session, bot_id))


@router.patch("/{bot_id}", dependencies=[_WRITE], name="bot.change", summary="Change a bot")
async def change(edge: EdgeOf, deps: Deps, bot_id: IdPath, body: BotChange) -> BotView:
    """Changes what is given."""
    changes = {"name": body.name, "token": body.token, "mode": body.mode}
    return bot_view(await change_bot(edge, deps, bot_id, bulk_rate=body.bulk_rate, **changes))


@router.post("/{bot_id}/stop", dependencies=[_WRITE], name="bot.stop", summary="Stop a bot")
async def stop(edge: EdgeOf, bot_id: IdPath) -> BotView:
    """It neither receives nor sends until it is started."""
    return bot_view(await stop_bot(edge, bot_id))


@router.post("/{bot_id}/start", dependencies=[_WRITE], name="bot.start", summary="Start a bot")
async def start(edge: EdgeOf, bot_id: IdPath) -> BotView:
    """It works again."""
    return bot_view(await start_bot(edge, bot_id))
