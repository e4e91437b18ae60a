"""Uploads: only pictures, never too large ones, and always drawn anew."""

import io
import struct
import zipfile
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sqlalchemy.ext.asyncio import AsyncSession

from crm.media import service
from crm.media.errors import NotAPictureError, PictureTooLargeError
from crm.media.policy import MAX_BYTES, MAX_SIDE, redraw

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def _picture(kind: str, size: tuple[int, int] = (40, 20), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red").save(out, kind)
    return out.getvalue()


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", bytes(50_000_000))
    return out.getvalue()


def _pixel_bomb(side: int) -> bytes:
    """A PNG of some hundred bytes that says it is `side` pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_pictures_are_drawn_anew(kind: str) -> None:
    drawn = redraw(_picture(kind))
    assert drawn.content_type in {"image/png", "image/jpeg"}
    with Image.open(io.BytesIO(drawn.data)) as opened:
        assert opened.size == (drawn.width, drawn.height) == (40, 20)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        SVG,
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.7",
        _zip_bomb(),
        _picture("TIFF"),
        _picture("BMP"),
        _picture("PNG")[:60],
    ],
    ids=["empty", "cut", "svg", "html", "pdf", "zip bomb", "tiff", "bmp", "half"],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NotAPictureError):
        redraw(data)


@pytest.mark.parametrize("side", [7_000, 20_000, 60_000])
def test_pixel_bombs_are_refused_before_they_are_unpacked(side: int) -> None:
    bomb = _pixel_bomb(side)
    assert len(bomb) < 1000
    with pytest.raises(PictureTooLargeError):
        redraw(bomb)


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(PictureTooLargeError):
        redraw(_picture("PNG") + bytes(MAX_BYTES))


def test_nothing_rides_along() -> None:
    notes = PngInfo()
    notes.add_text("Comment", "<script>alert(1)</script>")
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "GPS of somebody's home"
    Image.new("RGBA", (10, 10), "red").save(out, "PNG", pnginfo=notes, exif=exif)
    drawn = redraw(out.getvalue() + SVG)
    assert b"script" not in drawn.data
    assert b"GPS" not in drawn.data
    with Image.open(io.BytesIO(drawn.data)) as opened:
        assert not opened.getexif()
        assert not opened.info


def test_large_ones_are_scaled() -> None:
    drawn = redraw(_picture("JPEG", (4000, 1000)))
    assert (drawn.width, drawn.height) == (MAX_SIDE, MAX_SIDE // 4)


async def test_what_is_kept_is_the_drawn_one(session: AsyncSession) -> None:
    media = await service.store_image(session, _picture("WEBP"))
    content_type, data = await service.read(session, media.id)
    assert content_type == media.content_type == "image/jpeg"
    assert data.startswith(b"\xff\xd8")
