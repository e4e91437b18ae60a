"""Starting, recognising and ending the server processes that belong to a data folder."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedServerError
from .privileges import Account

_SERVER_NAMES = ("postgres", "valkey-server", "redis-server")
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_LARGEST_LOG = 10_000_000  # bytes
_LAST_LINES = 6


@dataclass
class ServerProcess:
    """A server of ours: started by this process (`child`), or found running and taken over."""

    pid: int
    folder: Path
    account: Account
    child: subprocess.Popen[bytes] | None = None

    def is_alive(self) -> bool:
        """Whether it still runs; a process that merely took over its number does not count."""
        if self.child is not None:
            return self.child.poll() is None
        return is_server_process(self.pid, self.folder, self.account)

    async def end(self, signals: Iterable[signal.Signals], patience: float = 30.0) -> None:
        """Send each signal in turn until it has ended, waiting `patience` seconds after each."""
        for number in signals:
            if not self.is_alive():
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            if await self.wait(patience):
                return
        raise EmbeddedServerError(f"The server process {self.pid} does not end. Kill it by hand.")

    async def wait(self, patience: float) -> bool:
        """Wait at most `patience` seconds for it to end; returns whether it did."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self.is_alive():  # noqa: ASYNC110  a foreign process announces nothing
                    await asyncio.sleep(0.02)
        return not self.is_alive()


def launch(
    command: Sequence[str | Path], folder: Path, account: Account, log: Path, stdin: bytes = b""
) -> ServerProcess:
    """Start a server in `folder` as `account`, away from this terminal's signals.

    It inherits none of Siyu's environment, where secrets may be.
    """
    _rotate(log)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        child = subprocess.Popen(  # noqa: S603  our own command, no shell
            command,
            cwd=folder,
            env=server_environment(),
            stdin=subprocess.PIPE,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            umask=0o077,
            user=account.uid if account.is_other else None,
            group=account.gid if account.is_other else None,
            extra_groups=[] if account.is_other else None,
        )
    except OSError as error:
        raise EmbeddedServerError(f"{command[0]} cannot be started: {error.strerror}.") from error
    finally:
        os.close(descriptor)
    if child.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(stdin)
            child.stdin.close()
    return ServerProcess(child.pid, folder, account, child)


def run_tool(command: Sequence[str | Path], folder: Path, account: Account) -> str:
    """Run a server's own tool to its end as `account`; returns what it complained of, or ""."""
    try:
        result = subprocess.run(  # noqa: S603  our own command, no shell
            command,
            check=False,
            cwd=folder,
            env=server_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            start_new_session=True,
            umask=0o077,
            user=account.uid if account.is_other else None,
            group=account.gid if account.is_other else None,
            extra_groups=[] if account.is_other else None,
        )
    except OSError as error:
        return f"{command[0]} cannot be started: {error.strerror}"
    if result.returncode == 0:
        return ""
    return result.stderr.strip() or f"{command[0]} ended with status {result.returncode}"


def server_environment() -> dict[str, str]:
    """The few variables that a server needs; messages in English, so that they can be judged."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C"}


def is_server_process(pid: int, folder: Path, account: Account) -> bool:
    """Whether process `pid` is a server of `account` at work in `folder`.

    A number left over from before a crash may belong to anything by now; both servers change
    into their data folder, which tells them apart where the system shows it.
    """
    if pid <= 1:
        return False
    details = Path("/proc", str(pid))
    if not Path("/proc/self/cwd").exists():
        return _is_server_by_name(pid, account)
    try:
        uid_line = next(line for line in (details / "status").read_text().splitlines() if line[:4] == "Uid:")
        return (details / "cwd").readlink() == folder and int(uid_line.split()[1]) == account.uid
    except (OSError, StopIteration):
        return False


def free_port(preferred: int = 0) -> int:
    """A TCP port on 127.0.0.1 that is free now; the preferred one if it is."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise EmbeddedServerError("No TCP port is free on 127.0.0.1.")


def log_size(log: Path) -> int:
    """How long the log is now, in bytes."""
    return log.stat().st_size if log.exists() else 0


def log_tail(log: Path, offset: int) -> str:
    """The last lines that were added to `log` since it was `offset` bytes long."""
    with log.open("rb") as file:
        file.seek(min(offset, log_size(log)))
        text = file.read()[-20_000:].decode(errors="replace")
    return "\n".join(text.strip().splitlines()[-_LAST_LINES:])


def _is_server_by_name(pid: int, account: Account) -> bool:
    answer = subprocess.run(  # noqa: S603  a number is all that varies
        ["ps", "-o", "uid=,comm=", "-p", str(pid)],  # noqa: S607  it lies elsewhere on each system
        check=False,
        capture_output=True,
        text=True,
    )
    uid, _, command = answer.stdout.strip().partition(" ")
    return uid == str(account.uid) and Path(command.strip()).name in _SERVER_NAMES


def _rotate(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.lstat().st_size > _LARGEST_LOG:
            log.replace(log.with_name(f"{log.name}.1"))
