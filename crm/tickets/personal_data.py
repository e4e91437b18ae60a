"""Personal data of tickets: what a member wrote when asking for a person."""

from crm.members.privacy import PersonalData

notes = PersonalData("tickets", ("note",))
