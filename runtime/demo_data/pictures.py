"""Small pictures of what the demo shop gives for points, drawn when they are needed."""

from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageDraw

_SIZE = (480, 360)
_SMOOTH = 2
"""Drawn twice as large and made smaller, so that edges are soft."""
_PAPER, _INK = (246, 243, 234), (38, 52, 47)
Draw = ImageDraw.ImageDraw
Colour = tuple[int, int, int]


def picture(shape: str, colour: Colour) -> bytes:
    """`cup`, `tin`, `gaiwan` or `ticket` in `colour`, as PNG."""
    width, height = (side * _SMOOTH for side in _SIZE)
    image = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.ellipse(_box(0.5, 0.86, 0.36, 0.05), fill=_mixed(_PAPER, _INK, 0.12))
    _SHAPES[shape](draw, colour)
    target = BytesIO()
    image.resize(_SIZE, Image.Resampling.LANCZOS).save(target, format="PNG", optimize=True)
    return target.getvalue()


def _box(middle_x: float, middle_y: float, half_width: float, half_height: float) -> tuple[float, float, float, float]:
    """A box by its middle and half its sides, as shares of the picture."""
    width, height = (side * _SMOOTH for side in _SIZE)
    left, top = (middle_x - half_width) * width, (middle_y - half_height) * height
    return left, top, left + 2 * half_width * width, top + 2 * half_height * height


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _cup(draw: Draw, colour: Colour) -> None:
    draw.ellipse(_box(0.72, 0.55, 0.09, 0.13), outline=colour, width=18 * _SMOOTH)
    draw.pieslice(_box(0.5, 0.45, 0.23, 0.4), 0, 180, fill=colour)
    draw.ellipse(_box(0.5, 0.45, 0.23, 0.06), fill=_mixed(colour, _INK, 0.35))
    for place in (0.43, 0.5, 0.57):
        draw.arc(_box(place, 0.22, 0.03, 0.11), 90, 270, fill=_mixed(_PAPER, _INK, 0.3), width=5 * _SMOOTH)


def _tin(draw: Draw, colour: Colour) -> None:
    draw.rounded_rectangle(_box(0.5, 0.54, 0.17, 0.32), radius=16 * _SMOOTH, fill=colour)
    draw.rounded_rectangle(_box(0.5, 0.2, 0.18, 0.07), radius=10 * _SMOOTH, fill=_mixed(colour, _INK, 0.3))
    draw.ellipse(_box(0.5, 0.56, 0.1, 0.14), fill=_PAPER)
    draw.pieslice(_box(0.5, 0.56, 0.06, 0.1), 210, 30, fill=colour)


def _gaiwan(draw: Draw, colour: Colour) -> None:
    draw.pieslice(_box(0.5, 0.46, 0.25, 0.36), 0, 180, fill=colour)
    draw.pieslice(_box(0.5, 0.44, 0.27, 0.2), 180, 360, fill=_mixed(colour, _PAPER, 0.35))
    draw.ellipse(_box(0.5, 0.22, 0.05, 0.04), fill=colour)
    draw.ellipse(_box(0.5, 0.84, 0.16, 0.03), fill=_mixed(colour, _INK, 0.25))


def _ticket(draw: Draw, colour: Colour) -> None:
    draw.rounded_rectangle(_box(0.5, 0.5, 0.36, 0.26), radius=22 * _SMOOTH, fill=colour)
    for side in (0.14, 0.86):
        draw.ellipse(_box(side, 0.5, 0.04, 0.055), fill=_PAPER)
    for step in range(7):
        draw.ellipse(_box(0.66, 0.29 + 0.07 * step, 0.007, 0.01), fill=_PAPER)
    draw.ellipse(_box(0.4, 0.5, 0.1, 0.14), outline=_PAPER, width=9 * _SMOOTH)


_SHAPES: dict[str, Callable[[Draw, Colour], None]] = {"cup": _cup, "tin": _tin, "gaiwan": _gaiwan, "ticket": _ticket}
