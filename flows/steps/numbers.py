"""Numbers of things, as buttons carry them and members type them."""

_MOST_DIGITS = 18
"""As a bigint holds them."""


def number_in(text: str) -> int | None:
    """The number that `text` is, or None; of one that is too long the beginning, which names nothing."""
    return int(text[:_MOST_DIGITS]) if text.isdecimal() else None
