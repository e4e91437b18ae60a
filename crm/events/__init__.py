"""Recorded facts: the catalogue, the log and the relay."""
