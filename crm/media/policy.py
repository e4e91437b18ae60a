"""Re-encoding of uploaded pictures: what is stored was drawn by us, so nothing else rides along."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from crm.media.errors import NotAPictureError, PictureTooLargeError

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE = 2560
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


@dataclass(frozen=True)
class Drawn:
    """A re-encoded picture."""

    data: bytes
    content_type: str
    width: int
    height: int


def redraw(data: bytes) -> Drawn:
    """`data` decoded, turned upright, scaled to 2560 pixels at most, and encoded anew without metadata.

    Raises NotAPictureError or PictureTooLargeError.
    """
    if len(data) > MAX_BYTES:
        raise PictureTooLargeError
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise PictureTooLargeError
                picture = ImageOps.exif_transpose(opened)
                picture.thumbnail((MAX_SIDE, MAX_SIDE))
                return _encode(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLargeError from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise NotAPictureError from error


def _encode(picture: Image.Image) -> Drawn:
    is_transparent = picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info
    plain = picture.convert("RGBA" if is_transparent else "RGB")
    plain.info.clear()  # comments and colour profiles would be written along
    out = io.BytesIO()
    if is_transparent:
        plain.save(out, "PNG", optimize=True)
    else:
        plain.save(out, "JPEG", quality=88, optimize=True)
    return Drawn(out.getvalue(), "image/png" if is_transparent else "image/jpeg", plain.width, plain.height)
