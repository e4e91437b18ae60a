"""Personal data of the web chat: its messages, found by the bot and the visitor's address, which the identity bears."""

from crm.members.privacy import PersonalData

chat = PersonalData("webchat_messages", ("body", "address"), member_column=None)
