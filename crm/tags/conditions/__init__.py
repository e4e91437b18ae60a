"""Segment conditions of tags."""
