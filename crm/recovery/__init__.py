"""Backups that were made, and the safe mode in which nothing is sent after a restore."""
