"""What claiming statements of other capabilities ask of the safe mode."""

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select

from crm.recovery.models import SafeModeRow

_IS_OPEN = SafeModeRow.ended_at.is_(None)


def is_on() -> ColumnElement[bool]:
    """Whether nothing may be sent, as a condition of the statement that claims it."""
    return exists(select(1).select_from(SafeModeRow).where(_IS_OPEN))


def last_held_reply() -> ScalarSelect[Any]:
    """The position up to which open replies wait; 0 outside the safe mode."""
    return select(func.coalesce(func.max(SafeModeRow.last_reply), 0)).where(_IS_OPEN).scalar_subquery()
