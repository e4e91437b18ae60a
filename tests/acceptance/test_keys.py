"""Keys of the API: who is let in, and requests that are sent again."""

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import httpx
import pytest

from tests.acceptance.deployment import Deployment
from tests.acceptance.kept import nothing_kept
from tests.acceptance.refusals import refused

_SEGMENT = {"name": "again", "rule": {"all": []}}
Anyone = Callable[[str | None], httpx.AsyncClient]


@pytest.fixture
async def anyone(deployment: Deployment) -> AsyncIterator[Anyone]:
    """Makes clients of the API with this Authorization header, or none."""
    clients: list[httpx.AsyncClient] = []

    def make(header: str | None) -> httpx.AsyncClient:
        headers = {} if header is None else {b"Authorization": header.encode()}
        clients.append(httpx.AsyncClient(base_url=f"{deployment.base_url}/api/v1/", headers=headers, timeout=60))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Basic dTpw", "Bearer siyu_" + "x" * 60, "🍵"])
async def test_no_key_that_counts(anyone: Anyone, deployment: Deployment, header: str | None) -> None:
    client = anyone(header)
    async for attempt in nothing_kept(deployment.settings["SIYU_DATABASE_URL"]):
        async with attempt:
            answer = await client.post("segments", json=_SEGMENT)
            refused(answer, 401)
            assert "Bearer" in answer.headers["www-authenticate"]


async def test_a_revoked_and_an_expired_key(office: httpx.AsyncClient, anyone: Anyone, deployment: Deployment) -> None:
    made = [(await office.post("api-keys", json={"name": "k", "scopes": ["*"]})).json() for _ in range(2)]
    clients = [anyone(f"Bearer {item['secret']}") for item in made]
    for client in clients:
        assert (await client.get("members")).status_code == 200
    assert (await office.post(f"api-keys/{made[0]['id']}/revoke")).status_code == 200
    connection = await asyncpg.connect(deployment.settings["SIYU_DATABASE_URL"])
    await connection.execute("UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = $1", made[1]["id"])
    await connection.close()
    async for attempt in nothing_kept(deployment.settings["SIYU_DATABASE_URL"]):
        async with attempt:
            for client, code in zip(clients, ("api_key_revoked", "api_key_expired"), strict=True):
                refused(await client.post("segments", json=_SEGMENT), 401, "make a new one", code=code)


async def test_a_missing_scope_is_named(deployment: Deployment, anyone: Anyone) -> None:
    client = anyone(f"Bearer {await deployment.key(scopes='members:read')}")
    assert (await client.get("members")).status_code == 200
    async for attempt in nothing_kept(deployment.settings["SIYU_DATABASE_URL"]):
        async with attempt:
            refused(await client.post("segments", json=_SEGMENT), 403, "segments:write", code="missing_scope")
            wider = await client.post("api-keys", json={"name": "wider", "scopes": ["*"]})
            refused(wider, 403, code="missing_scope")


async def test_a_request_sent_again_has_one_effect(office: httpx.AsyncClient, deployment: Deployment) -> None:
    headers = {"Idempotency-Key": "acceptance-once"}
    first = await office.post("segments", json=_SEGMENT, headers=headers)
    assert first.status_code == 201
    async for attempt in nothing_kept(deployment.settings["SIYU_DATABASE_URL"]):
        async with attempt:
            again = await office.post("segments", json=_SEGMENT, headers=headers)
            assert (again.status_code, again.json()) == (201, first.json())
            assert again.headers["idempotency-replayed"] == "true"
            refused(
                await office.post("segments", json={**_SEGMENT, "name": "b"}, headers=headers), 422, "Idempotency-Key"
            )
            refused(await office.post("tags", json={"name": "x"}, headers=headers), 422, "Idempotency-Key")
            for unusable in ("", "k" * 256, "a\tb"):
                refused(await office.post("segments", json=_SEGMENT, headers={"Idempotency-Key": unusable}), 422)


async def test_fifty_at_once_have_one_effect(office: httpx.AsyncClient) -> None:
    body = {"name": "fifty at once", "rule": {"all": []}}
    headers = {"Idempotency-Key": "acceptance-fifty"}
    answers = await asyncio.gather(*(office.post("segments", json=body, headers=headers) for _ in range(50)))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {201, 409}, statuses
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    found = (await office.get("segments", params={"query": "fifty at once"})).json()["items"]
    assert len(found) == 1
