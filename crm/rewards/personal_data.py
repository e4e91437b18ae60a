"""Personal data of rewards: where goods are sent."""

from crm.members.privacy import PersonalData

addresses = PersonalData("redemptions", ("address",))
