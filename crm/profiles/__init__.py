"""The profiles capability."""
