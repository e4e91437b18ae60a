"""Draws: lucky draws and red packets whose results everybody can recompute."""
