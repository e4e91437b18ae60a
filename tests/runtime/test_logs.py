"""No secret reaches the log: not in words, values, exceptions or the lines of libraries."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from crm.config.settings import LogSettings
from runtime.logs import redact, set_up_logs

TOKEN = "7123456789:AAHfakeTokenOfATestBot_0123456789abcd"
KEY = "siyu_" + "k" * 43
PASSWORD = "hunter2-and-more"
ADDRESS = f"postgresql://siyu:{PASSWORD}@db:5432/siyu"
BEARER = f"Authorization: Bearer {KEY}"
SECRETS = (TOKEN, KEY, PASSWORD)


@pytest.fixture(autouse=True, params=["json", "console"])
def said(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What our logs write, in both forms; afterwards they are as before."""
    written = StringIO()
    monkeypatch.setattr("sys.stderr", written)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    set_up_logs(LogSettings(level="DEBUG", format=request.param))
    yield written
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def _told(said: StringIO) -> str:
    written = said.getvalue()
    assert written
    assert [secret for secret in SECRETS if secret in written] == []
    return written


def test_words_and_values(said: StringIO) -> None:
    words = f"calling https://api.telegram.org/bot{TOKEN}/sendMessage"
    structlog.get_logger("a").info(words, key=KEY, deep={"url": [ADDRESS, (TOKEN,)]})
    assert "calling" in _told(said)


def _call() -> None:
    raise ConnectionError(f"Cannot connect to https://api.telegram.org/bot{TOKEN}/getMe")


def _fail() -> None:
    try:
        _call()
    except ConnectionError as error:
        raise RuntimeError(f"{ADDRESS} with {BEARER}") from error


def test_exceptions_with_addresses(said: StringIO) -> None:
    try:
        _fail()
    except RuntimeError as error:
        structlog.get_logger("b").exception("failed", error=error)
        logging.getLogger("aiohttp.client").exception("failed for /bot%s/getMe", TOKEN)
    assert "RuntimeError" in _told(said)


def test_lines_of_libraries(said: StringIO) -> None:
    logging.getLogger("httpx").warning("HTTP Request: POST https://api.telegram.org/bot%s/getUpdates", TOKEN)
    logging.getLogger("x").warning("connecting to %s", ADDRESS, extra={"token": TOKEN})
    logging.getLogger("y").warning({"Authorization": KEY})
    assert "getUpdates" in _told(said)


def test_stack_of_a_warning(said: StringIO) -> None:
    structlog.get_logger("c").warning("look", stack_info=True, value=f"{TOKEN} {KEY}")
    _told(said)


def test_what_is_no_secret_stays() -> None:
    entry = {"count": 3, "ratio": 0.5, "is_on": True, "none": None, "at": "2026-01-01T10:00:00", "chat": "12345:67890"}
    assert redact(entry) == entry
    assert json.dumps(redact(entry))
