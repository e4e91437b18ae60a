"""Calls of a Bot API server: kept-alive connections per bot and lane, orjson, no bot framework.

A call answers and never raises; addresses contain tokens, so errors are told by their kind alone.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

import orjson
from yarl import URL

from crm.kit.parts import make_part

from .access import Access
from .answers import Answer, Failure, Phase, Reply, Upload, read_answer
from .wire import NoAnswer, NotConnected, Pool

_UPLOADS = "bot.channels.telegram.uploads:Uploads"
READ_TIMEOUT = 30.0
"""Seconds; a message is often delivered although its answer is late, so patience saves doubts."""
CONNECT_TIMEOUT = 10.0
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_UNREADABLE = Answer(400, description="Bad Request: the message is not valid Unicode text")


class Uploads(Protocol):
    """Sends files as forms; see `.uploads`."""

    async def post(self, url: URL, values: Mapping[str, Any], upload: Upload, read_timeout: float) -> Reply:
        """Make one call with a file. Raises TypeError and UnicodeError for values that no form can hold."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class BotApi:
    """Calls methods; `pool` keeps the connections of lanes apart."""

    def __init__(self, *, connect_timeout: float = CONNECT_TIMEOUT) -> None:
        self._connect_timeout = connect_timeout
        self._pools: dict[tuple[Access, str], Pool] = {}
        self._heads: dict[tuple[Access, str], bytes] = {}
        self._uploads: Uploads | None = None

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
            if upload is not None:
                return await self._uploading().post(address(access, method), values, upload, read_timeout)
            body = orjson.dumps(values)
        except (TypeError, UnicodeError):
            return _UNREADABLE
        try:
            head = self._head(access, method)
            status, answer = await self._pool(access, pool).exchange(
                b"%b%d\r\n\r\n%b" % (head, len(body), body), read_timeout
            )
        except ValueError:
            return Failure(Phase.CONNECT, "the address of the Bot API server is not valid")
        except NotConnected as error:
            return Failure(Phase.CONNECT, f"no connection to the Bot API server: {error}")
        except NoAnswer as error:
            return Failure(Phase.ANSWER, f"no answer from the Bot API server: {error}")
        return read_answer(status, answer)

    async def forget(self, access: Access) -> None:
        """Close the connections of a bot that is served no more."""
        for key in [key for key in self._pools if key[0] == access]:
            self._pools.pop(key).close()
        for known in [known for known in self._heads if known[0] == access]:
            del self._heads[known]

    async def close(self) -> None:
        """Close all connections."""
        while self._pools:
            self._pools.popitem()[1].close()
        if self._uploads is not None:
            await self._uploads.close()
            self._uploads = None

    def _uploading(self) -> Uploads:
        """A client that only those processes load which upload."""
        if self._uploads is None:
            made: Uploads = make_part(_UPLOADS, self._connect_timeout)
            self._uploads = made
        return self._uploads

    def _pool(self, access: Access, name: str) -> Pool:
        pool = self._pools.get((access, name))
        if pool is None:
            pool = self._pools[access, name] = Pool(URL(access.server), connect_timeout=self._connect_timeout)
        return pool

    def _head(self, access: Access, method: str) -> bytes:
        """Everything before the number of the body's bytes."""
        head = self._heads.get((access, method))
        if head is None:
            url = address(access, method)
            if not _PRINTABLE.fullmatch(url.raw_path):
                message = "the address of the server has blanks or signs that an address cannot have"
                raise ValueError(message)
            lines = [f"POST {url.raw_path} HTTP/1.1", f"Host: {url.host_port_subcomponent}"]
            if url.user is not None:
                secret = b64encode(f"{url.user}:{url.password or ''}".encode()).decode()
                lines.append(f"Authorization: Basic {secret}")
            lines += ["Content-Type: application/json", "Content-Length: "]
            head = self._heads[access, method] = "\r\n".join(lines).encode("ascii")
        return head


def address(access: Access, method: str) -> URL:
    """Where a bot's method is called. Contains the token."""
    return URL(f"{access.server}/bot{quote(access.token, safe=':')}/{method}", encoded=True)
