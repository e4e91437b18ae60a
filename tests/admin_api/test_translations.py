"""What the settings pages and answers say is said in Chinese too."""

import ast
import re
from pathlib import Path

import admin_api.console
from admin_api.console.error_pages import _HEADINGS
from admin_api.console.locale import catalogue
from admin_api.console.pages import INSECURE
from crm.kit.resources import TEMPLATES
from crm.operators import errors
from crm.operators.permissions import Role

_SENTENCE = re.compile(r"""(?<![\w.])_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
_CONSOLE = Path(admin_api.console.__file__).parent
_SHOWN = {"WrongPasswordError", "WeakPasswordError", "EmailTakenError", "LastOwnerError", "LinkNotFoundError"}


def _sentences_of_templates() -> dict[str, str]:
    folder = TEMPLATES / "console"
    paths = [path for path in sorted(folder.rglob("*.html")) if path.name != "styleguide.html"]
    return {found[1] or found[2]: path.name for path in paths for found in _SENTENCE.finditer(path.read_text("utf-8"))}


def _sentences_of_handlers() -> dict[str, str]:
    sentences = {}
    for path in sorted(_CONSOLE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "done" and isinstance(node.value, ast.Constant):
                sentences[str(node.value.value)] = path.name
    sentences.pop("", None)
    return sentences


def test_every_sentence_is_translated() -> None:
    known = catalogue("zh-CN")
    said = {**_sentences_of_templates(), **_sentences_of_handlers(), INSECURE: "banner"}
    said |= dict.fromkeys(_HEADINGS.values(), "headings") | {role.value: "role" for role in Role}
    said |= {getattr(errors, name)().detail: name for name in _SHOWN}
    assert len(said) > 130
    assert {sentence: place for sentence, place in said.items() if sentence not in known} == {}


def test_places_for_values_survive_translation() -> None:
    for sentence, translation in catalogue("zh-CN").items():
        assert set(re.findall(r"\{\w+\}", sentence)) == set(re.findall(r"\{\w+\}", translation)), sentence
