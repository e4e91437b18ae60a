"""Telling members outside of a conversation what became of something that is theirs."""
