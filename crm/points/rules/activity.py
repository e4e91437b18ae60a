"""Points for coming to an activity."""

from pydantic import Field

from crm.events.loyalty import ActivityAttended
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class ActivityParameters(PointsParameters):
    """Which activities earn points."""

    activity_ids: list[int] = Field([], max_length=100, description="Only these activities; empty: every activity.")


class Activity:
    """A fixed number of points for each activity that the member attended."""

    name = "activity"
    label = "Activity attended"
    event = ActivityAttended
    parameters = ActivityParameters

    def points(self, parameters: ActivityParameters, event: ActivityAttended, profile: Profile) -> int:
        """The points when the activity counts."""
        del profile
        return parameters.points if not parameters.activity_ids or event.activity_id in parameters.activity_ids else 0

    def explain(self, parameters: ActivityParameters, locale: str) -> str:
        """The points in words."""
        if locale == "zh-CN":
            return f"参加活动并签到，得 {parameters.points} 积分"
        return f"Come to one of our events: {counted(parameters.points, 'point')}"


activity = Activity()
