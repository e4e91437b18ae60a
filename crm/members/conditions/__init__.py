"""Segment conditions of members."""
