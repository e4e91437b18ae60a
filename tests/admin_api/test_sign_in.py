"""Signing in: throttled, the same for known and unknown accounts, ended by time and by others."""

import asyncio

import httpx
import pytest
from argon2 import PasswordHasher
from redis.asyncio import Redis
from sqlalchemy import text

from admin_api.problems import ProblemError
from crm.audit import service as audit
from crm.operators import links, passwords, service
from crm.operators.permissions import Role
from tests.admin_api.browser import Browser
from tests.admin_api.conftest import MakeSite, Site
from tests.factories.operators import PASSWORD, make_operator

ACCOUNT = "/console/settings/account"


async def _fresh(site: Site) -> Browser:
    async with site.deps.sessions.begin() as session:
        operator = await make_operator(session)
    return Browser(site.client(), operator)


async def test_a_session_begins_and_ends(site: Site) -> None:
    browser = await _fresh(site)
    assert (await browser.get(ACCOUNT)).status_code == 303
    answer = await browser.sign_in()
    assert answer.headers["location"] == "/console/"
    assert (await browser.get(ACCOUNT)).status_code == 200
    await browser.post("/console/sign-out")
    assert (await browser.get(ACCOUNT)).status_code == 303


async def test_the_cookie_is_bound_to_https_when_there_is_https(site: Site) -> None:
    browser = await _fresh(site)
    browser.client = site.client("https://siyu.test")
    sent = (await browser.sign_in()).headers.get_list("set-cookie")
    session = next(cookie for cookie in sent if "siyu_session" in cookie)
    assert session.startswith("__Host-siyu_session=")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(session.split("; "))


async def test_over_http_the_cookie_is_plain_and_the_page_warns(site: Site) -> None:
    browser = await _fresh(site)
    sent = (await browser.sign_in()).headers.get_list("set-cookie")
    session = next(cookie for cookie in sent if "siyu_session" in cookie)
    assert session.startswith("siyu_session=")
    assert "Secure" not in session
    assert "open over http" in (await browser.get(ACCOUNT)).text
    browser.client = site.client("https://siyu.test")
    await browser.sign_in()
    assert "open over http" not in (await browser.get(ACCOUNT)).text


async def test_on_this_very_machine_nothing_is_to_be_warned_of(site: Site) -> None:
    for peer, is_here in (("127.0.0.1", True), ("198.51.100.7", False)):
        transport = httpx.ASGITransport(app=site.app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            page = await client.get("/console/sign-in", headers={"Accept-Language": "en"})
        assert ("open over http" not in page.text) == is_here


async def test_known_and_unknown_accounts_are_answered_alike(site: Site) -> None:
    browser = await _fresh(site)
    known = await browser.sign_in("not the password")
    unknown = await browser.sign_in("not the password", email="nobody@shop.example")
    assert known.status_code == unknown.status_code == 422
    assert "Email or password is wrong." in known.text
    assert "Email or password is wrong." in unknown.text
    async with site.deps.sessions() as session:
        entries = [found.entry for found in await audit.latest(session)]
    assert [entry.action for entry in entries] == ["operator.sign_in_failed"] * 2
    assert "nobody@" not in str(entries)


async def test_ten_failures_make_an_account_wait_a_minute(site: Site, valkey: Redis) -> None:
    browser = await _fresh(site)
    for _ in range(10):
        await _forget_waits(valkey)
        await browser.sign_in("not the password")
    waiting = await browser.sign_in()
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) >= 60
    await _forget_waits(valkey)
    assert (await browser.sign_in()).status_code == 303


async def _forget_waits(valkey: Redis) -> None:
    for key in await valkey.keys("siyu:sign_in:*:wait"):
        await valkey.delete(key)


async def test_one_address_cannot_try_many_accounts(site: Site, valkey: Redis) -> None:
    browser = await _fresh(site)
    for number in range(27):
        await _forget_waits(valkey)
        await browser.sign_in("not the password", email=f"name{number}@shop.example")
    assert (await browser.sign_in()).status_code == 429


async def test_without_valkey_the_process_counts_for_itself(make_site: MakeSite) -> None:
    async with Redis.from_url("redis://127.0.0.1:1/0") as nowhere:
        site = make_site(valkey=nowhere)
        browser = await _fresh(site)
        statuses = [(await browser.sign_in("not the password")).status_code for _ in range(6)]
        refused = await browser.sign_in()
    assert statuses[0] == 422
    assert statuses[-1] == refused.status_code == 429


@pytest.mark.parametrize(("wait", "status"), [("25 minutes", 200), ("31 minutes", 303), ("13 hours", 303)])
async def test_a_session_ends_by_time(site: Site, wait: str, status: int) -> None:
    browser = await site.browser()
    await _age_sessions(site, wait)
    assert (await browser.get(ACCOUNT)).status_code == status


async def test_a_busy_session_ends_after_twelve_hours_too(site: Site) -> None:
    browser = await site.browser()
    statuses = []
    for _ in range(37):
        await _age_sessions(site, "20 minutes")
        statuses.append((await browser.get(ACCOUNT)).status_code)
    assert statuses == [200] * 35 + [303] * 2


async def _age_sessions(site: Site, wait: str) -> None:
    columns = ("created_at", "last_seen_at", "expires_at", "confirmed_at")
    changes = ", ".join(f"{column} = {column} - interval '{wait}'" for column in columns)
    async with site.deps.sessions.begin() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(f"UPDATE operator_sessions SET {changes}")


async def test_a_disabled_operator_is_out_at_once(site: Site) -> None:
    owner, agent = await site.browser(), await site.browser(Role.AGENT)
    assert agent.operator is not None
    await owner.get("/console/settings/operators")
    done = await owner.post(f"/console/settings/operators/{agent.operator.id}/disable")
    assert done.status_code == 303
    assert (await agent.get(ACCOUNT)).status_code == 303
    assert (await agent.sign_in()).status_code == 422


async def test_a_new_password_ends_other_sessions(site: Site) -> None:
    browser = await site.browser()
    second = Browser(site.client(), browser.operator)
    await second.sign_in()
    new = "lantern cobalt river 9"
    changed = await browser.post(f"{ACCOUNT}/password", current=PASSWORD, password=new, repeated=new)
    assert changed.status_code == 303
    assert (await browser.get(ACCOUNT)).status_code == 200
    assert (await second.get(ACCOUNT)).status_code == 303
    assert (await second.sign_in()).status_code == 422
    assert (await second.sign_in(new)).status_code == 303


async def test_a_session_can_be_ended_from_another(site: Site) -> None:
    browser = await site.browser()
    second = Browser(site.client(), browser.operator)
    await second.sign_in()
    await browser.post(f"{ACCOUNT}/sessions/revoke-others")
    assert (await second.get(ACCOUNT)).status_code == 303
    assert (await browser.get(ACCOUNT)).status_code == 200


async def test_sensitive_acts_want_the_password_again(site: Site) -> None:
    browser = await site.browser()
    await _confirmed_long_ago(site)
    form = {"email": "new@shop.example", "role": "agent"}
    led = await browser.post("/console/settings/operators/invitations", **form)
    assert led.headers["location"].startswith("/console/confirm?next=")
    await browser.get("/console/confirm?next=/console/settings/operators")
    assert (await browser.post("/console/confirm", password="wrong", next="")).status_code == 422
    done = await browser.post("/console/confirm", password=PASSWORD, next="/console/settings/operators")
    assert done.headers["location"] == "/console/settings/operators"
    await browser.get("/console/settings/operators")
    made = await browser.post("/console/settings/operators/invitations", **form)
    assert "/console/invitation/" in made.text


async def _confirmed_long_ago(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE operator_sessions SET confirmed_at = confirmed_at - interval '1 hour'")


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/console/\\evil", "/chat", "javascript:x"])
async def test_nobody_is_led_to_another_site(site: Site, path: str) -> None:
    browser = await _fresh(site)
    await browser.get("/console/sign-in")
    assert browser.operator is not None
    answer = await browser.post("/console/sign-in", email=browser.operator.email, password=PASSWORD, next=path)
    assert answer.headers["location"] == "/console/"


async def test_the_first_operator_is_made_by_a_link_that_works_once(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        token = (await links.issue_setup(session)).token
    browser, path = Browser(site.client()), f"/console/setup/{token}"
    assert "Make the first operator" in (await browser.get(path, **{"accept-language": "en"})).text
    form = {"email": "lin@shop.example", "name": "Lin", "password": PASSWORD, "repeated": PASSWORD}
    short = await browser.post(path, **{**form, "password": "short", "repeated": "short"})
    assert short.status_code == 422
    assert 'value="lin@shop.example"' in short.text
    assert 'id="field-password-error"' in short.text
    other = await browser.post(path, **{**form, "repeated": f"{PASSWORD}!"})
    assert 'id="field-repeated-error"' in other.text
    assert (await browser.post(path, **form)).status_code == 303
    await browser.get(ACCOUNT)
    assert (await browser.get(ACCOUNT)).status_code == 200
    assert (await Browser(site.client()).get(path)).status_code == 404
    async with site.deps.sessions() as session:
        operators = await service.listing(session)
    assert [(one.email, one.role) for one in operators] == [("lin@shop.example", Role.OWNER)]


async def test_an_invited_operator_joins_in_the_invited_role(site: Site) -> None:
    owner = await site.browser()
    await owner.get("/console/settings/operators")
    page = await owner.post("/console/settings/operators/invitations", email="Mo@Shop.example ", role="marketer")
    token = page.text.split("/console/invitation/")[1].split("<")[0].split('"')[0]
    guest = Browser(site.client())
    await guest.get(f"/console/invitation/{token}")
    joined = await guest.post(f"/console/invitation/{token}", name="Mo", password=PASSWORD, repeated=PASSWORD)
    assert joined.status_code == 303
    async with site.deps.sessions() as session:
        found = await service.find_by_email(session, "mo@shop.example")
    assert found is not None
    assert found.role is Role.MARKETER
    assert (await guest.get("/console/settings/operators")).status_code == 403


async def test_a_reset_link_sets_a_new_password(site: Site) -> None:
    browser = await site.browser()
    assert browser.operator is not None
    async with site.deps.sessions.begin() as session:
        token = (await links.issue_password_reset(session, browser.operator.id)).token
    other, new = Browser(site.client(), browser.operator), "lantern cobalt river 9"
    await other.get(f"/console/password/{token}")
    done = await other.post(f"/console/password/{token}", password=new, repeated=new)
    assert done.status_code == 303
    assert (await browser.get(ACCOUNT)).status_code == 303
    assert (await browser.sign_in(new)).status_code == 303


async def test_the_language_is_chosen_and_kept(site: Site) -> None:
    browser = await site.browser()
    await browser.post("/console/locale", locale="zh-CN", next=ACCOUNT)
    assert '<html lang="zh-CN">' in (await browser.get(ACCOUNT)).text
    async with site.client() as client:
        page = (await client.get("/console/sign-in", headers={"Accept-Language": "zh-TW,zh;q=0.9"})).text
        other = (await client.get("/console/sign-in", headers={"Accept-Language": "fr, en;q=0.5"})).text
    assert '<html lang="zh-CN">' in page
    assert '<html lang="en">' in other


async def test_tries_at_the_same_moment_do_not_slip_through_together(site: Site, valkey: Redis) -> None:
    throttle = site.app.state.throttle

    async def enter(number: int) -> bool:
        try:
            await throttle.enter(account="one", address=f"10.0.0.{number}")
        except ProblemError:
            return False
        return True

    entered = await asyncio.gather(*(enter(number) for number in range(50)))
    assert sum(entered) == site.deps.limits.free_tries_per_account
    assert await valkey.pttl("siyu:sign_in:account:one:wait") > 0


async def test_addresses_of_one_ipv6_network_count_together(site: Site) -> None:
    throttle = site.app.state.throttle
    for number in range(site.deps.limits.free_tries_per_address):
        await throttle.enter(account=f"account {number}", address=f"2001:db8:1:2::{number:x}")
    with pytest.raises(ProblemError):
        await throttle.enter(account="another", address="2001:db8:1:2:ffff::1")
    await throttle.enter(account="another", address="2001:db8:1:3::1")


async def test_a_right_password_is_no_try(site: Site, valkey: Redis) -> None:
    browser = await _fresh(site)
    for _ in range(site.deps.limits.free_tries_per_address + 2):
        assert (await browser.sign_in()).status_code == 303
    assert list(await valkey.keys("siyu:sign_in:*:wait")) == []


async def test_a_weaker_hash_is_made_anew_when_its_owner_signs_in(site: Site) -> None:
    browser = await _fresh(site)
    assert browser.operator is not None
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    async with site.deps.sessions.begin() as session:
        await session.execute(text("UPDATE operators SET password_hash = :weak"), {"weak": weak})
    assert (await browser.sign_in()).status_code == 303
    async with site.deps.sessions() as session:
        kept = (await session.execute(text("SELECT password_hash FROM operators"))).scalar_one()
    assert not passwords.is_outdated(kept)
