"""Segment conditions of sources."""
