"""The terms of an earning rule as fields of a form, and the way back from what was typed; the domain judges it."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData

from admin_api.console.pages import say
from admin_api.edge import Edge
from crm.kit.localized import LOCALES
from crm.points.terms import BirthdayPeriod, Over, Stacking
from crm.profiles.types import Stage
from crm.segments import service as segments
from crm.tags import service as tags

CAPS = ("member_day", "member_week", "member_month", "member_ever", "rule_month", "rule_ever")
WINDOW = ("multiplier", "weekdays", "from_day", "until_day", "from_time", "until_time")
_MOST_WINDOWS = 20
_MOST = 2000
_DIGITS = 16
_TEXTS = ("when", "formula", "group")
_SWITCHES = ("uses_tier", "only_in_windows", "is_once")
_LISTS = ("stages", "grades", "tiers", "tag_ids", "segment_ids")


def read(sent: FormData) -> dict[str, Any]:
    """Only what was filled in, so that a rule without terms has none."""
    found: dict[str, Any] = {name: _text(sent, f"term_{name}") for name in _TEXTS}
    found |= {name: True for name in _SWITCHES if _text(sent, f"term_{name}")}
    found["birthday_multiplier"] = _text(sent, "term_birthday_multiplier")
    if found["birthday_multiplier"]:
        found["birthday_period"] = _text(sent, "term_birthday_period")
    found["stacking"] = _text(sent, "term_stacking") if found["group"] else ""
    found["priority"] = _number(_text(sent, "term_priority"))
    found["audience"] = {name: values for name in _LISTS if (values := _words(sent, f"term_{name}"))}
    found["tier_multipliers"] = _pairs(_text(sent, "term_tier_multipliers"))
    found["windows"] = [window for number in range(_MOST_WINDOWS) if (window := _window(sent, number))]
    found["caps"] = _caps(sent)
    found["told"] = {locale: text for locale in LOCALES if (text := _text(sent, f"told_{locale}"))}
    return {name: value for name, value in found.items() if value not in ("", None, {}, [])}


async def shown(edge: Edge, terms: Mapping[str, Any]) -> dict[str, Any]:
    """What the form's page takes: the values as stored or as typed, and what there is to choose from."""
    audience, windows = terms.get("audience", {}), list(terms.get("windows", []))
    pairs = terms.get("tier_multipliers", {})
    found_tags = await tags.listing(edge.session)
    found_segments = (await segments.listing(edge.session, limit=200)).items
    return {
        "terms": {**terms, "tier_multipliers": ", ".join(f"{name}={value}" for name, value in pairs.items())},
        "audience": audience,
        "windows": [{**one, "weekdays": _joined(one.get("weekdays"))} for one in windows] + [{}],
        "caps": terms.get("caps", {}),
        "told": terms.get("told", {}),
        "cap_names": {name: say(edge, _CAP_WORDS[name]) for name in CAPS},
        "stages": _offered(edge, Stage),
        "periods": _offered(edge, BirthdayPeriod),
        "overs": [{"value": one.value, "label": say(edge, _OVER_WORDS[one])} for one in Over],
        "stackings": [{"value": one.value, "label": say(edge, _STACKING_WORDS[one])} for one in Stacking],
        "tags": [
            {"value": one.id, "label": f"{one.group}:{one.name}" if one.group else one.name} for one in found_tags
        ],
        "segments": [{"value": one.id, "label": one.name} for one in found_segments],
    }


_CAP_WORDS = {
    "member_day": "A day, for each member",
    "member_week": "A week, for each member",
    "member_month": "A month, for each member",
    "member_ever": "Ever, for each member",
    "rule_month": "A month, for all members",
    "rule_ever": "Ever, for all members",
}
_OVER_WORDS = {Over.PARTIAL: "Give what is left", Over.REFUSE: "Give nothing"}
_STACKING_WORDS = {Stacking.BEST: "The one that gives most", Stacking.FIRST: "The first by priority"}


def _offered(edge: Edge, names: Any) -> list[dict[str, Any]]:
    return [{"value": one.value, "label": say(edge, one.value.replace("_", " ").capitalize())} for one in names]


def _window(sent: FormData, number: int) -> dict[str, Any]:
    typed = {name: _text(sent, f"window_{number}_{name}") for name in WINDOW}
    found: dict[str, Any] = {name: value for name, value in typed.items() if value}
    if "weekdays" in found:
        found["weekdays"] = [_number(part) for part in _split(found["weekdays"])]
    return found


def _caps(sent: FormData) -> dict[str, Any]:
    found = {name: value for name in CAPS if (value := _number(_text(sent, f"cap_{name}"))) is not None}
    over = _text(sent, "cap_over")
    return {**found, "over": over} if found and over else found


def _pairs(text: str) -> dict[str, str]:
    """`gold=2, silver=1.5`; what has no sign of equality gets an empty value, which is refused by name."""
    parts = (part.partition("=") for part in _split(text))
    return {name.strip(): value.strip() for name, _, value in parts}


def _words(sent: FormData, name: str) -> list[Any]:
    typed = [item[:_MOST] for item in sent.getlist(name) if isinstance(item, str)]
    words = [part for text in typed for part in _split(text)]
    return [_number(word) for word in words] if name.endswith("_ids") else words


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()]


def _joined(values: Any) -> str:
    return ", ".join(map(str, values)) if isinstance(values, list) else ""


def _number(text: str) -> Any:
    """A whole number as one, nothing as None, anything else as it was typed."""
    if not text:
        return None
    return int(text) if text.isascii() and text.removeprefix("-").isdecimal() and len(text) < _DIGITS else text


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name, "")
    return value[:_MOST].strip() if isinstance(value, str) else ""
