"""What an API key opens, and the clear refusal when it does not."""

from datetime import UTC, datetime

import pytest

from tests.admin_api.conftest import Site

PATH = "/api/v1/api-keys"


async def test_a_call_without_a_key_says_how_to_send_one(site: Site) -> None:
    async with site.client() as client:
        answer = await client.get(PATH)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    problem = answer.json()
    assert problem["code"] == "authentication_required"
    assert "Authorization: Bearer" in problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("Basic abc", "authorization_malformed"),
        ("Bearer", "authorization_malformed"),
        ("Bearer siyu_unknown", "api_key_unknown"),
    ],
)
async def test_an_unusable_header_is_refused(site: Site, header: str, code: str) -> None:
    async with site.client(Authorization=header) as client:
        answer = await client.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (401, code)


async def test_a_key_opens_its_scope_and_nothing_else(site: Site) -> None:
    async with await site.api("api_keys:read") as client:
        assert (await client.get(PATH)).status_code == 200
        refused = await client.get("/api/v1/brand")
        written = await client.post(PATH, json={"name": "x", "scopes": ["api_keys:read"]})
    assert refused.status_code == 403
    assert refused.json()["code"] == "missing_scope"
    assert "brand:read" in refused.json()["detail"]
    assert written.json()["code"] == "missing_scope"


async def test_a_revoked_key_is_refused_at_once(site: Site) -> None:
    async with await site.api() as owner:
        made = (await owner.post(PATH, json={"name": "Till", "scopes": ["brand:read"]})).json()
        async with site.client(Authorization=f"Bearer {made['secret']}") as till:
            assert (await till.get("/api/v1/brand")).status_code == 200
            await owner.post(f"{PATH}/{made['id']}/revoke")
            answer = await till.get("/api/v1/brand")
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_revoked")


async def test_a_key_is_shown_once_and_stored_as_a_digest(site: Site) -> None:
    async with await site.api() as client:
        made = await client.post(PATH, json={"name": "Till", "scopes": ["*"]})
        listed = await client.get(PATH)
    secret = made.json()["secret"]
    assert made.status_code == 201
    assert secret.startswith("siyu_")
    assert len(secret) >= 48
    assert secret not in listed.text
    assert listed.json()["items"][0]["hint"] == secret[:10]


async def test_a_key_cannot_make_a_stronger_one(site: Site) -> None:
    async with await site.api("api_keys:write") as client:
        answer = await client.post(PATH, json={"name": "x", "scopes": ["*"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_not_allowed")


async def test_a_key_is_bound_to_its_addresses(site: Site) -> None:
    async with await site.api() as client:
        body = {"name": "x", "scopes": ["*"], "allowed_ips": ["10.1.0.0/16"]}
        secret = (await client.post(PATH, json=body)).json()["secret"]
    async with site.client(Authorization=f"Bearer {secret}") as elsewhere:
        answer = await elsewhere.get("/api/v1/brand")
    assert (answer.status_code, answer.json()["code"]) == (403, "api_key_address")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "scopes": ["no:such"]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["*"], "expires_at": datetime(2020, 1, 1, tzinfo=UTC).isoformat()},
        {"name": "x", "scopes": ["*"], "expires_at": "2030-01-01T00:00:00"},
        {"name": "x", "scopes": ["*"], "allowed_ips": ["10.0.0.0/99"]},
        {"name": "x", "scopes": ["*"], "surprise": 1},
        {"name": "", "scopes": ["*"]},
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(site: Site, body: dict[str, object]) -> None:
    async with await site.api() as client:
        answer = await client.post(PATH, json=body)
        listed = (await client.get(PATH)).json()["items"]
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert len(listed) == 1


async def test_lists_come_in_pages(site: Site) -> None:
    async with await site.api() as client:
        for number in range(4):
            await client.post(PATH, json={"name": f"Key {number}", "scopes": ["*"]})
        seen, cursor = [], None
        while True:
            query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await client.get(PATH, params=query)).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        wrong = await client.get(PATH, params={"cursor": "nonsense"})
        too_many = await client.get(PATH, params={"limit": 201})
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
    assert wrong.status_code == too_many.status_code == 422


async def test_the_rate_of_a_key_is_limited(site: Site) -> None:
    async with await site.api("brand:read") as client:
        statuses = [(await client.get("/api/v1/brand")).status_code for _ in range(3)]
    assert statuses == [200, 200, 200]
