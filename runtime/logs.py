"""Structured logs without secrets and personal data.

Tokens are cut out of every value; of exceptions, kinds and places are written and never their words. Ids of the
request, update, member, delivery or job at hand come along by context.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from crm.config.settings import LogSettings


_SECRETS = (
    (re.compile(r"\b(bot)?\d{5,}:[A-Za-z0-9_-]{30,}"), "<bot token>"),
    (re.compile(r"\bsiyu_[A-Za-z0-9_-]{20,}"), "<api key>"),
    (re.compile(r"(://[^:/@\s]*):[^@/\s]+@"), r"\1:<password>@"),
)
_OURS = frozenset({"admin_api", "bot", "crm", "flows", "runtime", "siyu"})
_QUIET = (
    *("apscheduler", "pgqueuer", "uvicorn.access", "uvicorn.error", "aiogram", "asyncio", "alembic"),
    *("httpx", "httpcore", "aiohttp.access"),  # whole addresses, at INFO
    "crm.db.pools",  # tells of every connection that it drops
)
_MOST_CAUSES = 20


def redact(value: Any) -> Any:
    """`value` with bot tokens, API keys and passwords in addresses cut out."""
    if isinstance(value, str):
        for pattern, instead in _SECRETS:
            value = pattern.sub(instead, value)
        return value
    if isinstance(value, dict):
        return {key: redact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value if isinstance(value, int | float | bool | None) else redact(str(value))


def _frames(error: BaseException) -> str:
    """Where an error arose, innermost last, and its kind; never its words, which may quote a person or a key."""
    stack = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
    places = [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in stack]
    return "\n".join([*places, type(error).__name__])


def _without_words(error: BaseException) -> str:
    """The error with what caused it, first cause first; the parts of a group each by itself."""
    chain: list[str] = []
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting and len(chain) < _MOST_CAUSES:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        chain.append(_frames(one))
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        waiting.append(one.__cause__ or (None if one.__suppress_context__ else one.__context__))
    return "\n".join(reversed(chain))


def _telling_places(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put kinds and places of an exception into the entry, instead of what libraries would write."""
    given = entry.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    elif given and not isinstance(given, BaseException):
        given = sys.exc_info()[1]
    if isinstance(given, BaseException):
        entry["exception"] = _without_words(given)
    return {key: type(value).__name__ if isinstance(value, BaseException) else value for key, value in entry.items()}


def _is_ours_or_worth_it(record: logging.LogRecord) -> bool:
    """What libraries say below INFO is left out: some write down requests with all their values."""
    if record.name == "asyncio":
        # Its further lines hold the representation of a task, and with it the words of the exception.
        record.msg, record.args = record.getMessage().partition("\n")[0], ()
    return record.levelno >= logging.INFO or record.name.partition(".")[0] in _OURS


def _redacting(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: redact(value) for key, value in entry.items()}


def set_up_logs(settings: "LogSettings") -> None:
    """Send our own and the libraries' logs to standard error, as lines or as JSON."""
    is_json = settings.format == "json"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _telling_places,
        _redacting,
    ]
    renderer = (
        structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_is_ours_or_worth_it)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.level.upper(), force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
