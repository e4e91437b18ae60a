"""Names and other text that comes from people."""

from hypothesis import example, given
from hypothesis import strategies as st

from crm.kit.text import NAME_GRAPHEMES, clean_name, graphemes

_FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def test_names_lose_what_does_not_show_and_stand_on_one_line() -> None:
    assert clean_name(" Ana\u202eanA\n\tde\u200b  Souza\x00\x07 ") == "AnaanA de Souza"
    assert clean_name("李雷") == "李雷"
    assert clean_name("\u2066\u200e\n") == ""


def test_long_names_are_cut_between_characters_that_people_see() -> None:
    assert clean_name(_FAMILY * (NAME_GRAPHEMES + 3)) == _FAMILY * NAME_GRAPHEMES
    assert clean_name("é" * NAME_GRAPHEMES + "x") == "é" * NAME_GRAPHEMES
    assert clean_name("x" * 1_000) == "x" * NAME_GRAPHEMES


@given(st.text(max_size=90))
@example("a b" + "\u0301" * 70)
@example("x" * (NAME_GRAPHEMES - 1) + " yy")
@example("\u034f\u115f\u3164 \u00a0\u2028")
def test_a_clean_name_stays_as_it_is(name: str) -> None:
    cleaned = clean_name(name)
    assert clean_name(cleaned) == cleaned
    assert len(graphemes(cleaned)) <= NAME_GRAPHEMES
    assert cleaned == " ".join(cleaned.split())
