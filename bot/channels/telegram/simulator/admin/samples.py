"""Sample files for people who have none at hand: a picture, a sticker, a text."""

import struct
import zlib

from bot.channels.telegram.simulator.parameters import Upload

_SIZE = 256


def sample_upload(kind: str, label: str = "") -> Upload:
    """A small file of this kind; a sticker's label is its emoji."""
    match kind:
        case "photo":
            return Upload("sunset.png", "image/png", _gradient((255, 176, 92), (94, 84, 190)))
        case "sticker":
            picture = _gradient((120, 220, 180), (60, 140, 230))
            emoji = label or "🙂"
            return Upload(emoji, "image/png", picture + emoji.encode())
        case _:
            return Upload(label or "note.txt", "text/plain", b"A note from a pretend user.\n")


def _gradient(top: tuple[int, int, int], bottom: tuple[int, int, int]) -> bytes:
    """A PNG whose colour runs from top to bottom."""
    rows = bytearray()
    for row in range(_SIZE):
        share = row / (_SIZE - 1)
        mixed = (round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True))
        rows += b"\0" + bytes(mixed) * _SIZE
    header = struct.pack(">IIBBBBB", _SIZE, _SIZE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
