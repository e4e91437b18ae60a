"""Points for signing up."""

from crm.events.catalogue import MemberSignedUp
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile


class SignUp:
    """A fixed bonus when a member finishes sign-up."""

    name = "sign_up"
    label = "Sign-up bonus"
    event = MemberSignedUp
    parameters = PointsParameters

    def points(self, parameters: PointsParameters, event: MemberSignedUp, profile: Profile) -> int:
        """The bonus."""
        del event, profile
        return parameters.points

    def explain(self, parameters: PointsParameters, locale: str) -> str:
        """The bonus in words."""
        if locale == "zh-CN":
            return f"注册会员，得 {parameters.points} 积分"
        return f"Sign up: {counted(parameters.points, 'point')}"


sign_up = SignUp()
