"""Cursors are opaque, come back whole, and strange ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kit.paging import InvalidCursor, InvalidLimit, check_limit, decode_cursor, encode_cursor, page_of


@given(st.integers(-(2**63), 2**63 - 1), st.text(max_size=40))
def test_a_cursor_comes_back_whole(number: int, text: str) -> None:
    assert decode_cursor(encode_cursor(number, text), int, str) == (number, text)


@given(st.text(max_size=60))
def test_a_strange_cursor_is_refused_in_one_way(cursor: str) -> None:
    if cursor != encode_cursor(0):
        try:
            decode_cursor(cursor, int)
        except InvalidCursor:
            return
        assert encode_cursor(*decode_cursor(cursor, int)) == cursor.rstrip("=")


@pytest.mark.parametrize("values", [("text",), (1, 2), (True,), (2**63,)])
def test_a_cursor_of_another_list_is_refused(values: tuple[str | int, ...]) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(*values), int)


def test_the_page_after_the_last_is_not_offered() -> None:
    rows = [5, 4, 3]
    first = page_of(rows, 2, str, lambda row: (row,))
    assert first.items == ["5", "4"]
    assert first.next_cursor is not None
    assert decode_cursor(first.next_cursor, int) == (4,)
    assert page_of(rows, 3, str, lambda row: (row,)).next_cursor is None


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_limit_out_of_bounds_is_refused(limit: int) -> None:
    with pytest.raises(InvalidLimit):
        check_limit(limit)
