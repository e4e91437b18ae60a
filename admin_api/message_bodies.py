"""Messages in requests: texts as one string or by locale, buttons in rows or as one list."""

from typing import Annotated
from uuid import UUID

from pydantic import AliasChoices, Field
from sqlalchemy.ext.asyncio import AsyncSession

from admin_api.schemas import Body
from crm.brand import service as brands
from crm.kit.localized import LOCALES
from crm.messages.errors import TemplateProblemsError
from crm.messages.types import ButtonSpec, MessageContent, Problem

Text = Annotated[str, Field(max_length=20_000)]
_EXAMPLES = ["Hello {{ member.name }}", {"en": "Hello", "zh-CN": "你好"}]
Localised = Annotated[Text | dict[str, Text], Field(examples=_EXAMPLES)]


class ButtonBody(Body):
    """A button: a label, and one of `url` or `opens` (`check_in`, `survey:KEY`, `activity:ID` ...; also `action`)."""

    label: Localised
    url: Annotated[str, Field(max_length=2000)] | None = None
    opens: Annotated[str | None, Field(max_length=100, validation_alias=AliasChoices("opens", "action"))] = None
    tag: Annotated[str, Field(max_length=200)] | None = None


class MessageBody(Body):
    """A message as an operator writes it; the text is a template."""

    text: Localised
    buttons: Annotated[list[ButtonBody | list[ButtonBody]], Field(default_factory=list, max_length=50)]
    photo_media_id: UUID | None = None


async def content_of(session: AsyncSession, body: MessageBody) -> MessageContent:
    """The message with every text by locale; a plain string is of the brand's first language.

    Raises TemplateProblemsError for a language that nobody speaks here, or nothing to say.
    """
    brand = await brands.get(session)
    first = brand.default_locale
    _check_text(_by_locale(body.text, first), has_photo=body.photo_media_id is not None)
    rows = [row if isinstance(row, list) else [row] for row in body.buttons]
    return MessageContent(
        text=_by_locale(body.text, first),
        buttons=[[_button(button, first) for button in row] for row in rows],
        photo_media_id=body.photo_media_id,
    )


def _check_text(text: dict[str, str], *, has_photo: bool) -> None:
    unknown = [locale for locale in text if locale not in LOCALES]
    if unknown:
        known = " and ".join(LOCALES)
        raise TemplateProblemsError([Problem(f"There is no language {unknown[0]!r}; there are {known}.", place="text")])
    if not has_photo and not any(part.strip() for part in text.values()):
        raise TemplateProblemsError([Problem("A message needs a text or a picture.", place="text")])


def _button(button: ButtonBody, first: str) -> ButtonSpec:
    return ButtonSpec(_by_locale(button.label, first), button.url, button.opens, button.tag)


def _by_locale(text: str | dict[str, str], first: str) -> dict[str, str]:
    return {first: text} if isinstance(text, str) else dict(text)
