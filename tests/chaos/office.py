"""The admin API as a program with manners uses it: who asks too often waits as long as the answer says."""

import asyncio
from http import HTTPStatus

import httpx


class Unhurried(httpx.AsyncHTTPTransport):
    """Sends what was refused for its rate once more, when it is time."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        while answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            await answer.aclose()
            await asyncio.sleep(int(answer.headers["retry-after"]))
            answer = await super().handle_async_request(request)
        return answer


def office_at(base_url: str, headers: dict[str, str]) -> httpx.AsyncClient:
    """A client with the key that stands in `headers`, for as many requests at once as somebody likes to make."""
    transport = Unhurried(limits=httpx.Limits(max_connections=None))
    return httpx.AsyncClient(base_url=f"{base_url}/api/v1/", headers=headers, timeout=120, transport=transport)
