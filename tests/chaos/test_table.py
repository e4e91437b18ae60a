"""The table of a run: rows come back as they were written, also those of failed tests, and each is described."""

import json
import re
from pathlib import Path

import pytest

from tests.chaos import table
from tests.docs.reading import read, rows, section

_HERE = Path(__file__).parent
_MARK = re.compile(r"mark\.chaos_row\((\d+)\)")


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    late, early = table.Row(12, seen="[0] sends", seed="x"), table.Row(3, done="卖茶", verdict="failed")
    for row in (late, early):
        table.add(row, tmp_path)
    assert table.read(tmp_path) == [early, late]
    table.write(table.read(tmp_path), tmp_path / "chaos.json")
    text = (tmp_path / "chaos.json").read_text("utf-8")
    assert "卖茶" in text
    assert {"row", "scenario", "times", "expected", "seen", "held"} <= set(json.loads(text)[0])


def test_words_in_brackets_are_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    table.show([table.Row(1, scenario="kills", seen="statuses [0]", seed="[abc]", verdict="failed")])
    shown = capsys.readouterr().out
    assert "statuses [0]" in shown
    assert "[abc]" in shown


def test_every_row_is_described() -> None:
    described = {int(cells[0]) for cells in rows(section(read("docs/reference/chaos.md"), "The rows"))}
    proven = {int(number) for file in _HERE.rglob("test_*.py") for number in _MARK.findall(file.read_text("utf-8"))}
    assert proven
    assert proven <= described, proven - described
