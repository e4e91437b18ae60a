"""When points of a rule become spendable: at once, after some days, or with the member's next act. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from crm.points.validity import CountsFrom, Validity

_SHORTEST_MONTH = 28


class Act(StrEnum):
    """What a member does that makes pending points spendable."""

    NOTHING = "nothing"
    ORDER = "order"
    """The next paid order."""


class Starting(Validity):
    """How long points last, and from when on; without days and act they are spendable at once."""

    active_after_days: int | None = Field(
        None, ge=1, le=366, description="Days after which these points can be spent; empty: at once."
    )
    active_on: Act = Field(
        Act.NOTHING, description="What the member does to have them: the next order. With days: whichever comes first."
    )

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        """Points that run out before they can be spent would be none."""
        if self.active_after_days is None or self.expiry_counts_from is CountsFrom.ACTIVATION:
            return self
        months = self.expires_after_months
        if months is not None and self.active_after_days >= months * _SHORTEST_MONTH:
            raise ValueError("these points would run out before they can be spent; count their expiry from activation")
        return self

    @property
    def is_pending(self) -> bool:
        """Whether the points have to wait."""
        return self.active_after_days is not None or self.active_on is not Act.NOTHING

    @property
    def act(self) -> Act | None:
        """What makes them spendable, if it is something that the member does."""
        return None if self.active_on is Act.NOTHING else self.active_on

    def activates_at(self, earned_at: datetime) -> datetime | None:
        """When they become spendable by themselves; None: by the act alone."""
        return None if self.active_after_days is None else earned_at + timedelta(days=self.active_after_days)

    def validity(self) -> Validity:
        """How long they last, without the rest."""
        return Validity.model_validate(self.model_dump(include=set(Validity.model_fields)))


AT_ONCE = Starting()
"""The usual case."""
