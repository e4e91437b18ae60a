"""Encryption of personal data at rest and blind indexes for exact look-ups.

AES-256-GCM with a random 96-bit nonce; what is encrypted is bound to its place by associated data
(`table.column:row`), so that a ciphertext copied to another row does not open there.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
KEY_ID_BYTES = 4
"""Of the key that sealed a value; every sealed value begins with them."""


class SealBrokenError(Exception):
    """A ciphertext does not open: another key, another row, or changed bytes."""


def _derive(secret: bytes, purpose: str) -> bytes:
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class _Key:
    id: bytes
    cipher: AESGCM


class Vault:
    """Seals and opens values under a secret; older secrets still open what they sealed."""

    def __init__(self, secret: bytes, *older: bytes) -> None:
        self._secrets = tuple(dict.fromkeys((secret, *older)))
        self._keys = [self._key(value) for value in self._secrets]
        self._index_keys = [_derive(value, "siyu blind index") for value in self._secrets]

    @staticmethod
    def _key(secret: bytes) -> _Key:
        key = _derive(secret, "siyu sealing")
        return _Key(hashlib.sha256(key).digest()[:KEY_ID_BYTES], AESGCM(key))

    @property
    def key_id(self) -> bytes:
        """What every value that is sealed now begins with."""
        return self._keys[0].id

    def knows(self, sealed: bytes) -> bool:
        """Whether one of the secrets in use sealed this."""
        return any(key.id == sealed[:KEY_ID_BYTES] for key in self._keys)

    def seal(self, plain: str | bytes, place: str) -> bytes:
        """Key id + nonce + ciphertext of `plain`, bound to `place` such as `members.phone:42`."""
        key = self._keys[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        data = plain.encode() if isinstance(plain, str) else plain
        return key.id + nonce + key.cipher.encrypt(nonce, data, place.encode())

    def open_bytes(self, sealed: bytes, place: str) -> bytes:
        """The plain bytes of what was sealed at `place`. Raises SealBrokenError."""
        key_id, rest = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES:]
        for key in self._keys:
            if key.id == key_id:
                try:
                    return key.cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], place.encode())
                except InvalidTag:
                    break
        message = f"a sealed value at {place} does not open with the keys in use"
        raise SealBrokenError(message)

    def open(self, sealed: bytes, place: str) -> str:
        """Like `open_bytes`, decoded as UTF-8."""
        return self.open_bytes(sealed, place).decode()

    def blind_index(self, value: str, purpose: str) -> bytes:
        """Keyed digest (32 bytes) of a normalised value under the newest secret: what is stored."""
        return self.blind_indexes(value, purpose)[0]

    def blind_indexes(self, value: str, purpose: str) -> tuple[bytes, ...]:
        """The digests under every secret in use, the newest first: what a look-up must ask for."""
        data = f"{purpose}:{value}".encode()
        return tuple(hmac.new(key, data, hashlib.sha256).digest() for key in self._index_keys)

    def sign(self, data: bytes, purpose: str) -> bytes:
        """Keyed signature (32 bytes) of `data`, e.g. of a checkpoint or a visitor token."""
        return hmac.new(_derive(self._secrets[0], purpose), data, hashlib.sha256).digest()

    def file_keys(self, purpose: str, salt: bytes) -> tuple[bytes, ...]:
        """Keys (32 bytes) for one file alone, told apart by its random `salt`: under every secret, the newest first."""
        return tuple(hmac.new(_derive(secret, purpose), salt, hashlib.sha256).digest() for secret in self._secrets)

    def is_newly_signed(self, data: bytes, purpose: str, signature: bytes) -> bool:
        """Whether `signature` was made over `data` by `sign` with the newest secret."""
        return hmac.compare_digest(self.sign(data, purpose), signature)

    def is_signed(self, data: bytes, purpose: str, signature: bytes) -> bool:
        """Whether `signature` was made over `data` by `sign` with one of the secrets in use."""
        made = (hmac.new(_derive(secret, purpose), data, hashlib.sha256).digest() for secret in self._secrets)
        return any(hmac.compare_digest(item, signature) for item in made)
