"""Which column holds which field of a member, and turning a row into one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from crm.brand.types import Brand
from crm.imports.errors import InvalidMapping
from crm.kit.errors import InvalidError
from crm.kit.text import clean_name
from crm.members import phones, policy
from crm.members.attributes import AttributeDefinition, AttributeType, checked_value
from crm.tags import policy as tag_policy

ATTRIBUTE = "attributes."
FIELDS = ("display_name", "phone", "email", "birthday", "locale", "time_zone", "tags")
_NAMES = {
    "display_name": ("display_name", "name", "姓名", "昵称", "名称", "名字"),
    "phone": ("phone", "mobile", "tel", "手机", "手机号", "电话", "手机号码"),
    "email": ("email", "e-mail", "mail", "邮箱", "电子邮箱"),
    "birthday": ("birthday", "birth date", "date of birth", "生日", "出生日期"),
    "locale": ("locale", "language", "语言"),
    "time_zone": ("time_zone", "time zone", "timezone", "时区"),
    "tags": ("tags", "tag", "标签"),
}
_YES, _NO = {"true", "yes", "1", "是", "y"}, {"false", "no", "0", "否", "n"}
_MAX_TAGS = 20


class BadRow(InvalidError):
    """The row is not valid."""


@dataclass(frozen=True)
class Draft:
    """A row as a member: only what the row gave."""

    row: int
    display_name: str | None = None
    phone: str | None = None
    email: str | None = None
    birthday: date | None = None
    locale: str | None = None
    time_zone: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


def suggest(header: Sequence[str], definitions: Sequence[AttributeDefinition]) -> dict[str, str]:
    """Column -> field, for the columns whose names say it."""
    known = {name: target for target, names in _NAMES.items() for name in names}
    for definition in definitions:
        for name in (definition.key, ATTRIBUTE + definition.key, *definition.label.values()):
            known.setdefault(name.lower(), ATTRIBUTE + definition.key)
    found: dict[str, str] = {}
    for column in header:
        target = known.get(column.lower())
        if target is not None and target not in found.values():
            found[column] = target
    return found


def check(
    mapping: Mapping[str, str], header: Sequence[str], definitions: Sequence[AttributeDefinition]
) -> dict[str, str]:
    """The mapping, when each column and field is there and none is taken twice. Raises InvalidMapping."""
    fields = {*FIELDS, *(ATTRIBUTE + item.key for item in definitions)}
    for column, target in mapping.items():
        if column not in header:
            raise InvalidMapping(f"the file has no column {column[:64]!r}")
        if target not in fields:
            raise InvalidMapping(f"a member has no field {target[:64]!r}; there are {', '.join(sorted(fields))}")
    if len(set(mapping.values())) < len(mapping):
        raise InvalidMapping("two columns go to the same field")
    if not {"display_name", "phone", "email"} & set(mapping.values()):
        raise InvalidMapping("choose a column for the name, the phone or the e-mail address")
    return dict(mapping)


def draft(row: int, cells: Mapping[str, str], brand: Brand, definitions: Mapping[str, AttributeDefinition]) -> Draft:
    """A row whose cells are named by field, as a member. Raises BadRow and InvalidError, which say why."""
    given = {name: text for name, text in cells.items() if text}
    values: dict[str, Any] = {name: _READERS[name](given[name], brand) for name in FIELDS if name in given}
    attributes = {
        name.removeprefix(ATTRIBUTE): _attribute(definitions[name.removeprefix(ATTRIBUTE)], text)
        for name, text in given.items()
        if name.startswith(ATTRIBUTE)
    }
    if not {"display_name", "phone", "email"} & values.keys():
        raise BadRow("the row has no name, phone or e-mail address")
    return Draft(row=row, **values, attributes=attributes)


def _name(text: str, _: Brand) -> str:
    cleaned = clean_name(text)
    if not cleaned:
        raise BadRow("the name has no visible character")
    return cleaned


def _locale(text: str, brand: Brand) -> str:
    found = policy.locale_for(text, brand.locales, "")
    if not found:
        raise BadRow(f"the language is not one of {', '.join(brand.locales)}")
    return found


def _tags(text: str, _: Brand) -> list[str]:
    found = [part.strip() for part in text.replace("；", ";").replace("，", ";").replace(",", ";").split(";")]
    kept = list(dict.fromkeys(tag_policy.label(*tag_policy.parse(part)) for part in found if part))
    if len(kept) > _MAX_TAGS:
        raise BadRow(f"a row has at most {_MAX_TAGS} tags")
    return kept


def _date(text: str) -> date:
    normal = text.replace("/", "-").replace(".", "-").replace("年", "-").replace("月", "-").replace("日", "")
    parts = normal.split("-")
    try:
        year, month, day = (int(part) for part in parts)
        return date(year, month, day)
    except ValueError as error:
        raise BadRow("a date looks like 1990-12-31") from error


def _attribute(definition: AttributeDefinition, text: str) -> Any:
    value: Any = text
    match definition.type:
        case AttributeType.NUMBER:
            value = _number(definition, text)
        case AttributeType.BOOLEAN:
            value = True if text.lower() in _YES else False if text.lower() in _NO else text
        case AttributeType.DATE:
            value = _date(text)
        case _:
            pass
    return checked_value(definition, value)


def _number(definition: AttributeDefinition, text: str) -> int | float:
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text.replace(",", ""))
    except ValueError as error:
        raise BadRow(f"{definition.key} takes a number") from error


_READERS: dict[str, Callable[[str, Brand], Any]] = {
    "display_name": _name,
    "phone": lambda text, brand: phones.normal_phone(text, policy.region_of(brand.currency)),
    "email": lambda text, _: policy.normal_email(text),
    "birthday": lambda text, _: _date(text),
    "locale": _locale,
    "time_zone": lambda text, _: policy.known_zone(text).key,
    "tags": _tags,
}
"""How the text of a cell becomes the value of a field."""
