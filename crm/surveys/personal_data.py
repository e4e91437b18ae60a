"""Personal data of surveys: answers in a member's own words."""

from crm.members.privacy import PersonalData

answers = PersonalData("survey_answers", ("value", "text_sealed"))
