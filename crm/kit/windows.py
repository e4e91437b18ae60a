"""The two ways in which conditions ask about a time: within the last N days, or longer ago than N days."""

from datetime import datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import ColumnElement

from crm.kit.rules import Parameters

Days = Annotated[int, Field(ge=1, le=3650)]


class Window(Parameters):
    """A span before the time of asking; both bounds may be open."""

    within_days: Days | None = Field(default=None, title="In the last … days")
    more_than_days_ago: Days | None = Field(default=None, title="Longer ago than … days")

    def holds(self, column: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
        """SQL: the time is there and in the window; never NULL."""
        tests: list[ColumnElement[bool]] = [column.is_not(None)]
        if self.within_days is not None:
            tests.append(column >= now - timedelta(days=self.within_days))
        if self.more_than_days_ago is not None:
            tests.append(column < now - timedelta(days=self.more_than_days_ago))
        return sa.func.coalesce(sa.and_(*tests), sa.false())

    def holds_for(self, moment: datetime | None, now: datetime) -> bool:
        """The same for one value in plain Python."""
        if moment is None:
            return False
        is_recent = self.within_days is None or moment >= now - timedelta(days=self.within_days)
        is_old = self.more_than_days_ago is None or moment < now - timedelta(days=self.more_than_days_ago)
        return is_recent and is_old
