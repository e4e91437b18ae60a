"""Personal data of consent: where a member said so."""

from crm.members.privacy import PersonalData

consents = PersonalData("consents", ("proof",))
