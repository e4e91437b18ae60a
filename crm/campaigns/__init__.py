"""The campaigns capability."""
