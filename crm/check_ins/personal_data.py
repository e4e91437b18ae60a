"""Personal data of check-ins: what a member calls themselves on the leaderboard."""

from crm.members.privacy import PersonalData

leaders = PersonalData("check_in_leaders", ("alias",))
