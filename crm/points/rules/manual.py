"""Points that operators give by hand."""

from crm.events.types import Event
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class Manual:
    """A named gift of a fixed number of points; it reacts to nothing."""

    name = "manual"
    label = "Given by hand"
    event = None
    parameters = PointsParameters

    def points(self, parameters: PointsParameters, event: Event, profile: Profile) -> int:
        """Nothing: no event earns it."""
        del parameters, event, profile
        return 0

    def explain(self, parameters: PointsParameters, locale: str) -> None:
        """Members are not told."""
        del parameters, locale


manual = Manual()
