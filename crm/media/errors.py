"""What can be wrong with a picture."""

from crm.kit.errors import InvalidError, NotFoundError


class MediaNotFoundError(NotFoundError):
    """There is no such picture."""


class NotAPictureError(InvalidError):
    """This is not a picture that Siyu can read; use PNG, JPEG, WebP or GIF."""


class PictureTooLargeError(InvalidError):
    """The picture is too large: at most 10 MB and 40 million pixels."""
