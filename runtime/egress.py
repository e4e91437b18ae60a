"""Implements `crm.kit.egress.Egress` with aiohttp: the one client for addresses that people typed in.

A name is resolved once for each call, its addresses are judged, and exactly these are connected to; a name that
answers differently the next time gains nothing. The certificate and the Host header stay those of the name.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from crm.config.settings import EgressSettings
from crm.kit.egress import (
    AddressRefused,
    EgressAnswer,
    EgressFailed,
    EgressRules,
    Target,
    open_addresses,
    parse_target,
)
from crm.kit.networks import parse_networks

TOTAL_SECONDS = 5.0
MOST_BYTES = 1024 * 1024
_CHUNK = 64 * 1024
Resolve = Callable[[str, int], Awaitable[list[str]]]


async def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as this machine finds them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class EgressClient:
    """Opens a connection of its own for each call: nothing is kept, so nothing has to be closed."""

    def __init__(
        self, rules: EgressRules, *, resolve: Resolve = system_resolve, total_seconds: float = TOTAL_SECONDS
    ) -> None:
        self._rules = rules
        self._resolve = resolve
        self._total_seconds = total_seconds
        self._tls = ssl.create_default_context()

    def check(self, address: str) -> None:
        """Nothing, when `address` may be kept. Raises AddressRefused."""
        parse_target(address, self._rules)

    async def post(self, address: str, *, headers: Mapping[str, str], body: bytes) -> EgressAnswer:
        """POST `body` once. Raises AddressRefused before anything is sent, and EgressFailed."""
        target = parse_target(address, self._rules)
        if any(not f"{name}{value}".isprintable() for name, value in headers.items()):
            raise EgressFailed("a header holds signs that no header may hold")
        try:
            async with asyncio.timeout(self._total_seconds):
                return await self._post(target, await self._addresses(target), headers, body)
        except TimeoutError as error:
            raise EgressFailed(f"no answer within {self._total_seconds:g} seconds") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise EgressFailed("the certificate is not valid for this name") from error
        except aiohttp.ClientSSLError as error:
            raise EgressFailed("no secure connection") from error
        except aiohttp.ClientConnectorError as error:
            raise EgressFailed("no connection") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise EgressFailed(f"the connection broke ({type(error).__name__})") from error

    async def _addresses(self, target: Target) -> list[str]:
        if target.literal is not None:
            return open_addresses([str(target.literal)], self._rules)
        try:
            found = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise EgressFailed("the name is not known") from error
        return open_addresses(found, self._rules)

    async def _post(
        self, target: Target, addresses: list[str], headers: Mapping[str, str], body: bytes
    ) -> EgressAnswer:
        connector = aiohttp.TCPConnector(
            resolver=_Judged(target.host, addresses), use_dns_cache=False, force_close=True, ssl=self._tls
        )
        own = {"User-Agent": "Siyu", "Accept-Encoding": "identity", **headers}
        async with (
            aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
            ) as session,
            session.post(_url(target), data=body, headers=own, allow_redirects=False) as answer,
        ):
            content, is_cut = await _read(answer.content)
            names = {name.lower(): value for name, value in answer.headers.items()}
            return EgressAnswer(answer.status, names, content, is_cut)


class _Judged(AbstractResolver):
    """Answers what was resolved and judged before, and knows no other name."""

    def __init__(self, host: str, addresses: list[str]) -> None:
        self._host = host
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The judged addresses."""
        del family
        if host != self._host:
            raise AddressRefused
        return [self._entry(host, port, address) for address in self._addresses]

    def _entry(self, host: str, port: int, address: str) -> ResolveResult:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return ResolveResult(
            hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
        )

    async def close(self) -> None:
        """Nothing is open."""


async def _read(content: Any) -> tuple[bytes, bool]:
    """The body up to the cap, and whether it was cut there."""
    parts, length = [], 0
    async for part in content.iter_chunked(_CHUNK):
        parts.append(part)
        length += len(part)
        if length > MOST_BYTES:
            return b"".join(parts)[:MOST_BYTES], True
    return b"".join(parts), False


def _url(target: Target) -> URL:
    path, _, query = target.path.partition("?")
    return URL.build(
        scheme=target.scheme, host=target.host, port=target.port, path=path, query_string=query, encoded=True
    )


def make_egress(settings: EgressSettings) -> EgressClient:
    """The client under the rules of the settings."""
    return EgressClient(EgressRules(settings.allow_http, parse_networks(settings.allowed_networks)))
