"""The documents hold together: links lead somewhere, examples can be read, both READMEs say the same."""

import ast
import json
import re
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from .reading import DOCS, ROOT, anchors, fences, headings, links, prose, read, rows

_NAMES = [str(path.relative_to(ROOT)) for path in DOCS]
_FOREIGN = re.compile(
    r"(?<![\w.])/(?:root|home|Users|mnt)/|file://|https?://[^\s)]+(?:/simple|\.whl|\.tgz)|\bTODO\b|\bFIXME\b"
)
_MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
_MOST_BYTES = 300_000


def test_there_are_documents() -> None:
    expected = {"README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/architecture.md"}
    kinds = ("channel", "flow", "earning-rule", "segment-condition")
    assert expected | {f"docs/howto/add-a-{kind}.md" for kind in kinds} <= set(_NAMES)


@pytest.mark.parametrize("name", _NAMES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for link in links(read(name)):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{name}: {link}"
        assert found.is_relative_to(ROOT), f"{name}: {link} leaves the project"
        if anchor:
            assert anchor in anchors(found.read_text("utf-8")), f"{name}: {link}"


@pytest.mark.parametrize("name", _NAMES)
def test_nothing_of_one_machine_stands_in_them(name: str) -> None:
    assert _FOREIGN.findall(read(name)) == []


@pytest.mark.parametrize("name", _NAMES)
def test_every_page_has_one_title(name: str) -> None:
    depths = [depth for depth, _ in headings(read(name))]
    assert depths.count(1) == 1
    assert depths[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(depths)), "a level is left out"


@pytest.mark.parametrize("name", _NAMES)
def test_tables_are_even(name: str) -> None:
    for row in rows(read(name)):
        assert len(row) >= 2, row
        assert all(row[:1]), row


@pytest.mark.parametrize("name", _NAMES)
def test_examples_can_be_read(name: str) -> None:
    text = read(name)
    for code in fences(text, "python"):
        compile(code, name, "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for code in fences(text, "json"):
        if not re.search(r"\b(?:RULE|NAME)\b", code):
            json.loads(code)


@pytest.mark.parametrize("name", _NAMES)
def test_make_knows_the_targets(name: str) -> None:
    known = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    text = read(name)
    code = "\n".join(["\n".join(fences(text, "bash")), *re.findall(r"`([^`\n]+)`", prose(text))])
    assert set(_MAKE.findall(code)) <= known


def test_both_readmes_say_the_same() -> None:
    english, chinese = read("README.md"), read("README.zh-CN.md")
    assert [depth for depth, _ in headings(english)] == [depth for depth, _ in headings(chinese)]
    assert [len(row) for row in rows(english)] == [len(row) for row in rows(chinese)]
    theirs = [set(links(text)) - {"README.md", "README.zh-CN.md"} for text in (english, chinese)]
    assert theirs[0] == theirs[1]
    assert _commands(english) == _commands(chinese)


def _commands(text: str) -> list[str]:
    lines = "\n".join(fences(text, "bash")).splitlines()
    return [line.partition("#")[0].strip() for line in lines]


def test_the_readmes_map_names_every_folder() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    mapped = {row[0].strip("`/") for row in rows(read("README.md")) if row[0].endswith("/`")}
    assert packages | {"docs", "tests", "benchmarks", "frontend"} == mapped
    assert all((ROOT / folder).is_dir() for folder in mapped)


def test_records_are_numbered_and_complete() -> None:
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. ")
        assert [words for depth, words in headings(text) if depth == 2] == ["Context", "Decision", "Consequences"]
        assert "\nStatus: " in text


@pytest.mark.parametrize("picture", sorted((ROOT / "docs/images").iterdir()), ids=lambda path: str(path.name))
def test_pictures_are_small_and_used(picture: Path) -> None:
    assert picture.stat().st_size < _MOST_BYTES
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert f"docs/images/{picture.name}" in read("README.md")


def test_the_layers_are_those_that_are_checked() -> None:
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(item["layers"] for item in contracts if item.get("containers") == ["crm"])
    shown = [block.split("\n") for block in fences(read("docs/architecture.md"), "") if "kit" in block.split()]
    assert [line.strip() for line in shown[-1] if line.strip()] == layers


def test_no_word_is_explained_twice() -> None:
    words = Counter(word for row in rows(read("docs/glossary.md")) for word in row[0].split(", "))
    assert [word for word, count in words.items() if count > 1] == []
