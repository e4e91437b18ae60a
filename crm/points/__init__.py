"""The points capability."""
