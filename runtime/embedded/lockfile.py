"""One owner per data folder: an advisory lock that dies with its process."""

import contextlib
import fcntl
import os
from pathlib import Path

from .errors import EmbeddedServerError


class FolderLock:
    """Holds `path` for this process until released; a kill releases it as well.

    Raises EmbeddedServerError when another process holds it.
    """

    def __init__(self, path: Path, server: str) -> None:
        self._descriptor: int | None = _open(path)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 20, 0).decode(errors="replace").strip()
            self.release()
            who = f" (process {holder})" if holder.isdigit() else ""
            raise EmbeddedServerError(
                f"Another Siyu{who} already runs {server} on the data folder {path.parent}. "
                "Stop it first, or choose another folder with SIYU_DATA_DIR."
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the folder go; releasing twice is harmless."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EmbeddedServerError(
            f"The lock file {path} cannot be opened ({error.strerror}). "
            "Run Siyu as the user who owns the data folder, or set SIYU_DATA_DIR."
        ) from error
