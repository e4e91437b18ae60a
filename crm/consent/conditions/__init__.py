"""Segment conditions of consent."""
