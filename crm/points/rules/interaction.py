"""Points for tapping a button of a broadcast or journey."""

from pydantic import Field

from crm.events.catalogue import ButtonTapped
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class InteractionParameters(PointsParameters):
    """Which taps earn points."""

    campaign_ids: list[int] = Field([], max_length=100, description="Only of these campaigns; empty: of all.")
    buttons: list[str] = Field([], max_length=20, description="Only these buttons; empty: every button.")


class Interaction:
    """A fixed number of points for a tapped button; set a cap, for a button can be tapped again and again."""

    name = "interaction"
    label = "Button tapped"
    event = ButtonTapped
    parameters = InteractionParameters

    def points(self, parameters: InteractionParameters, event: ButtonTapped, profile: Profile) -> int:
        """The points when the button counts."""
        del profile
        if parameters.campaign_ids and event.campaign_id not in parameters.campaign_ids:
            return 0
        return parameters.points if not parameters.buttons or event.button in parameters.buttons else 0

    def explain(self, parameters: InteractionParameters, locale: str) -> None:
        """Members are not told: the message with the button says it."""
        del parameters, locale


interaction = Interaction()
