"""Who may look but not reveal finds nobody's phone, e-mail address, real name or words, on no page and in no answer."""

import re
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations import service as conversations
from crm.conversations.types import Direction, NewMessage
from crm.inbox import service as inbox
from crm.members import attributes, merging
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.operators.permissions import ROLE_PERMISSIONS, Permission, Role
from tests.admin_api.conftest import Site
from tests.admin_api.routes import RouteCase, cases
from tests.factories.members import make_member
from tests.factories.shop import Ids, Words, fill, open_shop

PHONE, EMAIL, REAL_NAME, BIRTHDAY = "13812345678", "hua.private@example.com", "Zhuge Mingyuan", "1987-03-09"
OTHER_PHONE, SAID, RAW = "13887654321", "my secret words to the shop", "raw update of a member"
PRIVATE = (PHONE, EMAIL, REAL_NAME, BIRTHDAY, OTHER_PHONE, SAID, RAW)
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@pytest.fixture
async def ids(session: AsyncSession, site: Site) -> Ids:
    """A member with everything that is private, and everything that operators see."""
    bot = await open_shop(session)
    found = await fill(session, bot, Words(0, "Plain", "Hello"))
    member_id = int(found["member_id"])
    await members.set_phone(session, member_id, f"+86{PHONE}", is_verified=True)
    await members.set_email(session, member_id, EMAIL)
    await attributes.define(session, "real_name", label={"en": "Real name"}, type="text", is_personal=True)
    given = MemberChanges(birthday=date.fromisoformat(BIRTHDAY), attributes={"real_name": REAL_NAME})
    await members.change(session, member_id, given, by="member")
    other = await make_member(session, bot=bot)
    await members.set_phone(session, other.id, f"+86{OTHER_PHONE}", is_verified=False)
    await merging.merge(session, member_id, other.id, by="operator:1")
    said = [NewMessage(Direction.IN, "text", SAID), NewMessage(Direction.OUT, "html", SAID)]
    identity_id = (await members.identities(session, member_id))[0].id
    await conversations.record(session, identity_id, said)
    await inbox.store(session, bot_id=bot.id, update_key="1", chat_key="1", payload=RAW.encode())
    assert site.deps.sessions is not None
    return found


def readable(role: Role) -> list[RouteCase]:
    """Every GET route that this role may use."""
    may = ROLE_PERMISSIONS[role]
    gets = (case for case in cases() if case.method == "GET")
    return [case for case in gets if case.route.access.permission is None or case.route.access.permission in may]


def address(case: RouteCase, ids: Ids) -> str:
    """The route's address with what is really there, so far as we made one."""
    shown = case.address
    wanted = _PARAMETER.findall(case.path)
    if all(name in ids for name in wanted):
        shown = _PARAMETER.sub(lambda found: str(ids[found[1]]), case.path)
    return shown


@pytest.mark.parametrize("role", [role for role in Role if Permission.MEMBERS_REVEAL not in ROLE_PERMISSIONS[role]])
async def test_nothing_private_is_shown_to_who_may_not_reveal(site: Site, ids: Ids, role: Role) -> None:
    browser = await site.browser(role)
    found, seen = [], 0
    for case in readable(role):
        answer = await browser.client.get(address(case, ids))
        seen += answer.status_code == 200
        assert answer.status_code < 500, f"{case}: {answer.text[:300]}"
        found += [f"{case} shows {word}" for word in PRIVATE if word in answer.text]
    assert found == []
    assert seen > len(readable(role)) * 0.7, "too few pages were really there"


async def test_searching_for_it_finds_but_does_not_show(site: Site, ids: Ids) -> None:
    browser = await site.browser(Role.ANALYST)
    for path in ("/console/members?query=", "/api/v1/members?query=", "/console/messages/readers?query="):
        for word in (PHONE, EMAIL, "5678"):
            answer = await browser.client.get(path + word)
            assert answer.status_code == 200
            lines = re.sub(r'value="[^"]*"|query=[^"&]*', "", answer.text)
            assert [one for one in (f"+86{PHONE}", EMAIL, REAL_NAME) if one in lines and one != word] == []


async def test_the_owner_is_shown_masks_too_until_they_reveal(site: Site, ids: Ids) -> None:
    browser = await site.browser(Role.OWNER)
    answer = await browser.get(f"/console/members/{ids['member_id']}")
    assert PHONE not in answer.text
    assert EMAIL not in answer.text
