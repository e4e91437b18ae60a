"""The sealed file tells every change, whatever was done to it."""

import io

import pytest

from crm.kit.crypto import Vault
from runtime.backup.errors import BackupDamaged, BackupProblem
from runtime.backup.frames import MAGIC, Part, SealedWriter, read_frames

VAULT = Vault(b"a secret that only tests know, 32+")
PARTS = [(Part.FACTS, b"{}"), (Part.DUMP, b"x" * 1000), (Part.DUMP, b"y" * 1000), (Part.END, b"end")]


def _sealed(vault: Vault = VAULT) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, vault)
    for number, (part, data) in enumerate(PARTS):
        writer.write(part, data, is_last=number == len(PARTS) - 1)
    assert writer.size == len(file.getvalue())
    return file.getvalue()


def _read(data: bytes, vault: Vault = VAULT) -> list[tuple[Part, bytes]]:
    return list(read_frames(io.BytesIO(data), vault))


def test_what_was_written_is_read() -> None:
    assert _read(_sealed()) == PARTS
    assert b"xxxx" not in _sealed()
    assert _sealed() != _sealed(), "each file has a key of its own"


def test_an_older_secret_opens_it_and_another_does_not() -> None:
    data = _sealed()
    assert _read(data, Vault(b"a newer secret of the deployment, 32+", b"a secret that only tests know, 32+")) == PARTS
    with pytest.raises(BackupProblem, match="SIYU_SECRET_OLDER_KEYS"):
        _read(data, Vault(b"quite another secret of someone, 32+"))


def test_another_file_is_told_apart() -> None:
    for data in (b"", b"PGDMP", MAGIC[:-1], b"\0" * 100):
        with pytest.raises(BackupProblem, match="no backup of Siyu"):
            _read(data)


def test_a_cut_is_noticed_wherever_it_is() -> None:
    data = _sealed()
    for length in range(len(MAGIC), len(data), 7):
        with pytest.raises(BackupDamaged, match="cut off or changed"):
            _read(data[:length])


def test_a_changed_byte_is_noticed_wherever_it_is() -> None:
    data = _sealed()
    for place in range(len(MAGIC), len(data), 11):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(BackupProblem):
            _read(bytes(changed))


def test_more_behind_the_end_is_noticed() -> None:
    with pytest.raises(BackupDamaged):
        _read(_sealed() + b"\0")


def test_frames_cannot_change_places_or_vanish() -> None:
    data, starts = _sealed(), []
    place = len(MAGIC) + 24
    while place < len(data):
        starts.append(place)
        place += 4 + int.from_bytes(data[place : place + 4], "big")
    frames = [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
    head = data[: starts[0]]
    for order in ([0, 2, 1, 3], [0, 1, 3], [1, 2, 3], [0, 1, 2], [0, 1, 1, 2, 3]):
        with pytest.raises(BackupDamaged):
            _read(head + b"".join(frames[number] for number in order))
