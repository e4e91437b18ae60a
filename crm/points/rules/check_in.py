"""Points for the daily check-in."""

from crm.events.catalogue import CheckedIn
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class CheckIn:
    """A fixed number of points for each daily check-in."""

    name = "check_in"
    label = "Daily check-in"
    event = CheckedIn
    parameters = PointsParameters

    def points(self, parameters: PointsParameters, event: CheckedIn, profile: Profile) -> int:
        """The same every day."""
        del event, profile
        return parameters.points

    def explain(self, parameters: PointsParameters, locale: str) -> str:
        """The daily points in words."""
        if locale == "zh-CN":
            return f"每日签到，得 {parameters.points} 积分"
        return f"Check in every day: {counted(parameters.points, 'point')}"


check_in = CheckIn()
