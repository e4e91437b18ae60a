"""The messages capability."""
