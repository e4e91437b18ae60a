"""Segment conditions of check-ins."""
