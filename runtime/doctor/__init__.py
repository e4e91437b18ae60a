"""Looks for what is misconfigured: each check names one thing and says what to do."""
