"""The bots capability."""
