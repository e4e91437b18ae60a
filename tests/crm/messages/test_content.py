from dataclasses import replace
from uuid import UUID

import pytest

from crm.kit.text import clean_name
from crm.messages.content import button_at, compile_content, fits, problems, tidy
from crm.messages.markup import visible
from crm.messages.types import ButtonSpec, ChannelTraits, MessageContent, Outbound, Recipient

RICH = ChannelTraits("rich")
PLAIN = ChannelTraits("plain", has_html=False, has_buttons=False, has_photos=False, has_menu=False)
PHOTO = UUID("0190c9a0-0000-7000-8000-000000000000")


def reader(name: str = "Lin", locale: str = "en") -> Recipient:
    member = {
        "name": name,
        "points": 1234,
        "tier": "",
        "streak": 3,
        "tags": ["tea"],
        "attributes": {},
        "locale": locale,
    }
    return Recipient(locale, member, {"name": "Tea & Co"})


def render(content: MessageContent, to: Recipient, traits: ChannelTraits = RICH) -> Outbound:
    assert list(problems(content)) == []
    return compile_content(tidy(content), tap_prefix="c:7", default_locale="zh-CN").render(to, traits)


def test_a_message_is_told_in_the_readers_language() -> None:
    content = MessageContent(
        {"en": "Hi {{ member.name }}: {{ member.points|number }}", "zh-CN": "你好，{{ member.name }}"}
    )
    assert render(content, reader()).text_html == "Hi Lin: 1,234"
    assert render(content, reader(locale="zh-CN")).text_html == "你好，Lin"
    assert render(content, reader(locale="fr")).text_html == "你好，Lin"


@pytest.mark.parametrize(
    "name",
    ["<b>Bob</b>", "{{ 7*7 }}", "{% for x in y %}", "=1+1", "<a href=x>", "A & B", "👨‍👩‍👧 Family", "محمد", '"quoted"'],
)
def test_a_hostile_name_is_shown_as_it_is_written(name: str) -> None:
    content = MessageContent(
        {"en": "Hi {{ member.name }}!"}, [[ButtonSpec({"en": "For {{ member.name }}"}, opens="menu")]]
    )
    message = render(content, reader(clean_name(name)))
    assert visible(message.text_html) == f"Hi {name}!"
    assert "<" not in message.text_html
    assert message.buttons[0][0].label == f"For {name}"
    assert render(content, reader(name), PLAIN).text_html.startswith(f"Hi {name}!")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("\u202eevil\u200b", "evil"), ("a\x00b", "ab"), ("\ud800x", "?x"), ("x" * 10_000, "x" * 64), ("a\nb\tc", "a b c")],
)
def test_what_cannot_be_seen_is_taken_out_of_names(name: str, shown: str) -> None:
    assert render(MessageContent({"en": "{{ member.name }}"}), reader(clean_name(name))).text_html == shown


def test_missing_values_are_empty() -> None:
    content = MessageContent({"en": "[{{ member.attributes.colour }}|{{ member.attributes.colour|default('blue') }}]"})
    assert render(content, reader()).text_html == "[|blue]"


def test_buttons_carry_their_place_or_open_a_page() -> None:
    content = MessageContent(
        {"en": "Look"},
        [
            [
                ButtonSpec({"en": "Menu"}, url="https://example.org/menu"),
                ButtonSpec({"en": "Survey"}, opens="survey:nps"),
            ],
            [ButtonSpec({"en": "Tea", "zh-CN": "茶"}, tag="likes:tea")],
        ],
    )
    rows = render(content, reader()).buttons
    assert [[button.data or button.url for button in row] for row in rows] == [
        ["https://example.org/menu", "c:7:0.1"],
        ["c:7:1.0"],
    ]
    assert button_at(content, "1.0") == content.buttons[1][0]
    assert [button_at(content, place) for place in ("2.0", "0.2", "x", "-1.0", "0", "")] == [None] * 6


def test_what_a_channel_cannot_show_falls_back_to_text() -> None:
    content = MessageContent(
        {"en": "<b>3 &lt; 5</b>"},
        [[ButtonSpec({"en": "A < B"}, url="https://example.org/?a=1&b=2")], [ButtonSpec({"en": "Menu"}, opens="menu")]],
        PHOTO,
    )
    shown = render(content, reader(), PLAIN)
    assert shown.text_html == "3 < 5\n\nA < B: https://example.org/?a=1&b=2\nMenu"
    assert (shown.buttons, shown.photo_media_id) == ((), None)
    marked_up = render(content, reader(), replace(RICH, has_buttons=False))
    assert marked_up.text_html == "<b>3 &lt; 5</b>\n\nA &lt; B: https://example.org/?a=1&amp;b=2\nMenu"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (MessageContent({}), "text"),
        (MessageContent({"en": "{{ nobody }}"}), "text.en"),
        (MessageContent({"en": "fine", "zh-CN": "{% if"}), "text.zh-CN"),
        (MessageContent({"en": "<b>open"}), "text.en"),
        (MessageContent({"en": "{% if member.points > 'many' %}x{% endif %}"}), "text.en"),
        (MessageContent({"en": "{% if member.attributes.age > 17 %}x{% endif %}"}), "text.en"),
        (MessageContent({"en": "x"}, [[ButtonSpec({}, opens="menu")]]), "buttons.0.0"),
        (MessageContent({"en": "x"}, [[ButtonSpec({"en": " "}, opens="menu")]]), "buttons.0.0"),
        (MessageContent({"en": "x"}, [[ButtonSpec({"en": "y"})]]), "buttons.0.0"),
        (MessageContent({"en": "x"}, [[ButtonSpec({"en": "y"}, url="https://a.b", tag="t")]]), "buttons.0.0"),
        (MessageContent({"en": "x"}, [[ButtonSpec({"en": "y"}, url="javascript:alert(1)")]]), "buttons.0.0.url"),
        (MessageContent({"en": "x"}, [[ButtonSpec({"en": "y" * 65}, opens="menu")]]), "buttons.0.0.label.en"),
        (MessageContent({"en": "x"}, [[ButtonSpec({"en": "{{ 1 + 1 }}"}, opens="menu")]]), "buttons.0.0.label.en"),
        (MessageContent({"en": "x", "zh-CN": "x"}, [[ButtonSpec({"en": "y", "fr": "z"}, opens="m")]]), "buttons.0.0"),
    ],
)
def test_a_problem_names_its_place(content: MessageContent, place: str) -> None:
    assert place in {problem.place for problem in problems(content)}


def test_length_is_counted_as_people_see_it() -> None:
    assert fits(Outbound("<b>" + "x" * 4096 + "</b>"), RICH)
    assert not fits(Outbound("x" * 4097), RICH)
    assert not fits(Outbound("👍" * 2049), RICH)
    assert not fits(Outbound("x" * 1025, photo_media_id=PHOTO), RICH)
    assert fits(Outbound("", photo_media_id=PHOTO), RICH)
    assert not fits(Outbound(""), RICH)
