"""What forms about loyalty share: texts in two languages, empty fields, lines, times in the brand's zone."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from admin_api.console import typed
from admin_api.edge import Edge
from crm.kit.errors import InvalidError
from crm.operators.types import Principal

Text = Annotated[str, Field(max_length=5000)]
"""A text field; what it may hold is judged by the body that the API takes."""
_LOCALES = (("zh-CN", "zh"), ("en", "en"))


def texts(form: Mapping[str, Any], name: str) -> dict[str, str]:
    """The fields `name_zh` and `name_en` by locale, those that say something."""
    found = {locale: str(form[f"{name}_{suffix}"]) for locale, suffix in _LOCALES}
    return {locale: text for locale, text in found.items() if text.strip()}


def as_fields(name: str, by_locale: Mapping[str, str]) -> dict[str, str]:
    """The way back: texts by locale as the values of `name_zh` and `name_en`."""
    return {f"{name}_{suffix}": by_locale.get(locale, "") for locale, suffix in _LOCALES}


def filled(form: Mapping[str, Any], *names: str) -> dict[str, str | None]:
    """Fields as they were typed; None where nothing was."""
    return {name: str(form[name]).strip() or None for name in names}


def lines(text: str, shape: re.Pattern[str], wrong: type[InvalidError], *, path: str) -> list[re.Match[str]]:
    """What was found in each line that says something. Raises `wrong` at `path` for a line of another shape."""
    found = []
    for line in text.splitlines():
        if line.strip():
            match = shape.fullmatch(line)
            if match is None:
                raise wrong(path=path, line=line[:100])
            found.append(match)
    return found


async def moments(edge: Edge, form: Mapping[str, Any]) -> dict[str, Any]:
    """`starts_at` and `ends_at`, in the brand's zone. Raises WrongMomentError."""
    return {name: await typed.moment(edge, str(form[name])) for name in ("starts_at", "ends_at")}


def in_locale(acting: Principal, by_locale: Mapping[str, str]) -> str:
    """The text in the operator's language, else in any."""
    return by_locale.get(acting.locale) or next(iter(by_locale.values()), "")
