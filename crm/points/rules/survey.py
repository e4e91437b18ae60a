"""Points for finishing a survey."""

from pydantic import Field

from crm.events.catalogue import SurveyCompleted
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class SurveyParameters(PointsParameters):
    """Which surveys earn points."""

    survey_ids: list[int] = Field([], max_length=100, description="Only these surveys; empty: every survey.")


class Survey:
    """A fixed number of points for a completed survey."""

    name = "survey"
    label = "Survey completed"
    event = SurveyCompleted
    parameters = SurveyParameters

    def points(self, parameters: SurveyParameters, event: SurveyCompleted, profile: Profile) -> int:
        """The points when the survey counts."""
        del profile
        return parameters.points if not parameters.survey_ids or event.survey_id in parameters.survey_ids else 0

    def explain(self, parameters: SurveyParameters, locale: str) -> str:
        """The points in words."""
        if locale == "zh-CN":
            return f"完成问卷，得 {parameters.points} 积分"
        return f"Answer a survey: {counted(parameters.points, 'point')}"


survey = Survey()
