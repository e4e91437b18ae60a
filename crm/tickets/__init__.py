"""The tickets capability."""
