"""Segment conditions of activities."""
