import re

import pytest

from crm.kit.resources import ROOT, TEMPLATES
from crm.messages import flow_texts
from crm.messages.errors import UnknownTextError
from crm.messages.markup import escape_stray, tag_problems

LOCALES = ("en", "zh-CN")
NAMES = flow_texts.names()
_REFERENCE = re.compile(r"\"([a-z_]+/[a-z_]+)\"")
_MADE_OF_PARTS = re.compile(
    r"(hints|errors)/\w+|engine/share_\w+_button|survey/(nps|single|multiple|rating|text)|time_zone/changed(_now)?"
)
_FOLDERS = ("flows", "bot", "crm/notices")


def referenced() -> set[str]:
    files = [path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.py")]
    flows = {path.stem for path in (TEMPLATES / "messages" / "en").glob("*.j2")}
    found = {match for path in files for match in _REFERENCE.findall(path.read_text(encoding="utf-8"))}
    return {name for name in found if name.partition("/")[0] in flows}


def test_both_languages_have_the_same_files_and_texts() -> None:
    files = [sorted(path.name for path in (TEMPLATES / "messages" / locale).glob("*.j2")) for locale in LOCALES]
    assert files[0] == files[1]
    assert len(NAMES) == len(set(NAMES)) > 100
    for name in NAMES:
        assert all(flow_texts.source_of(name, locale) for locale in LOCALES), name
    for file in files[0]:
        blocks = [
            re.findall(r"block (\w+)", (TEMPLATES / "messages" / locale / file).read_text(encoding="utf-8"))
            for locale in LOCALES
        ]
        assert sorted(blocks[0]) == sorted(blocks[1]), file


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", NAMES)
def test_an_operator_could_save_the_text_as_it_is(name: str, locale: str) -> None:
    source = flow_texts.source_of(name, locale)
    assert flow_texts.problems(name, source) == []
    assert tag_problems(source) == []
    assert escape_stray(source) == source


def test_every_text_that_is_said_exists_and_every_text_is_said() -> None:
    said = referenced()
    assert said
    assert said <= set(NAMES)
    options = {name for name in NAMES if "__" in name}
    unsaid = {name for name in set(NAMES) - options - said if not _MADE_OF_PARTS.fullmatch(name)}
    assert unsaid == set()
    assert {name.partition("__")[0] for name in options} <= set(NAMES)


def test_a_text_that_is_not_there_is_an_error() -> None:
    for name in ("nothing/here", "menu/nothing", "menu", "../menu/shown", "menu/shown/more", ""):
        with pytest.raises(UnknownTextError):
            flow_texts.source_of(name, "en")
        with pytest.raises(UnknownTextError):
            flow_texts.render_shipped(name, "en", {})


def test_a_language_that_is_not_shipped_falls_back_to_english() -> None:
    assert flow_texts.render_shipped("menu/shown", "fr", {}) == flow_texts.render_shipped("menu/shown", "en", {})
