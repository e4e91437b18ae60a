"""The chat page on which a newcomer talks to the bot without a token."""
