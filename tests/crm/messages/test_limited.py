import pytest

from crm.messages import limited
from crm.messages.errors import RenderingFailedError
from crm.messages.types import ChannelTraits, MessageContent, Recipient

TRAITS = ChannelTraits("preview")
READER = Recipient("en", {"name": "Lin", "points": 1, "tags": []}, {"name": "Tea"})


async def render(source: str) -> str:
    content = MessageContent({"en": source})
    (message,) = await limited.render(content, [READER], TRAITS, default_locale="en")
    return message.text_html


async def test_a_good_text_is_rendered_in_the_child() -> None:
    assert await render("Hi {{ member.name }}") == "Hi Lin"


@pytest.mark.parametrize(
    "source",
    [
        "{% set s = 'x' * 100000 %}{% for a in s %}{% for b in s %}{{ a }}{% endfor %}{% endfor %}",
        "{% set s = 'x' * 3000 %}{% for a in s %}{% for b in s %}{% for c in s %}{% endfor %}{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ 'a'.center(1000000000) }}",
        "{{ 'a' * 20000 }}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{{ member.name.__class__.__mro__[1].__subclasses__() }}",
        "{{ member.nothing() }}",
        "{% if",
    ],
)
async def test_even_what_the_allow_list_would_miss_ends_within_its_limits(source: str) -> None:
    """The second wall alone: these sources never get here, as the allow-list refuses them."""
    with pytest.raises(RenderingFailedError):
        await render(source)
    assert await render("still alive") == "still alive"
