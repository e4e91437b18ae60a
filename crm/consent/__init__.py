"""The consent capability."""
