"""The sources capability."""
