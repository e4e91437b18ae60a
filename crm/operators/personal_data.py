"""Personal data of operators, who are people too but no members, and of answers that are kept for repeated requests."""

from crm.members.privacy import PersonalData

operators = PersonalData("operators", ("name", "email_sealed", "email_index"), member_column=None)
invitations = PersonalData("operator_links", ("email_sealed",), member_column=None)
answers = PersonalData("idempotency_keys", ("response_sealed",), member_column=None)
