"""Reading and answering members: the live conversation, requests, and who may."""

from crm.conversations import service as conversations
from crm.conversations.types import Direction, NewMessage
from crm.members import service as members
from crm.operators.permissions import Role
from crm.tickets import service as tickets
from crm.tickets.types import TicketStatus
from tests.admin_api.conftest import Site
from tests.admin_api.console.people import Shown, make_shown
from tests.factories.members import make_contact


async def _shown(site: Site) -> Shown:
    async with site.deps.sessions.begin() as session:
        return await make_shown(session)


async def test_an_answer_goes_out_and_is_seen(site: Site) -> None:
    shown = await _shown(site)
    browser = await site.browser(Role.AGENT)
    await browser.get(f"/console/requests/{shown.ticket.id}")
    answer = await browser.post(f"{shown.path}/write", text="On its way <b>", back="request")
    assert answer.headers["location"] == f"/console/requests/{shown.ticket.id}"
    page = await browser.get(f"{shown.path}/conversation")
    assert "On its way &lt;b&gt;" in page.text
    async with site.deps.sessions() as session:
        said = await conversations.transcript(session, shown.member_id)
        assert (await tickets.get(session, shown.ticket.id)).answered_at is not None
    assert said[0].direction is Direction.OPERATOR
    empty = await browser.post(f"{shown.path}/write", text="   ")
    assert empty.status_code == 422
    assert 'role="alert"' in empty.text


async def test_the_open_page_is_told_only_of_news(site: Site) -> None:
    shown = await _shown(site)
    browser = await site.browser()
    live = (await browser.get(f"{shown.path}/conversation")).text.split('hx-get="')[1].split('"')[0]
    assert (await browser.get(live)).status_code == 204
    async with site.deps.sessions.begin() as session:
        line = NewMessage(Direction.IN, "text", "Anybody there?")
        await conversations.record(session, shown.contact.identity.id, [line])
    news = await browser.get(live)
    assert "Anybody there?" in news.text
    assert "<html" not in news.text


async def test_long_conversations_and_timelines_are_read_page_by_page(site: Site) -> None:
    shown = await _shown(site)
    async with site.deps.sessions.begin() as session:
        lines = [NewMessage(Direction.IN, "text", f"line {number};") for number in range(70)]
        await conversations.record(session, shown.contact.identity.id, lines)
    browser = await site.browser()
    page = (await browser.get(f"{shown.path}/conversation")).text
    assert "line 69;" in page
    assert "line 5;" not in page
    earlier = page.split('chat-earlier" href="')[1].split('"')[0]
    part = await browser.get(earlier, **{"HX-Request": "true"})
    assert "line 5;" in part.text
    assert "<html" not in part.text


async def test_who_writes_first_opens_a_request(site: Site) -> None:
    async with site.deps.sessions.begin() as session:
        contact = await make_contact(session)
    browser = await site.browser()
    path = f"/console/members/{contact.member.id}"
    await browser.get(f"{path}/conversation")
    assert (await browser.post(f"{path}/write", text="Hello!")).status_code == 303
    async with site.deps.sessions.begin() as session:
        ticket = await tickets.find_open(session, contact.member.id)
        await members.set_reachable(session, contact.identity.id, False, "blocked")
    assert ticket is not None
    refused = await browser.post(f"{path}/write", text="Still there?")
    assert refused.status_code == 409
    assert "Still there?" in refused.text


async def test_a_request_is_closed(site: Site) -> None:
    shown = await _shown(site)
    browser = await site.browser(Role.AGENT)
    assert 'class="side-count num">1<' in (await browser.get("/console/requests")).text
    assert (await browser.post(f"/console/requests/{shown.ticket.id}/close")).status_code == 303
    async with site.deps.sessions() as session:
        found = await tickets.get(session, shown.ticket.id)
    assert (found.status, found.closed_by) == (
        TicketStatus.CLOSED,
        f"operator:{browser.operator.id if browser.operator else 0}",
    )
    assert (await browser.get(f"/console/requests/{shown.ticket.id}")).status_code == 200
    assert 'class="side-count' not in (await browser.get("/console/requests")).text


async def test_conversations_are_for_those_who_may_read_them(site: Site) -> None:
    shown = await _shown(site)
    browser = await site.browser(Role.ANALYST)
    assert (await browser.get(f"{shown.path}/conversation")).status_code == 403
    assert (await browser.get("/console/requests")).status_code == 403
    page = (await browser.get(shown.path)).text
    for hidden in ("/conversation", "/edit", "/reveal", "/merge", "adjust-points", "/tags/remove"):
        assert f"{shown.path}{hidden}" not in page
        assert f'"{hidden}"' not in page
