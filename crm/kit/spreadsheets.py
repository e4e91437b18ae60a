"""Lines of CSV files (RFC 4180) that a spreadsheet opens without running what is in them."""

import csv
from collections.abc import Sequence
from io import StringIO

BOM = "\ufeff"
"""Put before the first line, so that spreadsheets take the file for UTF-8."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


def cell(text: str) -> str:
    """`text` with a quote before it when a spreadsheet might run it. Numbers need none."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def line(values: Sequence[str]) -> str:
    """One line of the file, with its end."""
    target = StringIO()
    csv.writer(target, lineterminator="\r\n").writerow(values)
    return target.getvalue()
