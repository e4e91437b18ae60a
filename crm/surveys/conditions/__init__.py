"""Segment conditions of surveys."""
