"""Running untrusted Python: a child process without network, without other processes, in bounds of time,
processor, memory and files.

The parent writes a job (code, tests, bounds, a nonce) to the child's standard input and reads one JSON line
from a pipe. Before it compiles anything, the child takes its rights away, in this order: resource limits;
the user `nobody` where it was started as root and that user can read this Python; no new privileges and no
capabilities; Landlock, so that of the file system only Python's own folders can be read and only its empty
scratch folder written; a seccomp filter that refuses sockets, new programs, signals to others and tracing.
A machine that offers neither a user to become nor Landlock, or no seccomp, runs nothing. A determined
program can still forge its own result from inside; what it cannot do is reach anything else.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

CHILD = Path(__file__).with_name("sandbox_child.py")
GRACE = 2.0  # seconds beyond the bound, for starting Python
MOST_BYTES, MOST_FILES = 32 << 20, 500  # in the scratch folder; a single file is bounded by the child itself
LOOKED_AT = 0.1  # seconds between two looks at the scratch folder
LONGEST_OUTPUT = 4000


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of the code: one flag a test, and what was seen. `refused`: nothing was run, and why."""

    passed: tuple[bool, ...]
    seen: str
    refused: str = ""


def run_tests(code: str, tests: list[str], *, seconds: float, megabytes: int) -> Ran:
    """Run `code`, then each test in a process of its own, so that none hides another."""
    flags: list[bool] = []
    seen: list[str] = []
    for test in tests:
        one = _run_one(code, test, seconds=seconds, megabytes=megabytes)
        if one.refused:
            return one
        flags += one.passed
        seen.append(one.seen)
    return Ran(tuple(flags), "; ".join(text for text in dict.fromkeys(seen) if text)[:LONGEST_OUTPUT])


def _run_one(code: str, test: str, *, seconds: float, megabytes: int) -> Ran:
    nonce = secrets.token_hex(16)
    job = {"code": code, "test": test, "seconds": seconds, "megabytes": megabytes, "nonce": nonce}
    with tempfile.TemporaryDirectory(prefix="switchyard-check-") as folder:
        Path(folder).chmod(0o777)
        try:
            return _read(_spawn(json.dumps(job), folder, seconds + GRACE), nonce)
        except Stopped as stopped:
            return Ran((False,), f"stopped: {stopped}")


class Stopped(Exception):
    """The child went over a bound that is watched from outside."""


def _spawn(job: str, folder: str, limit: float) -> str:
    """The child's report. Raises `Stopped` where it ran out of time or filled its folder; its whole session is
    killed then.
    """
    read, write = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-I", "-B", str(CHILD), str(write), folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        pass_fds=[write],
        start_new_session=True,
    )
    os.close(write)
    try:
        _wait(child, job.encode(), folder, limit)
    except Stopped:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
    finally:
        with os.fdopen(read, "rb") as pipe:
            out = pipe.read(1 << 16).decode(errors="replace")
    return out


def _wait(child: subprocess.Popen[bytes], job: bytes, folder: str, limit: float) -> None:
    """Until the child has ended. Raises `Stopped`."""
    end = time.monotonic() + limit
    given: bytes | None = job
    while True:
        try:
            child.communicate(given, timeout=LOOKED_AT)
        except subprocess.TimeoutExpired:
            given = None  # what is not yet written goes on by itself
            if time.monotonic() > end:
                raise Stopped(f"after {limit - GRACE:g} s") from None
            if _overfull(Path(folder)):
                raise Stopped("too many or too large files") from None
        else:
            return


def _overfull(folder: Path) -> bool:
    """Whether the folder holds more than it may; no more of it is looked at than it takes to know."""
    held = 0
    for number, path in enumerate(folder.rglob("*"), start=1):
        try:
            held += path.lstat().st_blocks * 512
        except OSError:  # gone meanwhile
            continue
        if number > MOST_FILES or held > MOST_BYTES:
            return True
    return False


def _read(out: str, nonce: str) -> Ran:
    """The report in `out`; a child that died or wrote something else has failed its test."""
    for line in out.splitlines():
        try:
            report = json.loads(line)
        except ValueError:
            continue
        if isinstance(report, dict) and report.get("nonce") == nonce:
            if report.get("refused"):
                return Ran((), "", refused=str(report["refused"]))
            return Ran((bool(report["passed"]),), str(report["seen"])[:500])
    return Ran((False,), "the process ended without a report")
