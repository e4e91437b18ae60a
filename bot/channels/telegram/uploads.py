"""Calls with files: few and large, so a general client writes them piece by piece. Loaded by the first upload."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
from yarl import URL

from .answers import Failure, Phase, Reply, Upload, read_answer

_KEEP_ALIVE = 30.0
_MOST_UPLOADS = 20
_NEVER_WRITTEN = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class Uploads:
    """Implements `.transport.Uploads` with connections of its own."""

    def __init__(self, connect_timeout: float) -> None:
        self._connect_timeout = connect_timeout
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: URL, values: Mapping[str, Any], upload: Upload, read_timeout: float) -> Reply:
        """Make one call with a file. Raises TypeError and UnicodeError for values that no form can hold."""
        form = _form(values, upload)
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=_MOST_UPLOADS, keepalive_timeout=_KEEP_ALIVE, ttl_dns_cache=60)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
        timeout = aiohttp.ClientTimeout(
            connect=self._connect_timeout, sock_connect=self._connect_timeout, sock_read=read_timeout
        )
        try:
            async with self._session.post(url, data=form, timeout=timeout, allow_redirects=False) as response:
                return read_answer(response.status, await response.read())
        except _NEVER_WRITTEN as error:
            return Failure(Phase.CONNECT, f"no connection to the Bot API server: {type(error).__name__}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Failure(Phase.ANSWER, f"no answer from the Bot API server: {type(error).__name__}")

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _form(values: Mapping[str, Any], upload: Upload) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    for name, value in values.items():
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        form.add_field(name, text.encode().decode())
    form.add_field(upload.field, upload.content, filename=upload.filename, content_type=upload.content_type)
    return form
