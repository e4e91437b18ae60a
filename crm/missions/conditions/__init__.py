"""Segment conditions of missions and badges."""
