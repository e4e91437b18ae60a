"""Drawing a poster: the brand, a headline, who invites, and the link as a QR code. Pure: bytes in, PNG out."""

import unicodedata
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from crm.kit.resources import TEMPLATES
from crm.referrals.errors import PosterUnavailable

FONT = TEMPLATES / "fonts" / "NotoSansCJK-Regular.otf"
"""Copied there by the build of the assets."""
WIDTH, HEIGHT = 900, 1350
_LOOK = 1
"""Counts up when posters come to look otherwise, so that those drawn before are drawn anew."""
_PAPER, _INK, _SEAL, _FAINT = "#faf7f2", "#2b2320", "#9b2d30", "#8a7f78"
_MARGIN, _BAND, _CODE_SIDE = 70, 190, 520
_MOST_LINES = 3
_SMALLEST = 18
"""The least size of letters that can be read."""


@dataclass(frozen=True)
class Poster:
    """Everything that is on it, in the language in which it is read."""

    brand: str
    headline: str
    inviter: str
    """A line such as `Li Hua invites you`."""
    hint: str
    """What to do with the code."""
    url: str

    @property
    def digest(self) -> str:
        """Equal for posters that look the same."""
        return sha256("\0".join((str(_LOOK), *astuple(self))).encode()).hexdigest()


@dataclass(frozen=True)
class _Brush:
    """A font in one size and colour."""

    font: Path
    size: int
    colour: str

    @property
    def face(self) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(str(self.font), self.size)

    @property
    def leading(self) -> int:
        return int(self.size * 1.35)


def draw(poster: Poster, font: Path = FONT) -> bytes:
    """The poster as PNG of 900 by 1350 pixels. Slow: call it in a thread. Raises PosterUnavailable without a font."""
    if not font.is_file():
        raise PosterUnavailable
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    canvas = ImageDraw.Draw(image)
    canvas.rectangle((0, 0, WIDTH, _BAND), fill=_SEAL)
    _line(canvas, _Brush(font, 64, _PAPER), poster.brand, _BAND // 2)
    below = _paragraph(canvas, _Brush(font, 62, _INK), poster.headline, _BAND + 90)
    _line(canvas, _Brush(font, 40, _FAINT), poster.inviter, below + 40)
    code = _code(poster.url)
    image.paste(code, ((WIDTH - code.width) // 2, HEIGHT - code.height - 150))
    _line(canvas, _Brush(font, 34, _FAINT), poster.hint, HEIGHT - 90)
    target = BytesIO()
    image.save(target, "PNG", optimize=True)
    return target.getvalue()


def _code(url: str) -> Image.Image:
    """The QR code in whole pixels a module, so that every screen and printer keeps it sharp."""
    made = segno.make(url, error="q", micro=False)
    scale = max(1, _CODE_SIDE // made.symbol_size(border=4)[0])
    target = BytesIO()
    made.save(target, kind="png", scale=scale, border=4)
    with Image.open(target) as image:
        return image.convert("RGB")


def _line(canvas: ImageDraw.ImageDraw, brush: _Brush, text: str, middle: int) -> None:
    """One line in the middle, smaller when it is too long."""
    shown, most = _printable(text), WIDTH - 2 * _MARGIN
    while brush.size > _SMALLEST and canvas.textlength(shown, brush.face) > most:
        brush = replace(brush, size=brush.size - 2)
    canvas.text((WIDTH // 2, middle), shown, brush.colour, brush.face, anchor="mm")


def _paragraph(canvas: ImageDraw.ImageDraw, brush: _Brush, text: str, top: int) -> int:
    """At most three lines, broken at spaces or between Chinese characters; answers where they end."""
    face = brush.face
    lines = wrap(_printable(text), lambda part: canvas.textlength(part, face), WIDTH - 2 * _MARGIN)[:_MOST_LINES]
    for number, line in enumerate(lines):
        canvas.text((WIDTH // 2, top + number * brush.leading), line, brush.colour, face, anchor="mm")
    return top + len(lines) * brush.leading


def wrap(text: str, width: Callable[[str], float], most: float) -> list[str]:
    """`text` in lines that are at most `most` wide; a piece that is wider stands alone and is cut by the edge."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and width((line + piece).rstrip()) > most:
            lines.append(line.strip())
            line = ""
        line += piece
    return [*lines, line.strip()] if line.strip() else lines


def _pieces(text: str) -> list[str]:
    """Words with the space behind them; wide characters one by one."""
    pieces: list[str] = [""]
    for character in text:
        is_wide = unicodedata.east_asian_width(character) in "WF"
        if is_wide or pieces[-1].endswith(" "):
            pieces.append(character)
        else:
            pieces[-1] += character
    return [piece for piece in pieces if piece]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
