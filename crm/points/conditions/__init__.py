"""Segment conditions of points."""
