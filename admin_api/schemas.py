"""Shapes that all capabilities of the JSON API share."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, Generic, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from crm.kit.paging import MAX_LIMIT, Page, page_of

T = TypeVar("T")
R = TypeVar("R")
_BIGGEST_ID = 2**63 - 1

IdPath = Annotated[int, Path(ge=1, le=_BIGGEST_ID)]
"""An id in the address."""
Id = Annotated[int, Field(ge=1, le=_BIGGEST_ID)]
"""An id in a body."""
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]


def _within_calendar(value: AwareDatetime) -> AwareDatetime:
    if not 1970 <= value.year <= 9000:  # noqa: PLR2004 - years that PostgreSQL and every time zone can hold
        raise ValueError("the year must be between 1970 and 9000")
    return value - timedelta()


Moment = Annotated[AwareDatetime, AfterValidator(_within_calendar)]
"""A time with its offset, such as 2026-03-01T08:00:00+08:00."""


class Body(BaseModel):
    """Base of request bodies: a field that is not known is refused, so that a slip is noticed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PageOf(BaseModel, Generic[T]):
    """Some items of a list; `next_cursor` is null at the end."""

    items: list[T]
    next_cursor: str | None = None


def paged(page: Page[R], view: Callable[[R], T]) -> PageOf[T]:
    """A service's page as the API answers it."""
    return PageOf(items=[view(item) for item in page.items], next_cursor=page.next_cursor)


def page_from(
    rows: Sequence[R], limit: int, view: Callable[[R], T], key: Callable[[R], tuple[str | int, ...]]
) -> PageOf[T]:
    """A page of `limit` items from `limit + 1` fetched ones."""
    return paged(page_of(rows, limit, lambda row: row, key), view)
