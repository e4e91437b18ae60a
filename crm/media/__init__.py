"""The media capability."""
