"""Personal data of conversations: what was said, and what open flows remember; both go with the identity."""

from crm.members.privacy import PersonalData

transcript = PersonalData("conversation_messages", ("body",), member_column=None, identity_column="identity_id")
chats = PersonalData("conversations", ("chat_key",), member_column=None, identity_column="identity_id")
journal = PersonalData("conversation_journal", ("value",), member_column=None)
wakes = PersonalData("conversation_wakes", ("value",), member_column=None)
