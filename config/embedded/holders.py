"""Who needs the services: every process holds a shared lock, and the last one to let go stops them.

The kernel drops a lock when its process ends, however it ends, so nothing can be left behind: a small
guardian process (`python -m config.embedded HOME`) waits for the exclusive lock and stops the services
when the last holder died without doing so.
"""

import atexit
import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Hold:
    """This process's share in the services of a home; `pid` tells it from a forked child's."""

    file: int
    pid: int


_holds: dict[Path, Hold] = {}


def hold(home: Path, *, at_exit: Callable[[Path], object]) -> None:
    """Take a share in the services until the process ends; then `at_exit(home)` is called."""
    if home in _holds:
        return
    file = os.open(home / "holders.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(file, fcntl.LOCK_SH)
    _holds[home] = Hold(file=file, pid=os.getpid())
    atexit.register(at_exit, home)


def let_go(home: Path, *, stop: Callable[[], None]) -> bool:
    """Give up this process's share; the last holder calls `stop`. True when the services are down."""
    held = _holds.get(home)
    if held is None or held.pid != os.getpid():
        return False
    del _holds[home]
    try:
        return _stop_if_last(held.file, stop=stop)
    finally:
        os.close(held.file)


def _stop_if_last(file: int, *, stop: Callable[[], None]) -> bool:
    if try_lock(file, fcntl.LOCK_EX):
        stop()
        return True
    if try_lock(file, fcntl.LOCK_SH):
        return False  # others hold it
    fcntl.flock(file, fcntl.LOCK_SH)  # somebody is stopping them at this moment: wait for that
    return True


@contextlib.contextmanager
def start_lock(home: Path) -> Iterator[None]:
    """One starter at a time."""
    with open(home / "start.lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def start_guardian(home: Path) -> None:
    """See that a guardian watches; the caller holds the start lock."""
    with open(home / "guardian.lock", "a") as file:
        if not try_lock(file.fileno(), fcntl.LOCK_EX):
            return
    subprocess.Popen(
        [sys.executable, "-m", "config.embedded", str(home)], cwd=PROJECT, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def guard(home: Path, *, stop: Callable[[], None]) -> None:
    """Wait for the last holder to end, however it ends, then call `stop`. The guardian's whole life."""
    with contextlib.suppress(FileNotFoundError):  # the home is gone already: nothing to guard
        guardian = os.open(home / "guardian.lock", os.O_RDWR)
        if not try_lock(guardian, fcntl.LOCK_EX):
            return
        file = os.open(home / "holders.lock", os.O_RDWR)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.path.samestat(
            os.fstat(file), (home / "holders.lock").stat()
        ):  # else it was made anew meanwhile
            stop()


def try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
