"""Which columns hold personal data: each capability declares its own in `personal_data.py`, to export and erase by."""

from dataclasses import dataclass
from functools import cache

from crm.kit.discovery import instances, modules_named


@dataclass(frozen=True)
class PersonalData:
    """The personal columns of one table."""

    table: str
    columns: tuple[str, ...]
    member_column: str | None = "member_id"
    """Column with the member's id; None where rows belong to nobody in particular, such as a file of many."""
    identity_column: str | None = None
    """Column with the identity's id, where rows follow a channel account and not the member."""


@cache
def registry() -> tuple[PersonalData, ...]:
    """What all capabilities declared, by capability."""
    return tuple(item for module in modules_named("crm", "personal_data") for item in instances(module, PersonalData))
