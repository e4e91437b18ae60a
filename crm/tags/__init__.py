"""The tags capability."""
