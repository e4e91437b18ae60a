"""Rewards: what points buy."""
