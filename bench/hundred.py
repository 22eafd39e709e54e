"""A hundred clients for a minute who walk away from a tenth of what they take: overruns, starved instances, waits.

    .venv/bin/python bench/hundred.py [--clients 100] [--seconds 60] [--instances 2000] [--overlap 3]

Starts a server of its own on an embedded database; leases last five seconds, and the beat takes expired
ones back every two. After the time is over, four clients finish what is left; then every instance must have
exactly its overlap. A wait is the time from the end of an abandoned lease to the seat's next one.
"""

import argparse
import http.client
import json
import os
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.serving import make_owner, quantile, start_server  # sets Django up

from django.utils import timezone  # isort: skip
from bench.loop import PORT, import_over_http, postmaster  # isort: skip
from bench.crowd import Tally, Worker, gather, left_behind  # isort: skip
from bench.machine import cpu_seconds, describe

from accounts.models import Token  # isort: skip
from annotate.actions import reclaim_expired
from ledger.actions import add_member, create_project
from ledger.project_settings import change_settings

LINES = threading.local()


def post(path: str, token: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, bytes]:
    """Over this thread's kept-alive connection."""
    if not hasattr(LINES, "line"):
        LINES.line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    known = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    LINES.line.request("POST", path, json.dumps(body), {**known, **headers})
    answer = LINES.line.getresponse()
    return answer.status, answer.read()


class Beat(threading.Thread):
    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(2):
            reclaim_expired(at=timezone.now())


def at(times: list[float], share: float) -> str:
    """A quantile in milliseconds."""
    return f"{1000 * quantile(times, share):.0f}" if times else "-"


def told(tally: Tally) -> str:
    counts = ", ".join(f"{what}: {count:,}" for what, count in sorted(tally.counts.items()))
    quantiles = [
        f"{name} {at(times, 0.5)} / {at(times, 0.95)} / {at(times, 0.99)} ms"
        for name, times in (("next", tally.next), ("submit", tally.submit))
    ]
    return f"{counts}\n{'; '.join(quantiles)} (p50 / p95 / p99)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--instances", type=int, default=2000)
    parser.add_argument("--overlap", type=int, default=3)
    options = parser.parse_args()
    print(describe())
    owner = make_owner()
    slug = f"hundred-{os.getpid()}-{int(time.time())}"
    project = create_project(slug=slug, template="multipref", owner=owner, overlap=options.overlap)
    change_settings(project, {"lease_seconds": 5})
    accounts: SimpleQueue[str] = SimpleQueue()
    for n in range(3 * options.clients):
        accounts.put(Token.issue(add_member(project, email=f"h{n}@load.local").user)[1])
    server, beat = start_server(PORT), Beat()
    servers = [server.pid, postmaster()]
    try:
        print(import_over_http(slug, Token.issue(owner)[1], options.instances))
        beat.start()
        before, until = sum(map(cpu_seconds, servers)), time.time() + options.seconds
        crowd = [Worker(slug, accounts, post, until=until, leaves=0.1) for _ in range(options.clients)]
        busy = gather(crowd)
        cpu = sum(map(cpu_seconds, servers)) - before
        now = left_behind(project.pk, options.overlap)
        print(f"{options.clients} clients, {options.seconds:g} s: {told(busy)}")
        print(
            f"{1000 * cpu / max(1, len(busy.submit)):.1f} processor ms a submission; over the overlap: {now.over}"
        )
        time.sleep(6)
        rest = gather([Worker(slug, accounts, post, until=None, leaves=0) for _ in range(4)])
        print(f"what was left: {told(rest)}")
        print(left_behind(project.pk, options.overlap))
    finally:
        beat.over.set()
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
