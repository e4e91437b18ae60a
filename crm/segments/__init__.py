"""Segments: rules over members, in SQL and in plain Python."""
