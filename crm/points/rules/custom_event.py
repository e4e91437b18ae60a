"""Points for events that other systems report."""

from pydantic import Field

from crm.events.catalogue import CustomEvent
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class CustomEventParameters(PointsParameters):
    """Which reported event earns points."""

    event_name: str = Field(min_length=1, max_length=100, description="Name of the reported event.")


class CustomEventRule:
    """A fixed number of points each time an event of that name is reported for the member."""

    name = "custom_event"
    label = "Reported event"
    event = CustomEvent
    parameters = CustomEventParameters

    def points(self, parameters: CustomEventParameters, event: CustomEvent, profile: Profile) -> int:
        """The points when the name is the rule's."""
        del profile
        return parameters.points if event.name == parameters.event_name else 0

    def explain(self, parameters: CustomEventParameters, locale: str) -> None:
        """Members are not told: the event's name means nothing to them."""
        del parameters, locale


custom_event = CustomEventRule()
