"""Formatted text: HTML into text and entities, counted in UTF-16 units."""
