"""Conversations reach people here: channels, dispatcher, router, replies."""
