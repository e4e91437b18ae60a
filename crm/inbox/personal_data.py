"""Personal data of the inbox: raw updates, found by the bot and the chat that they came from."""

from crm.members.privacy import PersonalData

updates = PersonalData("inbound_updates", ("payload", "chat_key"), member_column=None)
queue = PersonalData("inbound_queue", ("chat_key",), member_column=None)
dead_letters = PersonalData("inbound_dead_letters", ("chat_key",), member_column=None)
