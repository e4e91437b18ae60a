"""Reading a file as a table: encodings, separators, quoted line ends, NUL, and rows that do not fit."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

from crm.imports.errors import InvalidFile
from crm.kit.text import clean_text

MAX_BYTES, MAX_ROWS, MAX_COLUMNS = 20 * 1024 * 1024, 200_000, 200
_ENCODINGS = ("utf-8-sig", "gb18030")
_SEPARATORS = ",;\t"
_ESCAPED = ("'=", "'+", "'-", "'@")
_MAX_CELL = 16 * 1024


@dataclass(frozen=True)
class Record:
    """A row: its number (the header is row 1) and its cells, or what is wrong with it."""

    row: int
    cells: list[str]
    problem: str | None = None


def decode(data: bytes) -> tuple[str, str]:
    """The text of a file and its encoding: UTF-8 with or without BOM, UTF-16 with BOM, GBK. Raises InvalidFile."""
    if len(data) > MAX_BYTES:
        raise InvalidFile(f"the file is larger than {MAX_BYTES // 1024 // 1024} MB; split it")
    encodings = ("utf-16",) if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else _ENCODINGS
    for encoding in encodings:
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise InvalidFile("the file's characters are neither UTF-8 nor GBK; save it as CSV UTF-8")


def header_of(text: str) -> list[str]:
    """The names of the columns. Raises InvalidFile."""
    try:
        header = next(_reader(text), [])
    except csv.Error as error:
        raise InvalidFile("the first row cannot be read as column names") from error
    names = [clean_text(name).strip() for name in header]
    if not any(names):
        raise InvalidFile("the file is empty; its first row must name the columns")
    if len(names) > MAX_COLUMNS:
        raise InvalidFile(f"the file has more than {MAX_COLUMNS} columns")
    named = [name for name in names if name]
    if len(set(named)) < len(named):
        raise InvalidFile("two columns have the same name; rename one")
    return names


def records(text: str) -> Iterator[Record]:
    """Every row below the header that is not blank, numbered as a spreadsheet would."""
    reader = _reader(text)
    width = len(next(reader, []))
    row = 1
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Record(row, [], f"a cell has more than {csv.field_size_limit()} characters")
            continue
        if any(cell.strip() for cell in cells):
            yield _record(row, cells, width)


def count(text: str) -> int:
    """How many rows `records` gives. Raises InvalidFile when they are too many."""
    found = sum(1 for _ in records(text))
    if found > MAX_ROWS:
        raise InvalidFile(f"the file has more than {MAX_ROWS} rows; split it")
    return found


def _record(row: int, cells: list[str], width: int) -> Record:
    if len(cells) != width:
        return Record(row, [], f"the row has {len(cells)} cells, the header has {width}")
    if any(len(cell) > _MAX_CELL for cell in cells):
        return Record(row, [], f"a cell has more than {_MAX_CELL} characters")
    return Record(row, [_cleaned(cell) for cell in cells])


def _cleaned(cell: str) -> str:
    """Trimmed, without NUL, and without the quote that our own exports put before what looks like a formula."""
    cell = clean_text(cell).strip()
    return cell[1:] if cell.startswith(_ESCAPED) else cell


def _reader(text: str) -> "Iterator[list[str]]":
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    return csv.reader(StringIO(text, newline=""), delimiter=separator)
