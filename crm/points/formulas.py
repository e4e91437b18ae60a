"""Formulas and conditions in CEL: what they may hold, compiled once, and what they answer. Pure."""

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import cel

from crm.points.terms import MAX_SOURCE
from crm.points.types import MAX_POINTS

MAX_LIST = 50
"""Entries of a list or map that is written in a formula."""
MAX_DEPTH = 20
"""How deeply brackets may be nested."""
NAMES = frozenset({"event", "order", "profile", "points", "now", "birthday"})
"""What a formula can ask about; see `crm.points.facts`."""
FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "floor": math.floor, "ceil": math.ceil}
_DIGITS = 6
"""Decimals that count before rounding down: 0.29 * 100 shall be 29."""
_TOKEN = re.compile(
    r"""(?P<odd>\'\'\'|\"\"\"|//|[rRbB]{1,2}["'])|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<name>\.?\s*[A-Za-z_]\w*)|(?P<sign>[()\[\]{},])"""
)
_MACROS = {"map", "filter", "all", "exists", "exists_one", "optMap", "optFlatMap"}
_CLOSES = {")": "(", "]": "[", "}": "{"}
_MIXED = (
    "it mixes kinds of values: write order.amount / 10.0 or double(points) * 1.5, compare texts with texts, and ask"
    " first for what can be empty: event.nps != null ? … : 0"
)
_HINTS: tuple[tuple[type[BaseException], str], ...] = (
    (ZeroDivisionError, "it divides by zero; ask first: x > 0 ? y / x : 0"),
    (OverflowError, "a number in it grows too large"),
    (KeyError, "{0} is not always there; ask first: has(event.properties.x) ? event.properties.x : 0"),
    (TypeError, _MIXED),
)


class FormulaError(Exception):
    """What is wrong with a formula, as one English sentence that says what to do."""


def check(source: str) -> None:
    """Everything that can be said of a formula without values. Raises FormulaError."""
    if len(source) > MAX_SOURCE:
        raise FormulaError(f"it has {len(source)} characters; write it in at most {MAX_SOURCE}")
    loop_names = _check_shape(source)
    program = _compiled(source)
    unknown = sorted(set(program.variables()) - NAMES - loop_names)
    if unknown:
        raise FormulaError(f"it asks for {unknown[0]!r}; known are {', '.join(sorted(NAMES))}")


def names_in(source: str) -> frozenset[str]:
    """Which of `NAMES` the formula asks for. Raises FormulaError."""
    return _names_in(source)


def number(source: str, values: Mapping[str, Any]) -> Fraction:
    """What a formula gives, exactly, from 0 to 1e9 and with at most six decimals. Raises FormulaError."""
    answer = _answer(source, values)
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        raise FormulaError(f"it answers {_told(answer)}, not a number; a condition belongs into `when`")
    if not math.isfinite(answer):
        raise FormulaError(
            "it answers no finite number, such as after a division by 0.0; ask first: x > 0.0 ? y / x : 0.0"
        )
    exact = Fraction(str(round(answer, _DIGITS)))
    if exact < 0:
        raise FormulaError(f"it answers {answer:g}, less than nothing; write max(0, …) with numbers of one kind")
    if exact > MAX_POINTS:
        raise FormulaError(f"it answers {answer:g}, more than {MAX_POINTS}; write min({MAX_POINTS}, …)")
    return exact


def truth(source: str, values: Mapping[str, Any]) -> bool:
    """What a condition answers. Raises FormulaError."""
    answer = _answer(source, values)
    if not isinstance(answer, bool):
        raise FormulaError(f"it answers {_told(answer)}, not true or false; compare it, such as points > 0")
    return answer


def _answer(source: str, values: Mapping[str, Any]) -> Any:
    program = _compiled(source)
    # handing a value over costs more than the formula itself: only what it asks for goes
    given = {name: values[name] for name in _names_in(source)} | _functions_in(source)
    try:
        return program.execute(given)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the evaluator is no Exception, and must not undo what earned points
        raise FormulaError(_hint(error)) from error


@lru_cache(maxsize=1024)
def _compiled(source: str) -> cel.Program:
    try:
        return cel.compile(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # see `_answer`
        raise FormulaError("it cannot be read; look for brackets, quotes and operators that do not fit") from error


@lru_cache(maxsize=1024)
def _names_in(source: str) -> frozenset[str]:
    return NAMES & set(_compiled(source).variables())


@lru_cache(maxsize=1024)
def _functions_in(source: str) -> dict[str, Callable[..., Any]]:
    return {name: FUNCTIONS[name] for name in _compiled(source).functions() if name in FUNCTIONS}


def _check_shape(source: str) -> frozenset[str]:
    """Brackets, lists and loops in bounds; answers the names that loops bind."""
    loops: set[str] = set()
    brackets: list[list[Any]] = []  # sign, commas, whether a loop
    before, binds = "", False
    for found in _TOKEN.finditer(source):
        if found["name"] is not None:
            if binds:
                loops.add(found["name"])
            before, binds = found["name"], False
            continue
        if found["odd"] is not None:
            raise FormulaError("write texts in plain quotes, 'so' or \"so\", and no comments")
        if found["sign"] is None:
            before, binds = "", False
            continue
        binds = _sign(found["sign"], before, brackets)
        before = ""
    return frozenset(loops)


def _sign(sign: str, before: str, brackets: list[list[Any]]) -> bool:
    """Follow one bracket or comma; answers whether the next name is one that a loop binds."""
    if sign in "([{":
        is_loop = sign == "(" and before.startswith(".") and before.lstrip(". \t\n") in _MACROS
        if is_loop and any(item[2] for item in brackets):
            raise FormulaError("a loop stands inside a loop; use one of map, filter, all, exists at a time")
        brackets.append([sign, 0, is_loop])
        if len(brackets) > MAX_DEPTH:
            raise FormulaError(f"its brackets are nested more than {MAX_DEPTH} deep; write it flatter")
        return is_loop
    if sign == ",":
        if brackets:
            brackets[-1][1] += 1
            if brackets[-1][1] >= MAX_LIST:
                raise FormulaError(f"a list in it has more than {MAX_LIST} entries")
    elif brackets and brackets[-1][0] == _CLOSES[sign]:
        brackets.pop()
    return False


def _hint(error: BaseException) -> str:
    for kind, text in _HINTS:
        if isinstance(error, kind):
            return text.format(error)
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"it fails: {first[:200]}"


def _told(answer: Any) -> str:
    if isinstance(answer, bool):
        return "true" if answer else "false"
    if answer is None:
        return "nothing (null)"
    return {"str": "a text", "list": "a list", "dict": "a map"}.get(type(answer).__name__, "a value of another kind")
