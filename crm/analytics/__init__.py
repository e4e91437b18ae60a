"""The analytics capability."""
