"""Personal data of deliveries: sealed bodies of open replies; they go when the reply was sent, or with the identity."""

from crm.members.privacy import PersonalData

replies = PersonalData("delivery_replies", ("body",), member_column=None)
