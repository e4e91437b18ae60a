"""What the embedded servers report when they cannot do their work."""


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot be used; the message says why and what to do about it."""
