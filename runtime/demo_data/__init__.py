"""A plausible brand to look at: a tea shop with 300 members, made through the real services."""
