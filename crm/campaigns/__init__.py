"""Campaigns: one message to one segment, launched once."""
