"""The HTML parse mode, against its rules and against any text at all."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram.simulator.entities.detect import detect_entities
from bot.channels.telegram.simulator.entities.html import parse_html
from bot.channels.telegram.simulator.entities.text import trimmed
from bot.channels.telegram.simulator.errors import BotApiError


@pytest.mark.parametrize(
    ("source", "text", "kinds"),
    [
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("<strong>a</strong><em>b</em>", "ab", [("bold", 0, 1), ("italic", 1, 1)]),
        ("👨‍👩‍👧‍👦<u>x</u>", "👨‍👩‍👧‍👦x", [("underline", 11, 1)]),
        ("<s>a</s><del>b</del>", "ab", [("strikethrough", 0, 1), ("strikethrough", 1, 1)]),
        ('<span class="tg-spoiler">a</span>', "a", [("spoiler", 0, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", 0, 1)]),
        ("<code>&lt;b&gt;</code>", "<b>", [("code", 0, 3)]),
        ("<b></b>a", "a", []),
        ("&lt; &amp; &quot; &#39; &#x41; &copy;", "< & \" ' A &copy;", []),
        ("<a href='no link'>a</a>", "a", []),
    ],
)
def test_parsing(source: str, text: str, kinds: list[tuple[str, int, int]]) -> None:
    plain, entities = parse_html(source)
    assert plain == text
    assert [(e["type"], e["offset"], e["length"]) for e in entities] == kinds


def test_a_code_block_names_its_language() -> None:
    _, entities = parse_html('<pre><code class="language-python">x</code></pre>')
    assert entities == [{"type": "pre", "offset": 0, "length": 1, "language": "python"}]


def test_a_link_to_a_person() -> None:
    _, [entity] = parse_html('<a href="tg://user?id=42">x</a>')
    assert (entity["type"], entity["user"]["id"]) == ("text_mention", 42)


@pytest.mark.parametrize(
    ("source", "mistake"),
    [
        ("茶<table>", 'Unsupported start tag "table" at byte offset 3'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
    ],
)
def test_mistakes_are_named_with_their_place(source: str, mistake: str) -> None:
    with pytest.raises(BotApiError) as caught:
        parse_html(source)
    assert caught.value.description == f"Bad Request: can't parse entities: {mistake}"


@given(st.text())
def test_escaped_text_always_comes_back_literally(text: str) -> None:
    assert parse_html(f"<b>{html.escape(text, quote=False)}</b>")[0] == text


@given(st.text(alphabet="<>/b ai=\"'&;x茶🍵", max_size=40))
def test_any_source_is_parsed_or_refused_with_a_400(source: str) -> None:
    try:
        text, entities = parse_html(source)
    except BotApiError as error:
        text, entities = "", []
        refusal = error.description
    else:
        refusal = "Bad Request: can't parse entities: none"
    assert refusal.startswith("Bad Request: can't parse entities: ")
    length = len(text.encode("utf-16-le")) // 2
    assert all(0 <= e["offset"] < e["offset"] + e["length"] <= length for e in entities)


def test_trimming_moves_entities() -> None:
    assert trimmed("  ab ", [{"type": "bold", "offset": 0, "length": 5}]) == (
        "ab",
        [{"type": "bold", "offset": 0, "length": 2}],
    )


def test_entities_that_nobody_marked() -> None:
    found = detect_entities("🍵 /start@tea_bot see https://a.example/x, mail a@b.example #tea @anna1", [])
    assert [(e["type"], e["offset"], e["length"]) for e in found] == [
        ("bot_command", 3, 14),
        ("url", 22, 19),
        ("email", 48, 11),
        ("hashtag", 60, 4),
        ("mention", 65, 6),
    ]
