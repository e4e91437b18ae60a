"""Long texts in pieces: nothing lost, nothing cut in two, each within the limit and well formed."""

import re
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.kit.text import graphemes, utf16_length
from crm.messages.content import fits
from crm.messages.markup import tag_problems, visible
from crm.messages.splitting import cut, pieces
from crm.messages.types import Button, ChannelTraits, Outbound, Request

RICH = ChannelTraits("rich")
PLAIN = ChannelTraits("plain", has_html=False)
PHOTO = UUID("01920000-0000-7000-8000-000000000001")
FAMILY, FLAG, ENGLAND = "👨‍👩‍👧‍👦", "🇨🇳", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
_LUMPS = st.sampled_from(
    [FAMILY, FLAG, ENGLAND, "e\u0301", "👍🏽", "한", "&lt;", "&amp;", "&#128512;", "。", ". ", "\n\n", "\n", " ", "茶"]
)
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="<>&", exclude_categories=["Cc", "Cs"]), max_size=8)
_INNER = st.lists(_LUMPS | _WORDS, max_size=12).map("".join)
_TAGGED = st.tuples(st.sampled_from(["b", "i", 'a href="https://e.example/x"', "pre", "code"]), _INNER).map(
    lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0].split()[0]}>"
)
_NESTED = st.tuples(st.sampled_from(["b", "u", "blockquote"]), st.lists(_TAGGED | _INNER, max_size=5)).map(
    lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0]}>"
)
MARKUP = st.lists(_INNER | _TAGGED | _NESTED, max_size=10).map("".join)


def _solid(text: str) -> str:
    return re.sub(r"\s", "", text)


@settings(max_examples=150, deadline=None)
@given(MARKUP, st.integers(30, 90))
def test_pieces_hold_the_whole_text_within_the_limit(markup: str, most: int) -> None:
    found = cut(markup, most)
    assert _solid("".join(map(visible, found))) == _solid(visible(markup))
    for piece in found:
        assert 0 < utf16_length(visible(piece)) <= most
        assert visible(piece).strip()
        assert not tag_problems(piece)


@settings(max_examples=150, deadline=None)
@given(MARKUP, st.integers(30, 90))
def test_no_visible_character_is_cut_in_two(markup: str, most: int) -> None:
    whole = [cluster for cluster in graphemes(visible(markup)) if cluster.strip()]
    if any(utf16_length(cluster) > most for cluster in whole):
        return
    assert [c for piece in cut(markup, most) for c in graphemes(visible(piece)) if c.strip()] == whole


@settings(max_examples=80, deadline=None)
@given(_INNER.map(lambda text: text.replace("&", "+")), st.integers(30, 90))
def test_plain_text_is_kept_to_the_letter(text: str, most: int) -> None:
    found = cut(text, most, has_html=False)
    assert all(utf16_length(piece) <= most for piece in found)
    if re.search(rf"\s{{{most // 2},}}", text) is None and text.strip():
        assert "".join(found).strip() == text.strip()  # blank lines alone are no message


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("aaa bbb\n\nccc ddd", 14, ["aaa bbb\n\n", "ccc ddd"]),
        ("aaa. bbb\nccc ddd eee", 14, ["aaa. bbb\n", "ccc ddd eee"]),
        ("One. Two three four.", 14, ["One. ", "Two three ", "four."]),
        ('He said "go." Then all went', 16, ['He said "go." ', "Then all went"]),
        ("喝茶。再喝一杯，好吗", 8, ["喝茶。", "再喝一杯，好吗"]),
        ("再喝一杯，好吗朋友们", 8, ["再喝一杯，", "好吗朋友们"]),
        ("aaaaaaaaaa", 4, ["aaaa", "aaaa", "aa"]),
        (FAMILY * 3, 23, [FAMILY * 2, FAMILY]),
        ("a" + FLAG * 3, 10, ["a" + FLAG * 2, FLAG]),
        ("3.14159265", 6, ["3.1415", "9265"]),
    ],
)
def test_it_cuts_where_a_reader_would(text: str, most: int, expected: list[str]) -> None:
    assert cut(text, most) == expected


def test_open_formatting_goes_on_in_the_next_piece() -> None:
    found = cut('<b>one <a href="https://e.example">two three</a> four</b> five', 10)
    assert found == [
        "<b>one </b>",
        '<b><a href="https://e.example">two three</a> </b>',
        "<b>four</b> five",
    ]


def test_an_entity_is_one_sign() -> None:
    assert cut("&lt;&lt;&lt;&amp;&#128512;", 3) == ["&lt;&lt;&lt;", "&amp;&#128512;"]


def test_marks_without_end_are_cut_somewhere() -> None:
    found = cut("a" + "\u0301" * 50, 20)
    assert [len(piece) for piece in found] == [20, 20, 11]


def test_a_message_that_fits_stays_one() -> None:
    message = Outbound("x" * 4096, ((Button("go", data="t"),),))
    assert pieces(message, RICH) == [message]
    assert pieces(Outbound("", photo_media_id=PHOTO), RICH) == [Outbound("", photo_media_id=PHOTO)]


def test_buttons_stand_below_the_last_piece() -> None:
    buttons = ((Button("go", data="t"),),)
    long = Outbound(
        ("x" * 99 + "\n") * 60,
        buttons,
        edit_ref="5",
        protect=True,
        silent=True,
        menu=(("a",),),
        request=Request.CONTACT,
    )
    first, last = pieces(long, RICH)
    assert (first.buttons, first.menu, first.request, first.edit_ref) == ((), None, None, "5")
    assert (last.buttons, last.menu, last.request, last.edit_ref) == (buttons, (("a",),), Request.CONTACT, None)
    assert first.protect
    assert last.protect
    assert first.silent
    assert last.silent
    assert fits(first, RICH)
    assert fits(last, RICH)


def test_a_caption_that_is_too_long_follows_its_picture() -> None:
    buttons = ((Button("go", data="t"),),)
    message = Outbound("<b>" + "y" * 1025 + "</b>", buttons, photo_media_id=PHOTO)
    picture, text = pieces(message, RICH)
    assert picture == Outbound("", photo_media_id=PHOTO)
    assert text == replace(message, photo_media_id=None)
    assert len(pieces(replace(message, text_html="y" * 5000), RICH)) == 3
    assert pieces(replace(message, text_html="y" * 1024), RICH) == [replace(message, text_html="y" * 1024)]


def test_room_is_left_for_what_is_added() -> None:
    found = pieces(Outbound("word " * 1000), RICH, room=40)
    assert all(utf16_length(piece.text_html) <= 4096 - 40 for piece in found)


def test_text_without_markup_is_counted_as_it_is() -> None:
    found = pieces(Outbound("<" * 5000), PLAIN)
    assert [len(piece.text_html) for piece in found] == [4096, 904]
