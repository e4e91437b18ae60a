"""Structured logs without secrets: tokens are cut out of every value before it is written."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from crm.config.settings import LogSettings

_SECRETS = (
    (re.compile(r"\b(bot)?\d{5,}:[A-Za-z0-9_-]{30,}"), "<bot token>"),
    (re.compile(r"\bsiyu_[A-Za-z0-9_-]{20,}"), "<api key>"),
    (re.compile(r"(://[^:/@\s]*):[^@/\s]+@"), r"\1:<password>@"),
)


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


def _redacting(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: value if key == "exc_info" else redact(value) for key, value in entry.items()}


def set_up_logs(settings: LogSettings) -> None:
    """Send our own and the libraries' logs to standard error, as lines or as JSON."""
    is_json = settings.format == "json"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redacting,
    ]
    renderer = (
        structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.level.upper(), force=True)
    for name in ("apscheduler", "pgqueuer", "uvicorn.access", "uvicorn.error", "aiogram", "asyncio", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
