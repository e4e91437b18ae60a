"""An embedded Valkey server: for what Siyu can rebuild, found again after Siyu was killed.

Who may use it is proven by its password alone, which never appears on a command line: the
server reads its settings from standard input.
"""

import asyncio
import contextlib
import os
import signal
from dataclasses import replace
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from .binaries import find_valkey
from .errors import EmbeddedServerError
from .lockfile import FolderLock
from .privileges import (
    Account,
    check_home,
    create_home,
    install,
    prepare_data_folder,
    server_account,
)
from .process import ServerProcess, free_port, is_server_process, launch, log_size, log_tail
from .record import ServerRecord, new_password, read_record, write_record
from .server import EmbeddedServer, Place, RunningServer

RECORD_NAME = "valkey.json"
_LOG_NAME = "valkey.log"
_LOCK_NAME = "valkey.lock"
_FOLDER = "valkey"
_START_PATIENCE = 30.0  # seconds
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGKILL)
_START_TRIES = 3  # a free port may be taken by others before the server binds it
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
dbfilename dump.rdb
save 60 1
appendonly no
stop-writes-on-bgsave-error no
maxmemory 512mb
maxmemory-policy volatile-lru
"""


async def start_valkey(data_dir: Path) -> EmbeddedServer:
    """Start the server that belongs to `data_dir`, or take over the one a killed Siyu left.

    Raises EmbeddedServerError with the remedy in its message.
    """
    data_dir = prepare_data_folder(data_dir)
    lock = FolderLock(data_dir / _LOCK_NAME, "Valkey")
    try:
        account = server_account()
        record = _open_record(data_dir, account)
        folder = Path(record.home) / _FOLDER
        process = await _take_over(record, folder, account)
        if process is None:
            record, process = await _launch(record, folder, account, data_dir / _LOG_NAME)
        try:
            record = replace(record, pid=process.pid, initialised=True)
            write_record(data_dir / RECORD_NAME, record)
        except BaseException:
            await process.end(_STOP_SIGNALS)
            raise
        place = Place(data_dir, RECORD_NAME, Path(record.home), _FOLDER, _STOP_SIGNALS)
        return EmbeddedServer(_running(record), process, place, lock)
    except BaseException:
        lock.release()
        raise


def find_running_valkey(data_dir: Path) -> RunningServer | None:
    """The server of `data_dir` that another process has started, or None when none runs."""
    record = read_record(data_dir.expanduser().resolve() / RECORD_NAME)
    if record is None:
        return None
    if not is_server_process(record.pid, Path(record.home) / _FOLDER, server_account()):
        return None
    return _running(record)


def _running(record: ServerRecord) -> RunningServer:
    url = f"redis://:{record.password}@127.0.0.1:{record.port}/0"
    return RunningServer(url, record.pid, record.port)


def _open_record(data_dir: Path, account: Account) -> ServerRecord:
    path = data_dir / RECORD_NAME
    record = read_record(path)
    if record is not None and Path(record.home).exists():
        check_home(Path(record.home), account, data_dir, path)
        return record
    # All of it can be rebuilt, so that a vanished folder is no loss.
    record = ServerRecord(str(create_home(account, data_dir)), new_password())
    write_record(path, record)
    return record


async def _take_over(record: ServerRecord, folder: Path, account: Account) -> ServerProcess | None:
    process = ServerProcess(record.pid, folder, account)
    if not process.is_alive():
        return None
    if await _server_pid(record) == record.pid:
        return process
    await process.end(_STOP_SIGNALS, patience=5)
    return None


async def _launch(
    record: ServerRecord, folder: Path, account: Account, log: Path
) -> tuple[ServerRecord, ServerProcess]:
    binary = await asyncio.to_thread(_prepare, Path(record.home), account)
    reason = ""
    for _ in range(_START_TRIES):
        record = replace(record, port=free_port(record.port))
        offset = log_size(log)
        settings = _CONFIGURATION.format(port=record.port, password=record.password, folder=folder)
        process = launch([binary, "-"], folder, account, log, settings.encode())
        try:
            if await _is_ready(process, record):
                return record, process
        except BaseException:
            await process.end(_STOP_SIGNALS)
            raise
        reason = log_tail(log, offset)
        if "in use" not in reason:
            break
    raise EmbeddedServerError(f"Valkey did not start. Its log {log} says:\n{reason}")


def _prepare(home: Path, account: Account) -> Path:
    """The binary, copied where the account reaches it, and the folder that it works in."""
    binary, label = find_valkey()
    folder = home / _FOLDER
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if account.is_other:
            os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    if account.is_other and label:
        return install([binary], home, account, label) / binary.name
    return binary


async def _is_ready(process: ServerProcess, record: ServerRecord) -> bool:
    """Whether the server came to answer; False when it ended by itself instead."""
    try:
        async with asyncio.timeout(_START_PATIENCE):
            while process.is_alive():
                if await _server_pid(record) == process.pid:
                    return True
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise EmbeddedServerError(
            f"Valkey is still not ready after {_START_PATIENCE:.0f} s. Look at its log."
        ) from None
    return False


async def _server_pid(record: ServerRecord) -> int | None:
    """The process number that the server on the recorded port tells to whom it knows."""
    client = Redis(host="127.0.0.1", port=record.port, password=record.password, socket_timeout=2)
    try:
        answer = await client.info("server")
        return int(answer["process_id"])
    except (RedisError, OSError, KeyError):
        return None
    finally:
        with contextlib.suppress(RedisError, OSError):
            await client.aclose()
