"""The limited HTML of messages: b, i, u, s, code, pre, a; and its way back to plain text."""

import html
import re
from html.parser import HTMLParser

from crm.messages.types import Problem

TAGS = frozenset({"b", "strong", "i", "em", "u", "s", "del", "code", "pre", "a", "blockquote"})
_TAG = re.compile(
    r"</?(?:" + "|".join(sorted(TAGS, key=len, reverse=True)) + r")(?:\s+href=\"[^\"<>]*\")?\s*>", re.IGNORECASE
)
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ENTITY = re.compile(r"&(?!(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
_HREF = re.compile(r'href="(?:https?://|tg://|mailto:|tel:)[^"\s]+"', re.IGNORECASE)


def escape_stray(source: str) -> str:
    """Template `source` with each `<` and `&` that opens nothing known written as an entity."""
    pieces: list[str] = []
    at = 0
    for match in _JINJA.finditer(source):
        pieces += [_escape_plain(source[at : match.start()]), match.group()]
        at = match.end()
    return "".join([*pieces, _escape_plain(source[at:])])


def _escape_plain(text: str) -> str:
    text = _ENTITY.sub("&amp;", text)
    pieces: list[str] = []
    at = 0
    for match in _TAG.finditer(text):
        pieces += [text[at : match.start()].replace("<", "&lt;"), match.group()]
        at = match.end()
    return "".join([*pieces, text[at:].replace("<", "&lt;")])


def tag_problems(source: str) -> list[Problem]:
    """Tags that are not closed, closed in the wrong order, or links that lead nowhere."""
    plain = _JINJA.sub(lambda match: re.sub(r"[^\n]", "x", match.group()), source)
    problems: list[Problem] = []
    open_tags: list[tuple[str, int]] = []
    for match in _TAG.finditer(plain):
        line = plain.count("\n", 0, match.start()) + 1
        name = match.group().strip("</> ").split()[0].lower()
        if match.group().startswith("</"):
            if not open_tags or open_tags[-1][0] != name:
                problems.append(Problem(f"</{name}> closes nothing that is open here.", line))
            else:
                open_tags.pop()
            continue
        if name == "a" and not _HREF.search(match.group()):
            problems.append(Problem('A link needs an address, as in <a href="https://…">.', line))
        open_tags.append((name, line))
    problems += [Problem(f"<{name}> is never closed.", line) for name, line in open_tags]
    return problems


class _Plain(HTMLParser):
    """Collects text; a link's address follows its label."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.pieces)))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            address, start = self._links.pop()
            label = "".join(self.pieces[start:])
            if address and address != label:
                self.pieces.append(f" ({address})")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def to_plain(markup: str) -> str:
    """Limited HTML as plain text, for channels without markup and for counting."""
    if "<" not in markup:
        return html.unescape(markup)
    parser = _Plain()
    parser.feed(markup)
    parser.close()
    return "".join(parser.pieces)


def visible(markup: str) -> str:
    """The text that a person sees of limited HTML, without the addresses of links."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup))
