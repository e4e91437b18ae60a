"""Counting in UTF-16 units, the measure of every Bot API offset and text limit."""

_ONE_UNIT = 0xFFFF


def utf16_length(text: str) -> int:
    """The number of UTF-16 units of a text."""
    if text.isascii():
        return len(text)
    return len(text) + sum(1 for character in text if ord(character) > _ONE_UNIT)
