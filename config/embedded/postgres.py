"""The embedded PostgreSQL: initialise, start, wait for, stop."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from psycopg import sql

from config.embedded.errors import EmbeddedError
from config.embedded.places import Place, user_name

DATABASE = "switchyard"
ROLE = "switchyard"
PORT = 5432  # only the name of the socket file; nothing listens on TCP
PATIENCE = 900  # seconds; crash recovery replays the log since the last checkpoint
TRIES = 8  # starts, a second apart
NO_PROCESS = 99_999_999  # beyond every system's highest process id
SAY_AFTER = 5  # seconds of silence before we say what we wait for

CONFIGURATION = """\
# Written by config/embedded/postgres.py at every start; changes here are lost.
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
port = {port}
max_connections = 200
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
fsync = on
synchronous_commit = on
full_page_writes = on
wal_compression = on
max_wal_size = 2GB
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = 0  # containers often have a /dev/shm too small for parallel queries
timezone = 'UTC'
log_timezone = 'UTC'
default_text_search_config = 'pg_catalog.english'
log_line_prefix = '%m [%p] '
log_checkpoints = off
"""


def data_folder(place: Place) -> Path:
    return place.root / "postgres"


def log_file(place: Place) -> Path:
    return place.root / "postgres.log"


def answers(place: Place) -> bool:
    """Whether something listens on the socket; a server in recovery does already."""
    return socket_answers(place.sockets / f".s.PGSQL.{PORT}")


def socket_answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True


def start(place: Place) -> None:
    """Start the server where it does not run, and wait until the database `switchyard` takes queries.

    The caller holds the start lock of the home.
    """
    if not data_folder(place).exists():
        _initialise(place)
    if not answers(place):
        _clear_stale_files(place)
        _configure(place)
        _launch(place)
    _wait(place)
    _create_database(place)


def stop(place: Place) -> None:
    """Stop the server where it runs: fast and clean, or at once where a minute was not enough."""
    if _server_pid(place) is None:
        return
    done = place.run([*_pg_ctl(place), "stop", "-m", "fast", "-w", "-t", "60"])
    if done.returncode and _server_pid(place) is not None:
        place.run([*_pg_ctl(place), "stop", "-m", "immediate", "-w", "-t", "30"])


def connect(place: Place, *, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=str(place.sockets), port=PORT, user=ROLE, dbname=database, connect_timeout=10, autocommit=True
    )


def _pg_ctl(place: Place) -> list[str | Path]:
    return [place.postgres_bin / "pg_ctl", "-D", data_folder(place), "-s"]


def _initialise(place: Place) -> None:
    """Make the cluster beside its place, then rename it: half a cluster is never taken for a whole one."""
    scratch = place.root / "postgres.new"
    shutil.rmtree(scratch, ignore_errors=True)
    done = place.run(
        [place.postgres_bin / "initdb", "-D", scratch, "-U", ROLE, "-E", "UTF8", "--locale-provider=builtin",
         "--builtin-locale=C.UTF-8", "--locale=C", "--auth-local=peer", "--auth-host=reject"]
    )  # fmt: skip
    if done.returncode:
        raise EmbeddedError(f"initdb failed: {done.stdout.strip()}")
    scratch.rename(data_folder(place))


def _configure(place: Place) -> None:
    """Write the three configuration files.

    The kernel tells the server which operating-system user is at the other end of the socket (peer); only
    the one who owns the home is mapped to the role, so neither a password nor trust is needed.
    """
    owner = user_name(os.geteuid())
    _write(place, "postgresql.conf", CONFIGURATION.format(sockets=place.sockets, port=PORT))
    _write(place, "pg_hba.conf", "local all all peer map=switchyard\n")
    _write(place, "pg_ident.conf", f'switchyard "{owner}" {ROLE}\n')


def _write(place: Place, name: str, text: str) -> None:
    path = data_folder(place) / name
    path.write_text(text)
    path.chmod(0o600)
    if place.drops_root:
        os.chown(path, place.user.pw_uid, place.user.pw_gid)


def _launch(place: Place) -> None:
    """Start the server; after a crash its orphaned backends may need a moment to let go of the memory."""
    for attempt in range(TRIES):
        time.sleep(min(attempt, 1))
        done = place.run([*_pg_ctl(place), "start", "-w", "-t", str(PATIENCE), "-l", log_file(place)])
        if done.returncode == 0 or answers(place):
            return
    raise EmbeddedError(f"PostgreSQL did not start: {done.stdout.strip()}\n{_log_tail(place)}")


def _clear_stale_files(place: Place) -> None:
    """Disarm what a crashed server left: a process id that is a zombie or somebody else's by now.

    The pid file itself stays: it names the shared memory by which PostgreSQL refuses to start beside
    orphaned backends of the crashed server. A server that lives but lost its socket is ended.
    """
    if _server_pid(place) is not None:
        stop(place)
    pid_file = data_folder(place) / "postmaster.pid"
    if pid_file.exists():
        _, *rest = pid_file.read_text().split("\n")
        _write(place, pid_file.name, "\n".join([str(NO_PROCESS), *rest]))
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (place.sockets / name).unlink(missing_ok=True)


def _server_pid(place: Place) -> int | None:
    """The process id of the server of this very folder, where it lives."""
    try:
        pid = int((data_folder(place) / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if str(data_folder(place)) in command_line(pid) else None


def command_line(pid: int) -> str:
    """The command line of a process, empty where there is none."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    listed = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return listed.stdout


def _wait(place: Place) -> None:
    """Return when the server takes queries; say so when that takes long; raise when it has died."""
    began = time.monotonic()
    said = False
    while True:
        try:
            connect(place, database="postgres").close()
            return
        except psycopg.OperationalError as refused:
            waited = time.monotonic() - began
            if not answers(place) or waited > PATIENCE:
                raise EmbeddedError(f"PostgreSQL does not answer: {refused}\n{_log_tail(place)}") from refused
        if waited > SAY_AFTER and not said:
            sys.stderr.write("PostgreSQL is recovering; waiting for it …\n")
            said = True
        time.sleep(0.1)


def _create_database(place: Place) -> None:
    with connect(place, database="postgres") as server:
        found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _log_tail(place: Place) -> str:
    path = log_file(place)
    return "\n".join(path.read_text(errors="replace").splitlines()[-8:]) if path.exists() else ""
