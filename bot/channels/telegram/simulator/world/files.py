"""Files and their names: one id per file, and one that only a single bot can use."""

import base64
import hashlib
import re
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path

from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.parameters import Upload

from .pictures import image_size

_PREFIX = b"\x53\x79"
_PLACE = struct.Struct(">2sQ12sB")
_KINDS = ("photo", "document", "sticker")


@dataclass(slots=True)
class StoredFile:
    """A file's description; its bytes lie in the file box."""

    unique_id: str
    kind: str
    name: str
    mime_type: str
    size: int
    width: int = 0
    height: int = 0

    @property
    def path(self) -> str:
        """The path under which a bot downloads it."""
        ending = Path(self.name).suffix if re.fullmatch(r"[\w.-]+", self.name) else ""
        return f"{self.kind}s/{self.unique_id}{ending}"


class FileBox:
    """The bytes of all files, in a folder or in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder / "files"
        self._memory: dict[str, bytes] = {}
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, unique_id: str, content: bytes) -> None:
        """Keep the bytes of a file."""
        if self._folder is None:
            self._memory[unique_id] = content
        else:
            (self._folder / unique_id).write_bytes(content)

    def read(self, unique_id: str) -> bytes | None:
        """The bytes of a file, or nothing when they are gone."""
        if self._folder is None:
            return self._memory.get(unique_id)
        place = self._folder / unique_id
        return place.read_bytes() if place.is_file() else None


def described(upload: Upload, kind: str) -> StoredFile:
    """Describe an upload; equal bytes of one kind get one unique id."""
    digest = hashlib.sha256(kind.encode() + b"\0" + upload.content).digest()[:12]
    size = image_size(upload.content) or (0, 0)
    return StoredFile(
        unique_id=base64.urlsafe_b64encode(digest).decode(),
        kind=kind,
        name=Path(upload.name).name or kind,
        mime_type=upload.mime_type,
        size=len(upload.content),
        width=size[0],
        height=size[1],
    )


def file_id(bot_id: int, file: StoredFile) -> str:
    """The id with which this bot, and no other, can use the file."""
    digest = base64.urlsafe_b64decode(file.unique_id)
    packed = _PLACE.pack(_PREFIX, bot_id, digest, _KINDS.index(file.kind))
    return base64.urlsafe_b64encode(packed + secrets.token_bytes(1)).decode().rstrip("=")


def unique_id_of(bot_id: int, given: str) -> str:
    """The file behind a file id; raises a 400 when it is not an id of this bot."""
    try:
        packed = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
        prefix, owner, digest, _ = _PLACE.unpack(packed[:-1])
    except (ValueError, struct.error):
        raise bad_request("wrong file identifier/HTTP URL specified") from None
    if prefix != _PREFIX or owner != bot_id:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return base64.urlsafe_b64encode(digest).decode()
