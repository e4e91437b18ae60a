"""Reading files as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.imports import table
from crm.imports.errors import InvalidFile


def _rows(text: str) -> list[tuple[int, list[str] | str]]:
    return [(record.row, record.problem or record.cells) for record in table.records(text)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_encodings_of_spreadsheets_are_read(encoding: str) -> None:
    text, _ = table.decode("姓名,电话\n李华,138\n".encode(encoding))
    assert table.header_of(text) == ["姓名", "电话"]
    assert _rows(text) == [(2, ["李华", "138"])]


def test_quoted_line_ends_nul_blank_and_ragged_rows() -> None:
    text = 'a;b\r\n"one\r\nline";"x;y"\r\n\r\n;\r\nnul\x00;2\r\nshort\r\n'
    assert _rows(text) == [
        (2, ["one\nline", "x;y"]),
        (5, ["nul", "2"]),
        (6, "the row has 1 cells, the header has 2"),
    ]


def test_a_giant_cell_is_a_problem_of_its_row_alone() -> None:
    text = "a\n" + "x" * 200_000 + "\n" + "y" * 20_000 + "\nfine\n"
    found = _rows(text)
    assert [row for row, _ in found] == [2, 3, 4]
    assert "more than" in str(found[0][1])
    assert "more than" in str(found[1][1])
    assert found[2] == (4, ["fine"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xff\xff\x00", "UTF-8"),
        (b"a,a\n1,2\n", "same name"),
        (",".join(str(n) for n in range(201)).encode(), "columns"),
        (b"x" * (20 * 1024 * 1024 + 1), "larger"),
    ],
)
def test_a_file_that_is_no_table_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidFile, match=reason):
        table.header_of(table.decode(data)[0])


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        text, _ = table.decode(data)
        table.header_of(text)
    except InvalidFile:
        return
    assert table.count(text) == len(_rows(text))
