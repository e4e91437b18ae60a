"""Points for reviews, which a shop reports as events."""

from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import Field

from crm.events.catalogue import CustomEvent
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class ReviewParameters(PointsParameters):
    """Which reviews earn points."""

    event_name: str = Field("review_posted", min_length=1, max_length=100, description="Name of the reported event.")
    least_rating: int | None = Field(
        None, ge=1, le=100, description="Only with a property `rating` of at least this; empty: every review."
    )
    needs_picture: bool = Field(False, description="Only with a property `has_picture` that is true.")


class Review:
    """A fixed number of points for a review of a product or a visit."""

    name = "review"
    label = "Review"
    event = CustomEvent
    parameters = ReviewParameters

    def points(self, parameters: ReviewParameters, event: CustomEvent, profile: Profile) -> int:
        """The points when the review counts."""
        del profile
        if event.name != parameters.event_name:
            return 0
        if parameters.needs_picture and event.properties.get("has_picture") is not True:
            return 0
        least = parameters.least_rating
        return parameters.points if least is None or _rating(event.properties.get("rating")) >= least else 0

    def explain(self, parameters: ReviewParameters, locale: str) -> str:
        """The points in words."""
        if locale == "zh-CN":
            return f"发表{'带图' if parameters.needs_picture else ''}评价，得 {parameters.points} 积分"
        picture = " with a picture" if parameters.needs_picture else ""
        return f"Write a review{picture}: {counted(parameters.points, 'point')}"


def _rating(value: Any) -> Decimal:
    """The rating that was reported, 0 for none or nonsense."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Decimal(0)
    try:
        rating = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return rating if rating.is_finite() else Decimal(0)


review = Review()
