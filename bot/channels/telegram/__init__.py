"""Telegram: the adapter for the real server, and a simulated server to talk to."""
