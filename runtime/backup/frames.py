"""The sealed file: AES-256-GCM in frames of at most a mebibyte, so that files of any size need little memory.

Every file has a key of its own, derived from the deployment's secret and a random salt, so the number of the frame
can be its nonce. The nonce also says which frame is the last: what was cut off, changed, moved or added is noticed.
"""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crm.kit.crypto import Vault

from .errors import BackupDamaged, BackupProblem

MAGIC = b"SIYU-BACKUP-1\n"
FRAME_BYTES = 1024 * 1024
_PURPOSE = "siyu backup"
_SALT, _CHECK, _TAG = 16, 8, 16
_LENGTH = struct.Struct(">I")
_NONCE = struct.Struct(">Q3x?")


class Part(IntEnum):
    """What a frame holds; the first byte of its content."""

    FACTS = 1
    DUMP = 2
    END = 3


def _check(key: bytes) -> bytes:
    return hmac.new(key, b"siyu backup check", hashlib.sha256).digest()[:_CHECK]


class SealedWriter:
    """Seals frames into a file, one after the other; `size` and `sha256` tell of the whole file."""

    def __init__(self, file: BinaryIO, vault: Vault) -> None:
        salt = secrets.token_bytes(_SALT)
        key = vault.file_keys(_PURPOSE, salt)[0]
        self._cipher, self._file, self._number = AESGCM(key), file, 0
        self._head = MAGIC + salt + _check(key)
        self._digest, self.size = hashlib.sha256(), 0
        self._put(self._head)

    def write(self, part: Part, data: bytes, *, is_last: bool = False) -> None:
        """Seal one frame of at most `FRAME_BYTES`."""
        nonce = _NONCE.pack(self._number, is_last)
        sealed = self._cipher.encrypt(nonce, bytes([part]) + data, self._head)
        self._number += 1
        self._put(_LENGTH.pack(len(sealed)) + sealed)

    @property
    def sha256(self) -> str:
        """Of everything that was written, in hex."""
        return self._digest.hexdigest()

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)


def read_frames(file: BinaryIO, vault: Vault) -> Iterator[tuple[Part, bytes]]:
    """The frames of a sealed file, each opened and checked before it is handed out.

    Raises BackupProblem for a file of another kind or another secret, BackupDamaged for one that was cut or changed;
    only after the last frame is it known that nothing is missing.
    """
    head = file.read(len(MAGIC) + _SALT + _CHECK)
    if not head.startswith(MAGIC):
        raise BackupProblem("This is no backup of Siyu; give the file that siyu backup wrote.")
    cipher = AESGCM(_key_of(head, vault))
    number, is_last = 0, False
    while not is_last:
        sealed = _sealed_frame(file)
        is_last = _is_at_end(file)
        try:
            plain = cipher.decrypt(_NONCE.pack(number, is_last), sealed, head)
        except InvalidTag:
            raise BackupDamaged(_DAMAGED) from None
        number += 1
        yield _part(plain), plain[1:]


_DAMAGED = "The backup was cut off or changed since it was written; use another copy of it."


def _key_of(head: bytes, vault: Vault) -> bytes:
    if len(head) < len(MAGIC) + _SALT + _CHECK:
        raise BackupDamaged(_DAMAGED)
    salt, check = head[len(MAGIC) : len(MAGIC) + _SALT], head[len(MAGIC) + _SALT :]
    for key in vault.file_keys(_PURPOSE, salt):
        if hmac.compare_digest(_check(key), check):
            return key
    raise BackupProblem(
        "The backup was made with another secret: set SIYU_SECRET_KEY to the one of that time, "
        "or add it to SIYU_SECRET_OLDER_KEYS."
    )


def _sealed_frame(file: BinaryIO) -> bytes:
    length = file.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        raise BackupDamaged(_DAMAGED)
    size = _LENGTH.unpack(length)[0]
    if not _TAG < size <= FRAME_BYTES + _TAG + 1:
        raise BackupDamaged(_DAMAGED)
    sealed = file.read(size)
    if len(sealed) < size:
        raise BackupDamaged(_DAMAGED)
    return sealed


def _is_at_end(file: BinaryIO) -> bool:
    here = file.tell()
    is_end = not file.read(1)
    file.seek(here)
    return is_end


def _part(plain: bytes) -> Part:
    try:
        return Part(plain[0])
    except (IndexError, ValueError):
        raise BackupDamaged(_DAMAGED) from None
