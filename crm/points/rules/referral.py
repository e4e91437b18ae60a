"""Points for friends who were brought and did what counts."""

from crm.events.loyalty import ReferralQualified
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class Referral:
    """A fixed number of points for each friend who qualified; beside what a referral programme gives."""

    name = "referral"
    label = "Friend brought"
    event = ReferralQualified
    parameters = PointsParameters

    def points(self, parameters: PointsParameters, event: ReferralQualified, profile: Profile) -> int:
        """The same for every friend."""
        del event, profile
        return parameters.points

    def explain(self, parameters: PointsParameters, locale: str) -> str:
        """The points in words."""
        if locale == "zh-CN":
            return f"邀请好友并达成条件，每位得 {parameters.points} 积分"
        return f"Bring a friend: {counted(parameters.points, 'point')} for each who takes part"


referral = Referral()
