import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.messages import wording
from crm.messages.errors import TemplateProblemsError, UnknownTextError
from crm.messages.models import FlowTextRow
from crm.messages.service import render_flow
from crm.messages.types import ChannelTraits

TRAITS = ChannelTraits("test")
VALUES = {"name": "Lin <b>", "points": 1200, "pending": 0}


async def shown(session: AsyncSession, locale: str = "en") -> str:
    return (await render_flow(session, "sign_up/welcome", locale, VALUES, TRAITS)).text_html


async def test_an_own_wording_wins_until_it_is_reset(session: AsyncSession) -> None:
    assert "Lin &lt;b&gt;" in await shown(session)
    saved = await wording.change(session, "sign_up/welcome", "en", " Hi {{ name }} & {{ points|number }} < all ")
    assert saved.own == "Hi {{ name }} &amp; {{ points|number }} &lt; all"
    assert await shown(session) == "Hi Lin &lt;b&gt; &amp; 1,200 &lt; all"
    assert "欢迎加入" in await shown(session, "zh-CN")
    assert [item.name for item in await wording.listing(session, "en") if item.own] == ["sign_up/welcome"]
    await wording.change(session, "sign_up/welcome", "en", "Again, {{ name }}")
    assert await shown(session) == "Again, Lin &lt;b&gt;"
    await wording.reset(session, "sign_up/welcome", "en")
    assert "welcome gift" in await shown(session)


async def test_labels_of_buttons_can_be_worded_too(session: AsyncSession) -> None:
    await wording.change(session, "help/shown__person", "en", "Call & <b>us</b>")
    rendered = await render_flow(session, "help/shown", "en", {}, TRAITS)
    assert rendered.labels == {"person": "Call & us", "profile": "My profile"}


async def test_lists_of_the_shipped_text_may_be_looped_over(session: AsyncSession) -> None:
    source = "{{ balance }}{% for entry in entries %} {{ entry.points|signed }}{% endfor %}"
    await wording.change(session, "points/summary", "en", source)
    values = {"balance": 7, "entries": [{"points": 5}, {"points": -3}]}
    rendered = await render_flow(session, "points/summary", "en", values, TRAITS)
    assert rendered.text_html == "7 +5 -3"


@pytest.mark.parametrize(
    "source",
    ["", "{{ nobody }}", "{% if", "<b>open", "{{ 'a' * 1000000000 }}", "{{ name.__class__ }}", "x" * 9000],
)
async def test_a_bad_wording_is_refused_with_its_place(session: AsyncSession, source: str) -> None:
    with pytest.raises(TemplateProblemsError) as caught:
        await wording.change(session, "sign_up/welcome", "en", source)
    assert caught.value.problems[0].place == "sign_up/welcome.en"
    assert "welcome gift" in await shown(session)


@pytest.mark.parametrize(("name", "locale"), [("sign_up/nothing", "en"), ("../x", "en"), ("sign_up/welcome", "fr")])
async def test_only_shipped_texts_can_be_worded(session: AsyncSession, name: str, locale: str) -> None:
    with pytest.raises(UnknownTextError):
        await wording.change(session, name, locale, "Hi")
    with pytest.raises(UnknownTextError):
        await wording.reset(session, name, locale)


@pytest.mark.parametrize(
    "source",
    [
        "{% if broken",
        "{{ points|truncate('x') }}",
        "{{ points|nothing }}",
        "{{ 1/0 }}",
        "{% if points < 0 %}x{% endif %}",
    ],
)
async def test_a_wording_that_breaks_falls_back_to_the_shipped_text(session: AsyncSession, source: str) -> None:
    """Rows that no check saw, such as those of an older release."""
    session.add(FlowTextRow(name="sign_up/welcome", locale="en", source=source, changed_at=await clock.now(session)))
    await session.flush()
    assert "welcome gift" in await shown(session)


async def test_what_the_channel_cannot_show_is_plain_text(session: AsyncSession) -> None:
    plain = ChannelTraits("plain", has_html=False)
    rendered = await render_flow(session, "sign_up/welcome", "en", VALUES, plain)
    assert rendered.text_html.startswith("Welcome, Lin <b> 🎉")
