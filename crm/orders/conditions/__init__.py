"""Segment conditions of orders."""
