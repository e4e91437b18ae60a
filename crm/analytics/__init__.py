"""Figures for operators, derived from what capabilities publish in their views."""
