"""What counts as an answer to each type of question, by tables."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.engine.buttons import (
    MAX_BYTES,
    AnswerTap,
    ButtonTooLong,
    ContentTap,
    StartTap,
    answer_data,
    read_tap,
    start_data,
)
from flows.engine.choices import Choice, Choices, Rating, Skippable
from flows.engine.inputs import Input, InputKind
from flows.engine.questions import Contact, Date, Location, Number, Phone, PhoneNumber, Photo, Place, Question, Text
from flows.engine.reading import Answer, OpenQuestion, Option, Refused

TEA = Choice(Option("green", {"en": "Green tea", "zh-CN": "绿茶"}), "black")


def _asked(question: Question[Any], locale: str = "en") -> OpenQuestion:
    shape = question.shape(locale)
    options = [[option.key, option.label_in(locale) or option.key] for option in shape.options]
    return OpenQuestion(step=1, path="ask:x#1", wants_text=shape.wants_text, options=options)


def _read(question: Question[Any], said: Input, locale: str = "en") -> Any:
    reading = question.read(said, _asked(question, locale), locale)
    assert isinstance(reading, Answer)
    kept = json.loads(json.dumps(question.dump(reading.value)))
    assert question.load(kept) == reading.value
    return reading.value


def _text(words: str) -> Input:
    return Input(InputKind.TEXT, text=words)


def _tap(index: int) -> Input:
    return Input(InputKind.BUTTON, data=answer_data(1, 1, index))


@pytest.mark.parametrize(
    ("question", "words", "expected"),
    [
        (Text(), "  hi ", "hi"),
        (Number(), "1,234", Decimal(1234)),
        (Number(), "１２", Decimal(12)),
        (Number(is_whole=False), "2.5", Decimal("2.5")),
        (Date(), "1990-5-1", date(1990, 5, 1)),
        (Date(), "1990年05月1日", date(1990, 5, 1)),
        (Date(), "19900501", date(1990, 5, 1)),
        (Date(), "2000/2/29", date(2000, 2, 29)),
        (Phone(region="CN"), "138 1234 5678", PhoneNumber("+8613812345678", False)),
        (Phone(), "+44 20 7946 0958", PhoneNumber("+442079460958", False)),
        (TEA, "GREEN TEA", "green"),
        (TEA, "2", "black"),
        (Choices("a", "b", "c"), "c、a", ["a", "c"]),
        (Rating(0, 10), "0", 0),
        (Skippable(Text()), "跳过", None),
        (Skippable(Text()), "tea", "tea"),
    ],
)
def test_reads(question: Question[Any], words: str, expected: Any) -> None:
    assert _read(question, _text(words)) == expected


@pytest.mark.parametrize(
    ("question", "words", "hint"),
    [
        (Text(max_length=3), "four", "too_long"),
        (Text(min_length=3), "ab", "too_short"),
        (Text(), "   ", "text_expected"),
        (Number(), "ten", "number_expected"),
        (Number(), "1.5", "number_expected"),
        (Number(), "NaN", "number_expected"),
        (Number(), "Infinity", "number_expected"),
        (Number(minimum=1, maximum=5), "6", "number_range"),
        (Date(), "yesterday", "date_expected"),
        (Date(), "2001-02-29", "date_expected"),
        (Date(latest=date(2020, 1, 1)), "2020-01-02", "date_range"),
        (Date(earliest=date(1900, 1, 1)), "1899-12-31", "date_range"),
        (Phone(), "13812345678", "phone_expected"),
        (Phone(region="CN"), "123", "phone_expected"),
        (Phone(region="CN"), "my number is a secret", "phone_expected"),
        (Contact(), "+8613812345678", "contact_expected"),
        (TEA, "milk", "choice_expected"),
        (TEA, "3", "choice_expected"),
        (TEA, "²", "choice_expected"),
        (Choices("a", "b", minimum=2), "a", "choices_range"),
        (Choices("a", "b"), "a, z", "choice_expected"),
        (Rating(), "6", "number_range"),
        (Rating(), "good", "number_range"),
        (Location(), "here", "location_expected"),
        (Photo(), "look", "photo_expected"),
    ],
)
def test_refuses_with_a_hint(question: Question[Any], words: str, hint: str) -> None:
    with pytest.raises(Refused) as refused:
        question.read(_text(words), _asked(question), "en")
    assert refused.value.hint == hint


def test_the_language_tells_how_a_phone_is_written() -> None:
    assert _read(Phone(), _text("13812345678"), "zh-CN") == PhoneNumber("+8613812345678", False)


def test_what_is_shared() -> None:
    own = Input(InputKind.CONTACT, phone="8613812345678", is_own_phone=True)
    assert _read(Contact(), own) == PhoneNumber("+8613812345678", True)
    place = Input(InputKind.LOCATION, latitude=31.2, longitude=121.5)
    assert _read(Location(), place) == Place(31.2, 121.5)
    assert _read(Photo(), Input(InputKind.PHOTO, photo="file-1")) == "file-1"


def test_taps() -> None:
    assert _read(TEA, _tap(0)) == "green"
    assert _read(Rating(0, 10), _tap(10)) == 10
    for index in (-1, 2, 10**9):
        with pytest.raises(Refused):
            TEA.read(_tap(index), _asked(TEA), "en")


@given(st.text())
def test_no_data_breaks_the_reading_of_taps(data: str) -> None:
    tap = read_tap(data)
    assert tap is None or isinstance(tap, StartTap | AnswerTap | ContentTap)


@given(st.integers(0, 2**31), st.integers(0, 300), st.integers(-2, 1000))
def test_answer_buttons_fit_and_come_back(run: int, step: int, index: int) -> None:
    data = answer_data(run, step, index)
    assert len(data.encode()) <= MAX_BYTES
    assert read_tap(data) == AnswerTap(run, step, index)


def test_start_buttons_fit_or_are_refused() -> None:
    assert read_tap(start_data("survey", "nps:2026")) == StartTap("survey", "nps:2026")
    with pytest.raises(ButtonTooLong):
        start_data("survey", "长" * 20)


@given(st.text(max_size=50))
def test_no_text_breaks_a_question(words: str) -> None:
    questions: list[Question[Any]] = [Text(), Number(), Date(), Phone(), TEA, Choices("a"), Rating(), Skippable(TEA)]
    for question in questions:
        try:
            _read(question, _text(words))
        except Refused as refused:
            assert refused.hint  # noqa: PT017 - either an answer or a hint, nothing else
