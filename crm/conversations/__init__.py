"""The conversations capability."""
