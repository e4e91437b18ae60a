"""An embedded PostgreSQL server: made at the first start, found again and stopped cleanly later.

The server lives in its own session, so that Ctrl-C in a terminal reaches Siyu alone, which then
stops it in order. Should Siyu be killed, the server lives on and the next start takes it over.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .cluster import DATABASE, FOLDER, OWNER, read_pid_file
from .errors import EmbeddedServerError
from .lockfile import FolderLock
from .postmaster import STOP_SIGNALS, Starter
from .privileges import Account, check_home, create_home, prepare_data_folder, server_account
from .process import is_server_process
from .record import ServerRecord, new_password, read_record, write_record
from .server import EmbeddedServer, Place, RunningServer
from .settings import server_settings

RECORD_NAME = "postgres.json"
_LOG_NAME = "postgres.log"
_LOCK_NAME = "postgres.lock"


async def start_postgres(data_dir: Path, *, settings: Mapping[str, str] | None = None) -> EmbeddedServer:
    """Start the server that belongs to `data_dir`, making its cluster at the first time.

    `settings` override PostgreSQL's own, such as `fsync` in tests. A server that outlived a
    killed Siyu is taken over. Raises EmbeddedServerError with the remedy in its message.
    """
    wanted = server_settings(settings or {})
    data_dir = prepare_data_folder(data_dir)
    lock = FolderLock(data_dir / _LOCK_NAME, "PostgreSQL")
    try:
        account = server_account()
        record = _open_record(data_dir, account)
        record, process = await Starter(account, wanted, data_dir / _LOG_NAME).start(record)
        try:
            write_record(data_dir / RECORD_NAME, record)
        except BaseException:
            await process.end(STOP_SIGNALS)
            raise
        place = Place(data_dir, RECORD_NAME, Path(record.home), FOLDER, STOP_SIGNALS)
        return EmbeddedServer(_running(record, process.pid), process, place, lock)
    except BaseException:
        lock.release()
        raise


def find_running_postgres(data_dir: Path) -> RunningServer | None:
    """The server of `data_dir` that another process has started, or None when none runs.

    For commands that work beside a running Siyu; it is not theirs to stop.
    """
    record = read_record(data_dir.expanduser().resolve() / RECORD_NAME)
    if record is None or not record.initialised:
        return None
    cluster = Path(record.home) / FOLDER
    state = read_pid_file(cluster)
    if state is None or not state[1] or not is_server_process(state[0], cluster, server_account()):
        return None
    return _running(replace(record, port=state[1]), state[0])


def _running(record: ServerRecord, pid: int) -> RunningServer:
    address = f"{OWNER}:{record.password}@127.0.0.1:{record.port}"
    return RunningServer(f"postgresql://{address}/{DATABASE}", pid, record.port)


def _open_record(data_dir: Path, account: Account) -> ServerRecord:
    path = data_dir / RECORD_NAME
    record = read_record(path)
    if record is None:
        if (data_dir / FOLDER).exists():
            raise EmbeddedServerError(
                f"{data_dir / FOLDER} holds a database, but {path} with its password is missing. "
                f"Restore it from a backup, or move {data_dir / FOLDER} away to start empty."
            )
        home = create_home(account, data_dir)
        record = ServerRecord(str(home), new_password(), admin_password=new_password())
        write_record(path, record)
        return record
    check_home(Path(record.home), account, data_dir, path)
    if record.initialised and not (Path(record.home) / FOLDER / "PG_VERSION").exists():
        raise EmbeddedServerError(
            f"The database cluster in {record.home} is gone. Restore it from a backup, or delete "
            f"{path} to start with an empty database."
        )
    return record
