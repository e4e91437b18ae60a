"""HTTP to a Bot API server: kept-alive connections per bot and lane, orjson, no framework.

A call answers and never raises; addresses contain tokens, so errors are told by their kind alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from .access import Access
from .answers import Answer, Failure, Phase, Reply, read_answer

READ_TIMEOUT = 30.0
"""Seconds; a message is often delivered although its answer is late, so patience saves doubts."""
CONNECT_TIMEOUT = 10.0
_KEEP_ALIVE = 30.0
_JSON = {"Content-Type": "application/json"}
_NEVER_WRITTEN = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_UNREADABLE = Answer(400, description="Bad Request: the message is not valid Unicode text")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes along as the parameter `field`."""

    field: str
    filename: str
    content_type: str
    content: bytes


class BotApi:
    """Calls methods; `pool` keeps the connections of lanes apart."""

    def __init__(self, *, connect_timeout: float = CONNECT_TIMEOUT) -> None:
        self._connect_timeout = connect_timeout
        self._sessions: dict[tuple[Access, str], aiohttp.ClientSession] = {}
        self._addresses: dict[tuple[Access, str], URL] = {}

    async def call(
        self,
        access: Access,
        method: str,
        values: Mapping[str, Any],
        *,
        upload: Upload | None = None,
        pool: str = "",
        read_timeout: float = READ_TIMEOUT,
    ) -> Reply:
        """Make one call. `read_timeout` in seconds, between two pieces of the answer."""
        try:
            body: bytes | aiohttp.FormData = orjson.dumps(values) if upload is None else _form(values, upload)
        except (TypeError, UnicodeError):
            return _UNREADABLE
        timeout = aiohttp.ClientTimeout(
            connect=self._connect_timeout, sock_connect=self._connect_timeout, sock_read=read_timeout
        )
        try:
            session = self._session(access, pool)
            async with session.post(
                self._address(access, method),
                data=body,
                headers=_JSON if upload is None else None,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                return read_answer(response.status, await response.read())
        except _NEVER_WRITTEN as error:
            return Failure(Phase.CONNECT, f"no connection to the Bot API server: {type(error).__name__}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Failure(Phase.ANSWER, f"no answer from the Bot API server: {type(error).__name__}")

    async def forget(self, access: Access) -> None:
        """Close the connections of a bot that is served no more."""
        for key in [key for key in self._sessions if key[0] == access]:
            await self._sessions.pop(key).close()
        for known in [known for known in self._addresses if known[0] == access]:
            del self._addresses[known]

    async def close(self) -> None:
        """Close all connections."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    def _session(self, access: Access, pool: str) -> aiohttp.ClientSession:
        session = self._sessions.get((access, pool))
        if session is None:
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=_KEEP_ALIVE, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
            self._sessions[access, pool] = session
        return session

    def _address(self, access: Access, method: str) -> URL:
        address = self._addresses.get((access, method))
        if address is None:
            address = URL(f"{access.server}/bot{quote(access.token, safe=':')}/{method}", encoded=True)
            self._addresses[access, method] = address
        return address


def _form(values: Mapping[str, Any], upload: Upload) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    for name, value in values.items():
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        form.add_field(name, text.encode().decode())
    form.add_field(upload.field, upload.content, filename=upload.filename, content_type=upload.content_type)
    return form
