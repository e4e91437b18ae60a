"""What holds for every answer: headers, one error shape, bounds."""

import asyncio
from unittest.mock import AsyncMock

import pytest
from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from admin_api.deps import Limits
from admin_api.guard import Guard
from admin_api.metrics import HttpMetrics
from tests.admin_api.conftest import MakeSite, Site
from tests.admin_api.routes import cases

REQUIRED = {
    "content-security-policy",
    "cross-origin-opener-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-request-id",
}


async def test_every_route_has_the_headers_in_every_answer(site: Site) -> None:
    wrong = []
    async with site.client() as client:
        for case in cases():
            answer = await client.request(case.method, case.address)
            missing = REQUIRED - set(answer.headers)
            if missing or answer.headers["cache-control"] != "no-store":
                wrong.append(f"{case}: {missing}")
    assert wrong == []


async def test_scripts_come_from_our_own_files_only(site: Site) -> None:
    async with site.client() as client:
        policy = (await client.get("/console/sign-in")).headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_https_is_remembered_over_https_only(site: Site) -> None:
    async with site.client() as plain, site.client("https://siyu.test") as safe:
        assert "strict-transport-security" not in (await plain.get("/livez")).headers
        assert "max-age" in (await safe.get("/livez")).headers["strict-transport-security"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/v1/nothing", 404), ("PUT", "/api/v1/bots", 405)])
async def test_addresses_that_do_not_exist_answer_problems(site: Site, method: str, path: str, status: int) -> None:
    async with await site.api() as client:
        answer = await client.request(method, path)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_pages_that_do_not_exist_answer_a_page(site: Site) -> None:
    browser = await site.browser()
    answer = await browser.get("/console/nothing-here")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 422, "invalid_request"),
        (b"[" * 40 + b"]" * 40, 422, "json_too_deep"),
        (b"[" * 100_000, 422, "json_too_deep"),
        (b'{"name": NaN}', 422, "not_a_number"),
        (b'{"name": "a\\u0000b"}', 422, "nul_character"),
        (b'{"name": "\\ud800"}', 422, "half_character"),
        (b'{"name": "\xff"}', 400, "not_utf8"),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', 413, "content_too_large"),
        (b'{"logo_media_id": "no uuid"}', 422, "invalid_request"),
    ],
)
async def test_bodies_that_cannot_be_read_are_refused_clearly(
    site: Site, content: bytes, status: int, code: str
) -> None:
    async with await site.api() as client:
        answer = await client.patch("/api/v1/brand", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Traceback" not in answer.text


async def test_fields_that_are_wrong_are_named(site: Site) -> None:
    async with await site.api() as client:
        answer = await client.patch("/api/v1/brand", json={"quiet_hours": {"start": "25:00", "end": "08:00"}})
    assert [error["path"] for error in answer.json()["errors"]] == ["quiet_hours.start"]


async def test_an_emoji_is_no_half_character(site: Site) -> None:
    async with await site.api() as client:
        body = b'{"name": "Tea \\ud83c\\udf75 \\\\u0000"}'
        answer = await client.patch("/api/v1/brand", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["name"] == "Tea 🍵 \\u0000"


@pytest.mark.parametrize("path", ["/api/v1/bots/99999999999999999999", "/api/v1/bots?cursor=%00", "/api/v1/bots/%00"])
async def test_odd_addresses_are_refused(site: Site, path: str) -> None:
    async with await site.api() as client:
        answer = await client.get(path)
    assert answer.status_code == 422


async def test_an_error_of_our_own_shows_no_trace(make_site: MakeSite) -> None:
    router = APIRouter()

    @router.get("/boom")
    async def boom() -> None:
        raise RuntimeError("a secret detail")

    site = make_site(routers=[router])
    async with site.client() as client:
        answer = await client.get("/boom")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text
    assert set(answer.headers) >= REQUIRED


async def test_a_browser_that_goes_away_is_no_error() -> None:
    async def left(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnect

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "scheme": "http"}
    guard = Guard(left, metrics=HttpMetrics(CollectorRegistry()), respond=AsyncMock())
    with capture_logs() as logged:
        await guard(scope, AsyncMock(), AsyncMock())
    assert [(line["event"], line.get("status")) for line in logged] == [("request", 499)]


async def test_one_of_two_that_waited_for_each_other_may_try_again(make_site: MakeSite) -> None:
    router = APIRouter()

    @router.get("/met")
    async def met(request: Request) -> None:
        async with request.app.state.deps.sessions.begin() as session:
            await session.execute(text("DO $$ BEGIN RAISE deadlock_detected; END $$"))

    async with make_site(routers=[router]).client() as client:
        answer = await client.get("/met")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_slow_request_is_ended(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make_site(limits=Limits(timeout_seconds=0.05))
    async with await site.api() as client:

        async def slow(*_: object, **__: object) -> None:
            await asyncio.sleep(5)

        monkeypatch.setattr("crm.brand.service.get", slow)
        answer = await client.get("/api/v1/brand")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_a_key_that_asks_too_often_waits(make_site: MakeSite) -> None:
    site = make_site(limits=Limits(key_rate=0.5, key_burst=3))
    async with await site.api() as client:
        answers = [await client.get("/api/v1/brand") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_health_needs_no_key(site: Site) -> None:
    async with site.client() as client:
        assert (await client.get("/livez")).json() == {"status": "ok"}
        ready = await client.get("/readyz")
        figures = await client.get("/metrics")
    assert ready.json()["status"] == "ready"
    assert "siyu_http_requests_total" in figures.text


async def test_readiness_names_what_is_missing(make_site: MakeSite) -> None:
    async def webhook() -> None:
        raise RuntimeError("the webhook of bot 1 is not registered")

    async with make_site(probes={"webhook": webhook}).client() as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["webhook"] == "the webhook of bot 1 is not registered"
