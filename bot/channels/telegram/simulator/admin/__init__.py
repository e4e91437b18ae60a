"""The JSON interface under `/simulator` for scripts, tests and the chat page."""
