"""Segment conditions of profiles."""
