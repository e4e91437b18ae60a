"""Missions and badges: things to do within a time, and what they are rewarded with."""
