"""`make run` from outside: processes, signals, and what is left afterwards."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config import embedded
from config.embedded import postgres

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("granian", "default@", "judges@", "celery -A config --quiet beat")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")]


@dataclass
class Run:
    """One launcher, its home and its log."""

    process: subprocess.Popen
    home: Path
    port: int
    log: Path

    def ready(self) -> bool:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def wait(self, holds: Callable[[], bool], *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def gone(self) -> bool:
        return processes_of(self.home) == [] and not any(embedded.running(self.home).values())


def processes_of(home: Path) -> list[tuple[int, str]]:
    """(pid, command line) of every process whose environment or command line names the home."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            around = (folder / "environ").read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if words and (str(home) in words or f"SWITCHYARD_HOME={home}\0" in around):
            found.append((int(folder.name), words))
    return found


def postmaster(home: Path) -> int:
    """The process id that PostgreSQL's pid file names; 0 while there is none: a server that starts replaces it."""
    try:
        return int((home / "services" / "postgres" / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError):
        return 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(home: Path, port: int) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    return {**kept, "SWITCHYARD_HOME": str(home), "PORT": str(port)}


def launch(home: Path, port: int) -> Run:
    log = home.with_suffix(".log")
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.launcher"], cwd=ROOT, env=environment(home, port), stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    return Run(process=process, home=home, port=port, log=log)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="switchyard-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


@pytest.fixture
def run(home: Path) -> Iterator[Run]:
    """A launcher whose web server answers and whose workers have started."""
    run = launch(home, free_port())
    try:
        run.wait(run.ready)
        run.wait(lambda: all(any(part in words for _, words in processes_of(home)) for part in PARTS))
        yield run
    finally:
        if run.process.poll() is None:
            os.killpg(run.process.pid, signal.SIGTERM)
            run.process.wait(30)


def test_a_signal_to_the_group_ends_everything_cleanly(run):
    assert "password is demo" in run.log.read_text()
    os.killpg(run.process.pid, signal.SIGTERM)
    assert run.process.wait(25) == 0
    assert run.gone(), processes_of(run.home)
    assert "database system is shut down" in (run.home / "services" / "postgres.log").read_text()


def test_commands_work_beside_it_and_leave_it_running(run):
    done = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "--plan"], cwd=ROOT,
        env=environment(run.home, run.port), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and "[X]" in done.stdout
    assert run.ready()


def test_a_taken_port_is_named(run):
    second = launch(run.home, run.port)
    assert second.process.wait(30) == 1
    assert f"Port {run.port} is taken" in run.log.read_text()
    assert run.ready()


def test_a_crashed_part_starts_again(run):
    beat = next(pid for pid, words in processes_of(run.home) if "beat" in words.split())
    os.kill(beat, signal.SIGKILL)
    run.wait(lambda: "beat ended with -9; starting it again in 2 s" in run.log.read_text())
    run.wait(lambda: any("beat" in words.split() for _, words in processes_of(run.home)))


def test_a_crashed_service_starts_again(run):
    crashed = postmaster(run.home)
    os.kill(crashed, signal.SIGKILL)
    run.wait(lambda: postmaster(run.home) not in (0, crashed, postgres.NO_PROCESS))
    run.wait(run.ready)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's death")
def test_a_killed_launcher_leaves_nothing_behind(run):
    run.process.kill()
    run.process.wait()
    deadline = time.monotonic() + 30
    while not run.gone():
        assert time.monotonic() < deadline, processes_of(run.home)
        time.sleep(0.2)


def test_the_demo_stays_on_loopback(home):
    done = subprocess.run(
        [sys.executable, "-m", "config.launcher"], cwd=ROOT,
        env={**environment(home, free_port()), "HOST": "0.0.0.0"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "DEMO=false opens 0.0.0.0" in done.stdout


def test_one_part_alone_is_asked_for_by_its_name(home):
    done = subprocess.run(
        [sys.executable, "-m", "config.launcher", "wbe"], cwd=ROOT, env=environment(home, free_port()),
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "wbe? One of web, worker, judge, beat" in done.stdout
