"""Whoever steals the database finds no token, phone, e-mail address, key, password or message in it."""

import base64
import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from crm.bots import service as bots
from crm.db.session import Sessions
from crm.imports import service as imports
from crm.members import attributes, linking
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.operators import api_keys, chats, links
from crm.operators.permissions import Permission, Role
from crm.surveys import service as surveys
from crm.tickets import answers
from crm.tickets import service as tickets
from crm.webhooks import service as webhooks
from tests.admin_api.browser import Browser
from tests.bot.channels.webchat.house import ChatHouse, open_house
from tests.bot.channels.webchat.page import open_page
from tests.factories.operators import PASSWORD, make_operator
from tests.factories.shop import open_shop
from tests.factories.surveys import make_survey

BOT_TOKEN = "7123456789:AAHfakeTokenOfATestBot_0123456789abcd"
HOOK = "https://shop.example/hooks/kept-to-ourselves"
PHONE, EMAIL, REAL_NAME = "13812345678", "hua.private@example.com", "Zhuge Mingyuan"
STAFF, INVITED = "lin.owner@shop.example", "new.person@shop.example"
SAID, NOTE, ANSWERED, OPINION = "peonies at midnight", "call me at dusk", "lanterns by the river", "too much jasmine"
ROWS = text(
    "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables"
    " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'"
)


@pytest.fixture
async def house(committed_sessions: Sessions, valkey_url: str) -> AsyncIterator[ChatHouse]:
    """The web chat and the console over real commits."""
    async with committed_sessions.begin() as session:
        await open_shop(session)
    async with Redis.from_url(valkey_url) as valkey:
        await valkey.flushdb()
        async with open_house(committed_sessions, valkey) as opened:
            yield opened


async def _converse(house: ChatHouse) -> tuple[int, list[str]]:
    """A visitor signs up with a phone and says something; answers the member and the visitor's token."""
    async with open_page(house) as page:
        await page.hello()
        first = await page.heard()
        await page.tap(first["buttons"][0][0]["data"], first["id"])
        await page.heard()
        for said in ("Li Hua", PHONE, SAID):
            await page.say(said)
            await page.heard()
        address = page.token.split(".")[0]
        token = page.token
    await house.dispatcher.drain()
    async with house.sessions() as session:
        contact = await members.find_contact(session, house.bot.id, address)
        assert contact is not None
        assert await members.phone(session, contact.member.id) == f"+86{PHONE}"
    return contact.member.id, [token.rpartition(".")[2]]


async def _keep(house: ChatHouse, member_id: int) -> list[str]:
    """What people and programs tell a shop; answers the secrets that were shown once."""
    async with house.sessions.begin() as session:
        await bots.add(session, channel="telegram", name="Tea", token=BOT_TOKEN)
        await members.set_email(session, member_id, EMAIL)
        await attributes.define(session, "real_name", label={"en": "Name"}, type="text", is_personal=True)
        given = MemberChanges(attributes={"real_name": REAL_NAME})
        await members.change(session, member_id, given, by="operator:1")
        operator = await make_operator(session, role=Role.OWNER, email=STAFF)
        ticket = await tickets.request_person(session, member_id, note=NOTE)
        await answers.reply(session, ticket.id, ANSWERED, operator_id=operator.id)
        await make_survey(session)
        run = await surveys.open_run(session, member_id, "tea")
        await surveys.record_answer(session, member_id, run.response_id, "nps", 1)
        await surveys.record_answer(session, member_id, run.response_id, "why", OPINION)
        await imports.start(session, f"name,phone\nA,{PHONE}\n".encode(), filename="a.csv", by="operator:1")
        identity_id = (await members.identities(session, member_id))[0].id
        code = await linking.issue_link_code(session, member_id, identity_id=identity_id)
        key = await api_keys.create(session, name="till", scopes=["*"], granting=frozenset(Permission))
        invited = await links.invite(session, email=INVITED, role=Role.AGENT, acting=Role.OWNER)
        reset = await links.issue_password_reset(session, operator.id)
        chat = await chats.issue_code(session, operator.id)
        path = await bots.webhook_path_secret(session, house.bot.id)
        secret = await bots.webhook_secret(session, house.bot.id)
        hook = await webhooks.create(session, name="till", address=HOOK, kinds=["*"])
        newer = await webhooks.rotate_secret(session, hook.endpoint.id)
    assert code.code
    outgoing = [hook.secret, hook.secret[6:], newer.secret, newer.secret[6:], HOOK]
    return [key.secret, invited.token, reset.token, chat.code, path, secret, *outgoing]


async def _visit(house: ChatHouse, member_id: int, key: str) -> list[str]:
    """Console and API are used; answers the session's cookie."""
    async with httpx.AsyncClient(base_url=house.address) as client:
        browser = Browser(client)
        await browser.sign_in(email=STAFF)
        cookie = client.cookies["siyu_session"]
        await browser.post(f"/console/members/{member_id}/reveal")
        await browser.client.post("/console/sign-in", data={"email": STAFF, "password": "wrong " + PASSWORD})
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "once"}
    async with httpx.AsyncClient(base_url=house.address, headers=headers) as api:
        revealed = await api.post(f"/api/v1/members/{member_id}/reveal")
        again = await api.post(f"/api/v1/members/{member_id}/reveal")
    assert revealed.json()["email"] == EMAIL
    assert again.headers["Idempotency-Replayed"] == "true"
    return [cookie]


async def _dump(sessions: Sessions) -> str:
    parts = []
    async with sessions() as session:
        for table in list(await session.scalars(ROWS)):
            rows = await session.scalars(text(f"SELECT t::text FROM {table} t"))  # names of our own tables
            parts += [f"{table} {row}" for row in rows]
    return "\n".join(parts)


def _shapes(secret: str) -> set[str]:
    """The secret as it might lie there: as it is, as bytes, in base64, or as a digest that guessing would open."""
    data = secret.encode()
    digests = {hashlib.sha256(data).hexdigest()} if secret in {PHONE, EMAIL, f"+86{PHONE}"} else set()
    return {secret, data.hex(), base64.b64encode(data).decode().rstrip("=")[:-1], *digests}


async def test_a_stolen_database_tells_no_secret(house: ChatHouse) -> None:
    member_id, visitor = await _converse(house)
    shown_once = await _keep(house, member_id)
    cookie = await _visit(house, member_id, shown_once[0])
    dump = await _dump(house.sessions)
    personal = [PHONE, f"+86{PHONE}", EMAIL, REAL_NAME, STAFF, INVITED, SAID, NOTE, ANSWERED, OPINION]
    secrets = [*personal, BOT_TOKEN, PASSWORD, *shown_once, *cookie, *visitor]
    assert all(len(secret) >= 6 for secret in secrets)
    found = {
        line.split(" ")[0] + " holds " + secret
        for secret in secrets
        for shape in _shapes(secret)
        for line in dump.splitlines()
        if shape in line
    }
    assert found == set()


async def test_the_scan_finds_what_is_plain(house: ChatHouse) -> None:
    async with house.sessions.begin() as session:
        await make_operator(session, name="Plainly Visible")
    assert "Plainly Visible" in await _dump(house.sessions)
