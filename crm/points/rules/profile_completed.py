"""Points for telling the brand more about oneself."""

from typing import Annotated

from pydantic import Field

from crm.events.catalogue import MemberUpdated
from crm.kit.text import counted
from crm.points.kinds import PointsParameters
from crm.profiles.types import Profile

_EN = {"display_name": "name", "phone": "phone number", "email": "e-mail address", "birthday": "birthday"}
_ZH = {"display_name": "姓名", "phone": "手机号", "email": "邮箱", "birthday": "生日"}


class ProfileCompletedParameters(PointsParameters):
    """What must be told."""

    fields: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        ["phone", "birthday"],
        min_length=1,
        max_length=20,
        description="All of these: display_name, phone, email, birthday, or keys of attributes.",
    )


class ProfileCompleted:
    """A bonus when the last of these details was filled in; choose "once" so that changes later earn nothing."""

    name = "profile_completed"
    label = "Profile completed"
    event = MemberUpdated
    parameters = ProfileCompletedParameters

    def points(self, parameters: ProfileCompletedParameters, event: MemberUpdated, profile: Profile) -> int:
        """The bonus when this change touched one of the details and all of them are filled now."""
        del profile
        wanted = set(parameters.fields)
        return parameters.points if wanted & set(event.changed) and wanted <= set(event.filled) else 0

    def explain(self, parameters: ProfileCompletedParameters, locale: str) -> str:
        """What to tell, in words."""
        if locale == "zh-CN":
            told = "、".join(_ZH.get(name, name) for name in parameters.fields)
            return f"完善资料（{told}），得 {parameters.points} 积分"
        told = ", ".join(_EN.get(name, name) for name in parameters.fields)
        return f"Tell us your {told}: {counted(parameters.points, 'point')}"


profile_completed = ProfileCompleted()
