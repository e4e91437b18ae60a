"""Segment conditions of tiers."""
