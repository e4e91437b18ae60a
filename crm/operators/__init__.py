"""The operators capability."""
