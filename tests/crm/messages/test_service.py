import uuid

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.errors import NotFoundError
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.messages import service
from crm.messages.errors import TemplateProblemsError, UnknownTextError
from crm.messages.types import ButtonSpec, MessageContent
from crm.tags import service as tags
from tests.factories.members import make_member

HELLO = MessageContent({"en": "Hi {{ member.name }}", "zh-CN": "你好 {{ member.name }}"})


async def test_a_preview_shows_what_the_named_member_would_see(session: AsyncSession) -> None:
    member = await make_member(session, display_name="<b>Lin</b> {{ 7*7 }}")
    await tags.add(session, member.id, "likes:tea", source="test")
    content = MessageContent(
        {"en": "Hi {{ member.name }}: {{ member.points }}, {{ member.tags|join }} at {{ brand.name }}"},
        [[ButtonSpec({"en": "Go"}, opens="menu")]],
    )
    shown = await service.preview(session, content, member.id)
    assert shown.text_html == "Hi &lt;b&gt;Lin&lt;/b&gt; {{ 7*7 }}: 0, likes:tea at Siyu"
    assert shown.buttons[0][0].label == "Go"
    await members.change(session, member.id, MemberChanges(locale="zh-CN"), by="test")
    assert (await service.preview(session, HELLO, member.id)).text_html.startswith("你好")


async def test_a_member_without_a_name_is_a_friend(session: AsyncSession) -> None:
    member = await make_member(session, display_name="\u200b")
    assert (await service.preview(session, HELLO, member.id)).text_html == "Hi friend"


async def test_a_bad_message_is_not_previewed(session: AsyncSession) -> None:
    member = await make_member(session)
    with pytest.raises(TemplateProblemsError) as caught:
        await service.preview(session, MessageContent({"en": "a\n{{ nobody }}", "zh-CN": "{% if"}), member.id)
    assert [(problem.place, problem.line) for problem in caught.value.problems] == [("text.en", 2), ("text.zh-CN", 1)]
    with pytest.raises(NotFoundError):
        await service.preview(session, HELLO, 0)
    with pytest.raises(NotFoundError):
        await service.preview(session, MessageContent({"en": "x"}, photo_media_id=uuid.UUID(int=1)), member.id)


async def test_the_library_keeps_versions_and_archives(session: AsyncSession) -> None:
    made = await service.create_template(session, "  Spring   hello ", MessageContent({"en": " 1 < 2 ", "zh-CN": " "}))
    assert (made.name, made.version, made.content.text) == ("Spring hello", 1, {"en": "1 &lt; 2"})
    changed = await service.change_template(session, made.id, content=HELLO)
    assert (changed.version, changed.content) == (2, HELLO)
    archived = await service.archive_template(session, made.id)
    assert archived.is_archived
    assert list(await service.list_templates(session)) == []
    assert [item.id for item in await service.list_templates(session, with_archived=True)] == [made.id]
    assert not (await service.archive_template(session, made.id, is_archived=False)).is_archived


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
async def test_a_message_of_the_library_needs_a_name(session: AsyncSession, name: str) -> None:
    with pytest.raises(TemplateProblemsError):
        await service.create_template(session, name, HELLO)


async def test_a_message_that_is_not_there_is_an_error(session: AsyncSession) -> None:
    with pytest.raises(UnknownTextError):
        await service.get_template(session, 0)
    with pytest.raises(UnknownTextError):
        await service.change_template(session, 0, name="x")
