"""The inbox capability."""
