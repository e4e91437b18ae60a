"""A Bot API server of our own over real HTTP, with people who can be scripted and a chat page."""
