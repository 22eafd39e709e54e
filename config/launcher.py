"""`python -m config.launcher`: everything on one machine, in the foreground, until Ctrl-C or SIGTERM.

With the name of one part (web, worker, judge, beat) it becomes that part alone, as on a server. Otherwise it
prepares the database and the static files, starts the web server first and the workers once it answers,
starts a crashed child again with growing pauses, and stops what it started, the services last.
"""

import ctypes
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import django
from django.conf import settings
from django.core.management import call_command, get_commands
from django.db import connections

from config import embedded

ROOT = Path(__file__).resolve().parent.parent

LONGEST_PAUSE = 30.0  # seconds between two starts of a child that keeps crashing
STEADY = 60.0  # a child that lived this long starts again without a pause
GRACE = 6.0  # seconds for each degree of asking a child to end
READY_PATIENCE = 60.0
SERVICE_CHECK = 3.0
NICENESS = {"judge": 15}
DEMO_JUDGES = ("length", "smollm2")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass
class Child:
    """A program that is kept running."""

    name: str
    command: list[str]
    niceness: int = 0
    process: subprocess.Popen | None = None
    started: float = 0.0
    pause: float = 1.0
    start_at: float = field(default=0.0)

    def start(self) -> None:
        self.started = time.monotonic()
        # A session of its own: Ctrl-C reaches only the launcher, which then ends the children in order.
        self.process = subprocess.Popen(
            self.command, start_new_session=True, preexec_fn=end_with_parent, stdin=subprocess.DEVNULL
        )
        # Judging takes every cycle that it can get; people at the screens come first.
        os.setpriority(os.PRIO_PROCESS, self.process.pid, self.niceness)

    def tend(self) -> None:
        """Start the child again where it has ended; say so, and wait longer each time."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_at:
                self.start()
        elif self.process.poll() is not None:
            self.pause = 1.0 if now - self.started > STEADY else min(self.pause * 2, LONGEST_PAUSE)
            say(f"{self.name} ended with {self.process.returncode}; starting it again in {self.pause:.0f} s")
            self.process, self.start_at = None, now + self.pause

    def ask(self, number: int) -> None:
        """Send a signal to the main process, where it lives."""
        if self.process is not None and self.alive():
            self.process.send_signal(number)

    def kill(self) -> None:
        """Kill the child and everything that it started, and wait until the kernel has done so."""
        if self.process is not None and self.alive():
            say(f"{self.name} did not end; killing it")
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


def main(words: list[str]) -> int:
    if words:
        return become(words[0])
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    return run(stopping)


def run(stopping: threading.Event) -> int:
    """Prepare, start, watch until `stopping`, stop. Returns the exit status."""
    try:
        parts = commands().items()
        web, *others = (Child(name, command, NICENESS.get(name, 0)) for name, command in parts)
    except embedded.EmbeddedError as error:
        say(str(error))
        return 1
    if settings.DEMO and settings.HOST not in LOOPBACK:
        say(f"The demo's passwords are known to all: it stays on loopback. DEMO=false opens {settings.HOST}")
        return 1
    if not port_is_free(settings.HOST, settings.PORT):
        say(f"Port {settings.PORT} is taken; choose another one with PORT=…")
        return 1
    prepare()
    try:
        watch(web, others, stopping)
    finally:
        end([web, *others])
        stop_services(settings.SWITCHYARD_HOME)
    return 0


def prepare() -> None:
    """Bring the database and the static files up to date, and load the demo where it belongs."""
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    if settings.DEMO and "load_demo" in get_commands():
        call_command("load_demo", verbosity=0)
        judge_demo()
    collect_static([Path(folder) for folder in settings.STATICFILES_DIRS], Path(settings.STATIC_ROOT))
    connections.close_all()


def judge_demo() -> None:
    """Queue the demo's first judgments, so that its pages have something to show; a second time does nothing."""
    from judges.actions import start_run  # models can be imported only after django.setup()
    from judges.models import JudgeRun
    from ledger.models import Project

    demo = Project.objects.filter(slug="demo").first()
    if demo is None or JudgeRun.objects.filter(project=demo).exists():
        return
    for judge in DEMO_JUDGES:
        start_run(project=demo, judge=judge, aspect_names=["overall"])


def collect_static(sources: list[Path], target: Path) -> None:
    """Collect and compress the static files, when they changed since the last time."""
    stamp, wanted = target / ".stamp", fingerprint(sources)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted)


def fingerprint(folders: list[Path]) -> str:
    """A hash of the names, sizes and times of all files below `folders` and of the lock."""
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            facts = path.stat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


# ---------------------------------------------------------------- the children


def commands() -> dict[str, list[str]]:
    """The command line of each part. Only the judges' worker ever loads a model."""
    web = ["granian", "--interface", "wsgi", "--host", settings.HOST, "--port", str(settings.PORT),
           "--workers", str(settings.WEB_WORKERS), "--blocking-threads", str(settings.WEB_THREADS),
           "--http", "1", "--no-ws", "--respawn-failed-workers", "--log-level", "warning"]  # fmt: skip
    celery = ["celery", "-A", "config", "--quiet"]
    schedule = str(settings.SWITCHYARD_HOME / "celerybeat-schedule")
    parts = {
        "web": [*web, "config.wsgi:application"],
        "worker": [*celery, "worker", "-Q", "default", "-c", "2", "-n", "default@%h", "-l", "WARNING"],
        "judge": [*celery, "worker", "-Q", "judges", "-c", "1", "-n", "judges@%h", "-l", "WARNING"],
        "beat": [*celery, "beat", "-s", schedule, "--pidfile=", "-l", "WARNING"],
    }
    as_root = "ignore:You're running the worker"  # containers run as root; the warning says nothing new
    return {name: [sys.executable, "-W", as_root, "-m", *command] for name, command in parts.items()}


def become(part: str) -> int:
    """Turn this process into one part; the container's supervisor watches it."""
    known = commands()
    if part in known:
        os.execv(sys.executable, known[part])
    say(f"{part}? One of {', '.join(known)}, or nothing for all of them.")
    return 2


def watch(web: Child, others: list[Child], stopping: threading.Event) -> None:
    """Keep the children running until `stopping`; the others start when the web server answers."""
    home = settings.SWITCHYARD_HOME
    services = {name for name, up in embedded.running(home).items() if up}
    web.start()
    began = checked = time.monotonic()
    running = [web]
    while not stopping.wait(0.2 if len(running) == 1 else 0.5):
        if len(running) == 1 and (ready(settings.PORT) or time.monotonic() - began > READY_PATIENCE):
            greet(f"http://{settings.HOST}:{settings.PORT}/", demo=settings.DEMO)
            running += others
        if time.monotonic() - checked > SERVICE_CHECK:
            checked = time.monotonic()
            tend_services(home, services)
        for child in running:
            child.tend()


def tend_services(home: Path, wanted: set[str]) -> None:
    """Start an embedded service that crashed again; PostgreSQL then recovers what was committed."""
    up = embedded.running(home)
    for name in sorted(name for name in wanted if not up[name]):
        say(f"{name} is gone; starting it again")
        embedded.ensure(home, database="postgres" in wanted, cache="redis" in wanted)


def ready(port: int) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        line.request("GET", "/readyz")
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def greet(address: str, *, demo: bool) -> None:
    say(f"Switchyard is at {address}")
    if demo:
        say("Sign in as admin@demo.local, or as ann1@demo.local … ann3@demo.local; the password is demo")
    say("Ctrl-C stops everything")


def end(children: list[Child]) -> None:
    """Ask all children to end, then less and less politely, and return when none is left."""
    say("Stopping")
    for child in children:
        child.ask(signal.SIGTERM)  # the main process alone: it ends its own workers in order
    wait_for_end(children, seconds=GRACE)
    for child in children:
        child.ask(signal.SIGQUIT)  # Celery gives the task at work back to the queue, for the next start
    wait_for_end(children, seconds=GRACE)
    for child in children:
        child.kill()


def wait_for_end(children: list[Child], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(child.alive() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)


def stop_services(home: Path) -> None:
    if any(embedded.running(home).values()) and not embedded.stop(home):
        say("Another process still uses the embedded services; they stop when it ends")


def port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def end_with_parent() -> None:
    """Have the kernel end the child when the launcher is killed (Linux only)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def say(text: str) -> None:
    print(f"» {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
