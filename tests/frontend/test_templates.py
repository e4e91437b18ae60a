"""Rules for every page template: words are translated, nothing is inline, nothing is let through unescaped."""

import json
import re
from pathlib import Path

import pytest

from tests.frontend.styleguide_app import TEMPLATES

PAGES = sorted([*(TEMPLATES / "console").rglob("*.html"), *(TEMPLATES / "webchat").rglob("*.html")])
LOCALES = TEMPLATES / "console" / "locale"
FORBIDDEN = {
    "unescaped output": re.compile(r"\|\s*safe\b|autoescape\s+false|Markup\("),
    "inline style": re.compile(r"<[^>]*\sstyle\s*="),
    "inline handler": re.compile(r"<[a-z][^>{]*\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)"),
    "inline styles": re.compile(r"<style\b"),
    "foreign address": re.compile(r"(?:src|href)=[\"']https?://(?!example\.org)"),
}
WORDS = re.compile(r"""(?<![\w.])_\(\s*(?:"([^"]+)"|'([^']+)')\s*\)""")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(TEMPLATES).as_posix())
def test_template_keeps_the_content_policy(path: Path) -> None:
    # The style guide shows hostile samples as data.
    source = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.DOTALL)
    found = [name for name, pattern in FORBIDDEN.items() if pattern.search(source)]
    assert path.name == "styleguide.html" or found == []


def test_every_sentence_has_its_chinese() -> None:
    known: dict[str, str] = {}
    for path in (LOCALES / "zh-CN.json", *sorted((LOCALES / "zh-CN").glob("*.json"))):
        known.update(json.loads(path.read_text("utf-8")))
    used = {one or other for path in PAGES for one, other in WORDS.findall(path.read_text("utf-8"))}
    assert sorted(used - set(known)) == []
    places = re.compile(r"\{(\w+)\}")
    assert [text for text, chinese in known.items() if set(places.findall(text)) != set(places.findall(chinese))] == []
