"""The tiers capability."""
