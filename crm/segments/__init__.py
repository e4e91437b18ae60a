"""The segments capability."""
