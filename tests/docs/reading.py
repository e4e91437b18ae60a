"""Reads the project's Markdown: sections, links, tables and blocks of code."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|src=\"([^\"]+)\"")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def read(name: str) -> str:
    """A document by its path below the root."""
    return (ROOT / name).read_text("utf-8")


def fences(text: str, language: str) -> list[str]:
    """The blocks of code in a language."""
    return [found[3] for found in _FENCE.finditer(text) if found[2] == language]


def prose(text: str) -> str:
    """The text without its blocks of code."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Where links and pictures lead."""
    return [found[1] or found[2] for found in _LINK.finditer(prose(text))]


def headings(text: str) -> list[tuple[int, str]]:
    """Depth and words of each heading."""
    return [(len(found[1]), found[2].strip()) for found in _HEADING.finditer(prose(text))]


def anchors(text: str) -> set[str]:
    """What a link may name behind `#`."""
    return {re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-") for _, words in headings(text)}


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of each table, heads and rules left out."""
    lines = prose(text).splitlines()
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and not _is_rule(line) and not _is_rule(below):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def _is_rule(line: str) -> bool:
    return line.startswith("|") and set(line) <= set("|-: ")


def section(text: str, heading: str) -> str:
    """What stands under a heading, to the next one of any depth."""
    _, _, behind = text.partition(f"# {heading}\n")
    return re.split(r"^#+ ", behind, maxsplit=1, flags=re.MULTILINE)[0]


def named(text: str) -> set[str]:
    """Everything in backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))
