"""Cleaning and measuring of text that comes from people."""

import unicodedata

_DIRECTION_AND_ZERO_WIDTH = {
    *range(0x200B, 0x200D),  # zero width space, non-joiner; the joiner (200D) holds emoji together
    *range(0x200E, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2065),
    *range(0x2066, 0x206A),
    0xFEFF,
}
_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_FLAG_TAGS = range(0xE0020, 0xE0080)
"""They spell the region inside the flags of England, Scotland and Wales."""
_HANGUL_PARTS = range(0x1160, 0x1200)
"""Vowels and final consonants that join the consonant before them."""
MAX_TEXT_BYTES = 16 * 1024
NAME_GRAPHEMES = 64


def clean_text(text: str) -> str:
    """`text` as PostgreSQL and JSON can hold it: no NUL, no lone surrogates, one kind of line end."""
    text = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "replace").decode("utf-8")


def cut_bytes(text: str) -> tuple[str, bool]:
    """`text` cut to `MAX_TEXT_BYTES` of UTF-8 at a character's end, and whether anything was cut."""
    data = text.encode("utf-8")
    if len(data) <= MAX_TEXT_BYTES:
        return text, False
    return data[:MAX_TEXT_BYTES].decode("utf-8", "ignore"), True


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, the unit in which Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def graphemes(text: str) -> list[str]:
    """Approximate user-perceived characters: marks, joiners, modifiers and flag pairs stay together."""
    clusters: list[str] = []
    for character in text:
        if clusters and _continues(clusters[-1], character):
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters


def _continues(cluster: str, character: str) -> bool:
    code = ord(character)
    if cluster.endswith(_JOINER) or character == _JOINER:
        return True
    if unicodedata.category(character) in {"Mn", "Me", "Mc"} or code in _SKIN_TONES:
        return True
    if code in _FLAG_TAGS or code in _HANGUL_PARTS:
        return True
    return code in _FLAG_LETTERS and len(cluster) == 1 and ord(cluster) in _FLAG_LETTERS


def clean_name(name: str) -> str:
    """A display name on one line without controls or direction marks, at most 64 graphemes; may be empty."""
    text = clean_text(name)
    # Names are looked at with every update: most have nothing to take away, and are short enough whatever they hold.
    kept = text if text.isprintable() else _without_controls(text)
    line = " ".join(kept.split())
    return line if len(line) <= NAME_GRAPHEMES else "".join(graphemes(line)[:NAME_GRAPHEMES]).rstrip()


def _without_controls(text: str) -> str:
    return "".join(
        " " if character.isspace() else character
        for character in text
        if ord(character) not in _DIRECTION_AND_ZERO_WIDTH
        and (character.isspace() or unicodedata.category(character) not in {"Cc", "Cs", "Co", "Cn"})
    )


def counted(number: int, word: str) -> str:
    """An English number with its word: `1 point`, `5 points`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
