"""The members capability."""
