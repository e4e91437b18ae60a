"""A bonus for checking in on many days in a row."""

from pydantic import Field

from crm.events.catalogue import CheckedIn
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class StreakParameters(PointsParameters):
    """Which streak earns the bonus, and whether once or again and again."""

    days: int = Field(ge=2, le=3660, description="Days in a row that earn the bonus.")
    is_repeated: bool = Field(False, description="Again at every multiple of the days.")


class Streak:
    """A bonus on the day on which the streak reaches a milestone."""

    name = "streak"
    label = "Check-in streak"
    event = CheckedIn
    parameters = StreakParameters

    def points(self, parameters: StreakParameters, event: CheckedIn, profile: Profile) -> int:
        """The bonus when this check-in reaches the milestone."""
        del profile
        repeated = parameters.is_repeated and event.streak > 0 and event.streak % parameters.days == 0
        return parameters.points if repeated or event.streak == parameters.days else 0

    def explain(self, parameters: StreakParameters, locale: str) -> str:
        """The milestone in words."""
        if locale == "zh-CN":
            return (
                f"{'每' if parameters.is_repeated else ''}连续签到 {parameters.days} 天，另得 {parameters.points} 积分"
            )
        every = "every " if parameters.is_repeated else ""
        return (
            f"Check in {every}{counted(parameters.days, 'day')} in a row: {counted(parameters.points, 'point')} extra"
        )


streak = Streak()
