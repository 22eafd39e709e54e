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
from dataclasses import dataclass
from pathlib import Path

CHILD = Path(__file__).with_name("sandbox_child.py")
GRACE = 2.0  # seconds beyond the bound, for starting Python
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
        out = _spawn(json.dumps(job), folder, seconds + GRACE)
    if out is None:
        return Ran((False,), f"stopped after {seconds:g} s")
    return _read(out, nonce)


def _spawn(job: str, folder: str, limit: float) -> str | None:
    """The child's report, or None where it ran out of time; its whole session is killed then."""
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
        child.communicate(job.encode(), timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return None
    finally:
        with os.fdopen(read, "rb") as pipe:
            out = pipe.read(1 << 16).decode(errors="replace")
    return out


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
