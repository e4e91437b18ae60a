"""No unsafe request of a browser passes without the token of our own page, whatever the route."""

import pytest

from tests.admin_api.conftest import Site
from tests.admin_api.routes import cases

UNSAFE = [case for case in cases() if case.is_unsafe]


def test_there_is_something_to_test() -> None:
    assert len(UNSAFE) > 20


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_every_unsafe_route_refuses_a_browser_without_the_token(site: Site, token: str) -> None:
    browser = await site.browser()
    wrong = []
    for case in UNSAFE:
        answer = await browser.client.request(case.method, case.address, data={"csrf_token": token})
        if answer.status_code != 403:
            wrong.append(f"{case} answered {answer.status_code}")
    assert wrong == []


async def test_every_unsafe_route_refuses_another_site(site: Site) -> None:
    browser = await site.browser()
    wrong = []
    for case in UNSAFE:
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null", "Sec-Fetch-Site": "cross-site"}):
            answer = await browser.client.request(
                case.method, case.address, headers={**headers, "X-CSRF-Token": browser.token}
            )
            if answer.status_code != 403:
                wrong.append(f"{case} answered {answer.status_code} to {headers}")
    assert wrong == []


async def test_the_token_of_another_browser_does_not_count(site: Site) -> None:
    mine, other = await site.browser(), await site.browser()
    mine.token = other.token
    answer = await mine.post("/console/settings/account", name="Mallory", locale="en")
    assert answer.status_code == 403


async def test_a_form_of_our_own_page_passes_without_origin(site: Site) -> None:
    browser = await site.browser()
    answer = await browser.post("/console/settings/account", name="Lin Xiaoman", locale="en")
    assert answer.status_code == 303
    assert "Lin Xiaoman" in (await browser.get("/console/settings/account")).text


async def test_the_api_takes_a_session_only_with_the_token(site: Site) -> None:
    browser = await site.browser()
    refused = await browser.client.patch("/api/v1/brand", json={"name": "Cloud Tea"})
    passed = await browser.client.patch(
        "/api/v1/brand", json={"name": "Cloud Tea"}, headers={"X-CSRF-Token": browser.token}
    )
    assert refused.status_code == 403
    assert refused.json()["code"] == "csrf_token_wrong"
    assert passed.json()["name"] == "Cloud Tea"
