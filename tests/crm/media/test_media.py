"""Pictures are drawn anew, whatever was in the file; what is no picture is refused."""

import asyncio
import io
import struct
import zlib
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.kit.errors import InvalidError
from crm.media import service
from crm.media.errors import MediaNotFoundError, NotAPictureError, PictureTooLargeError
from crm.media.policy import MAX_BYTES, MAX_SIDE, redraw

SECRET = b"latitude 30.27 longitude 120.15"


def _picture(kind: str = "PNG", size: tuple[int, int] = (4, 3), mode: str = "RGB", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, **({"color": more.pop("color")} if "color" in more else {})).save(out, kind, **more)
    return out.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _claims(width: int, height: int) -> bytes:
    """A small file that says that it is a large picture."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\x00" * 1000)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


SAMPLES = {kind: _picture(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")}


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_kind_is_drawn_anew(kind: str) -> None:
    drawn = redraw(SAMPLES[kind])
    assert (drawn.width, drawn.height) == (4, 3)
    assert drawn.content_type in {"image/png", "image/jpeg"}
    with Image.open(io.BytesIO(drawn.data)) as again:
        assert again.get_format_mimetype() == drawn.content_type


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_each_mode_is_drawn(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    drawn = redraw(_picture(kind, mode=mode))
    assert drawn.content_type == ("image/png" if mode in {"LA", "RGBA"} else "image/jpeg")


def test_nothing_rides_along() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SECRET.decode())
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    files = [
        _picture("PNG", pnginfo=notes, exif=exif, icc_profile=SECRET),
        _picture("PNG", mode="RGBA", pnginfo=notes, exif=exif, icc_profile=SECRET),
        _picture("JPEG", comment=SECRET, exif=exif, icc_profile=SECRET),
        _picture("WEBP", exif=exif, xmp=SECRET, icc_profile=SECRET),
        _picture("GIF", comment=SECRET),
        _picture("JPEG") + b"<script>" + SECRET,
    ]
    for data in files:
        assert SECRET in data or zlib.compress(SECRET)[2:10] in data
        drawn = redraw(data)
        assert SECRET not in drawn.data
        assert b"<script>" not in drawn.data
        with Image.open(io.BytesIO(drawn.data)) as again:
            assert not {"icc_profile", "exif", "comment", "Comment", "xmp"} & set(again.info)


def test_a_turned_photo_is_stored_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn = redraw(_picture("JPEG", size=(40, 30), exif=exif))
    assert (drawn.width, drawn.height) == (30, 40)


def test_a_large_picture_is_made_smaller() -> None:
    drawn = redraw(_picture("JPEG", size=(5000, 100)))
    assert (drawn.width, drawn.height) == (MAX_SIDE, 51)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"<svg onload=alert(1)>", b"%PDF-1.7", b"\x00" * 1000, SAMPLES["PNG"][:40]]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NotAPictureError):
        redraw(data)


def test_kinds_that_are_not_wanted_are_refused() -> None:
    for kind in ("BMP", "TIFF", "PPM", "ICO"):
        with pytest.raises(NotAPictureError):
            redraw(_picture(kind, size=(16, 16)))


def test_what_is_too_large_is_refused_before_it_is_unpacked() -> None:
    for data in (b"\x89PNG" + b"\x00" * MAX_BYTES, _claims(20_000, 20_000), _claims(2**31 - 1, 2**31 - 1)):
        with pytest.raises((PictureTooLargeError, NotAPictureError)):
            redraw(data)
    with pytest.raises(PictureTooLargeError):
        redraw(_claims(8000, 6000))


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(sorted(SAMPLES)), place=st.integers(0, 10_000), noise=st.binary(max_size=6), cut=st.booleans()
)
def test_broken_pictures_are_drawn_or_refused(kind: str, place: int, noise: bytes, cut: bool) -> None:
    data = SAMPLES[kind]
    place %= len(data)
    broken = data[:place] + noise + (b"" if cut else data[place + len(noise) :])
    try:
        drawn = redraw(broken)
    except InvalidError:
        return
    assert drawn.data


async def test_the_same_picture_is_stored_once(session: AsyncSession) -> None:
    first = await service.store_image(session, SAMPLES["PNG"])
    assert await service.store_image(session, SAMPLES["PNG"]) == first == await service.get(session, first.id)
    content_type, data = await service.read(session, first.id)
    assert (content_type, len(data)) == (first.content_type, first.size)
    other = await service.store_image(session, _picture(color="red"))
    assert other.id != first.id
    for find in (service.get, service.read):
        with pytest.raises(MediaNotFoundError):
            await find(session, uuid4())


async def test_uploads_side_by_side_are_one_picture(committed_sessions: Sessions) -> None:
    async def store() -> Any:
        async with committed_sessions.begin() as session:
            return (await service.store_image(session, SAMPLES["GIF"])).id

    assert len(set(await asyncio.gather(*(store() for _ in range(6))))) == 1
    async with committed_sessions.begin() as session:
        assert (await session.execute(text("SELECT count(*) FROM media"))).scalar_one() == 1


async def test_handles_of_channels_are_kept_per_bot(session: AsyncSession) -> None:
    picture = await service.store_image(session, SAMPLES["PNG"])
    assert await service.channel_file(session, 1, picture.id) is None
    await service.remember_channel_file(session, 1, picture.id, "old")
    await service.remember_channel_file(session, 1, picture.id, "new")
    await service.remember_channel_file(session, 2, picture.id, "other")
    assert await service.channel_file(session, 1, picture.id) == "new"
    await service.forget_channel_file(session, 1, picture.id)
    assert await service.channel_file(session, 1, picture.id) is None
    assert await service.channel_file(session, 2, picture.id) == "other"
