"""Small faults in the text of a database function, one at a time. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_BODY = re.compile(r"AS \$\$(.*)\$\$", re.DOTALL)
_SKIPPED = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
_CONJUNCT = re.compile(r"\b(AND|OR)\b")
_STATEMENT = re.compile(r"^ +[A-Za-z][^;]*;$", re.MULTILINE)
_KEPT = ("RETURN", "END", "IF", "ELSE", "ELSIF", "LOOP", "BEGIN")
_STRING = re.compile(r"'[a-z_:]+'")
_LOCKING = re.compile(r"FOR (NO KEY )?UPDATE|SKIP LOCKED|ON CONFLICT|siyu_(lock_account|enter_member)")
Replacement = str | Callable[[re.Match[str]], str]
_SWAPS: Sequence[tuple[str, Replacement]] = (
    (r"<>", "="),
    (r"<=", "<"),
    (r">=", ">"),
    (r"(?<![<>:!])=(?![>=])", "<>"),
    (r"<(?![>=])", "<="),
    (r"(?<![<-])>(?!=)", ">="),
    (r"(?<=[\w)] )\+(?= )", "-"),
    (r"(?<=[\w)] )-(?= )", "+"),
    (r"(?<=[( ])-(?=[\w(])", ""),
    (r"\bleast\(", "greatest("),
    (r"\bmax\(", "min("),
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bIF NOT FOUND\b", "IF FOUND"),
    (r"\bAND NOT\b", "AND"),
    (r"\bEXISTS \(", "NOT EXISTS ("),
    (r"\bNULLS LAST\b", "NULLS FIRST"),
    (r" DESC\b", ""),
    (r" FOR (NO KEY )?UPDATE( SKIP LOCKED)?", ""),
    (r" SKIP LOCKED", ""),
    (r" ON CONFLICT DO NOTHING", ""),
    (r" LIMIT \w+", ""),
    (r"PARTITION BY [\w.]+ ?", ""),
    (r"\bFILTER \(WHERE [^)]*\)", ""),
    (r"\b0\b", "1"),
    (r"\b1\b", "2"),
    (r"\bfalse\b", "true"),
)


@dataclass(frozen=True)
class Mutant:
    """A function with one fault."""

    function: str
    line: int
    """Of the function's text, counted from 1."""
    before: str
    after: str
    text: str

    @property
    def locks(self) -> bool:
        """Whether the fault is in how rows are locked, which only many at once can notice."""
        return _LOCKING.search(self.before) is not None or "lock" in self.function

    @property
    def name(self) -> str:
        """Where and what, on one line."""
        return f"{self.function}:{self.line}: {' '.join(self.before.split())!r} -> {' '.join(self.after.split())!r}"


def mutants(function: str, text: str) -> list[Mutant]:
    """All faults that are put into this function, in the order of its text, no text twice."""
    found = _BODY.search(text)
    if found is None:
        return []
    begin, end = found.span(1)
    begin = max(begin, text.find("\nBEGIN\n", begin, end))  # what is declared is not at fault
    hidden = text[:begin] + _hide(text[begin:end]) + text[end:]
    seen, kept = {text}, []
    for start, stop, new in sorted(_places(hidden, text, begin, end)):
        changed = text[:start] + new + text[stop:]
        if changed not in seen:
            seen.add(changed)
            line = text.count("\n", 0, start) + (0 if text.startswith("\n") else 1)
            kept.append(Mutant(function, line, _around(text, start, stop), new, changed))
    return kept


def _hide(body: str) -> str:
    """The same length, with comments and the insides of literals blanked."""
    return _SKIPPED.sub(lambda match: "\0" * len(match[0]), body)


def _places(hidden: str, text: str, begin: int, end: int) -> Iterator[tuple[int, int, str]]:
    for pattern, new in _SWAPS:
        for match in re.compile(pattern).finditer(hidden, begin, end):
            yield match.start(), match.end(), new if isinstance(new, str) else new(match)
    for match in _STRING.finditer(text, begin, end):
        if hidden[match.start()] == "\0":
            yield match.start(), match.end(), match[0][:-1] + "x'"
    for match in _CONJUNCT.finditer(hidden, begin, end):
        yield match.start(), _end_of_part(hidden, match.end(), end), ""
    for match in _STATEMENT.finditer(hidden, begin, end):
        if not match[0].split()[0].upper().rstrip(";").startswith(_KEPT):
            yield match.start(), match.end(), ""


def _end_of_part(hidden: str, at: int, end: int) -> int:
    """Where the condition that begins at `at` ends: at the next AND or OR beside it, or at the end of its clause."""
    depth = 0
    stops = re.compile(r"[();,]|\b(?:AND|OR|THEN|LIMIT|ORDER|GROUP|HAVING|FOR|RETURNING|LOOP)\b")
    for match in stops.finditer(hidden, at, end):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")" and depth:
            depth -= 1
        elif depth == 0:
            return match.start()
    return end


def _around(text: str, start: int, stop: int) -> str:
    """What is replaced, with a few letters on both sides where it is short."""
    if stop - start > 8:
        return text[start:stop]
    return text[max(text.rfind("\n", 0, start) + 1, start - 25) : stop + 25].split("\n", maxsplit=1)[0]
