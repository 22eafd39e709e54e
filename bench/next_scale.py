"""Server time of *next* and *submit* with small and large projects, and few and many people at once.

    .venv/bin/python bench/next_scale.py [--sizes 10000 1000000] [--people 1 16 100] [--seconds 8]

Builds projects by SQL, the first quarter of whose instances is finished, starts a server of its own that says in
`Server-Timing` how long the application took (waiting for one of its eight threads is not in it, waiting for a
processor and for PostgreSQL is), and lets people work over kept-alive connections. The last rows have everything on:
dynamic overlap, nearly finished first, gold, probes, quotas and skill rules.
"""

import argparse
import http.client
import json
import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.serving import make_owner, quantile, start_server  # sets Django up

from bench.machine import describe  # isort: skip
from django.db import connection, transaction  # isort: skip

from accounts.models import Token, User
from annotate.actions import set_gold
from ledger.actions import add_member, create_project
from ledger.models import Instance, Project
from ledger.project_settings import change_settings

PORT = 8397
PIECE = 100_000  # instances written in one transaction

INSTANCES = """
    INSERT INTO ledger_instance (project_id, ref, prompt, context, metadata, size, content_hash, prompt_hash, created)
    SELECT %(project)s, 'i' || n, to_jsonb('Question ' || n || '?'), '{}',
        jsonb_build_object('language', (ARRAY['en', 'es', 'ca', 'ar'])[1 + n %% 4]), 2, md5(n::text), md5(n::text),
        now()
    FROM generate_series(%(low)s, %(high)s) AS n
    RETURNING id
"""
RESPONSES = """
    INSERT INTO ledger_response (instance_id, index, key, model, text, metadata)
    SELECT i.id, k, 'r' || k, 'm' || k, repeat('Answer ' || k || ' to ' || i.ref || '. ', 5), '{}'
    FROM ledger_instance i CROSS JOIN generate_series(0, 1) AS k WHERE i.id BETWEEN %(low)s AND %(high)s
"""
SEATS = """
    INSERT INTO annotate_seat (project_id, instance_id, slot, rank, status, closing)
    SELECT i.project_id, i.id, 0, i.id,
        CASE WHEN substr(i.ref, 2)::int < %(finished)s THEN 'filled' ELSE 'open' END, false
    FROM ledger_instance i WHERE i.id BETWEEN %(low)s AND %(high)s
"""
EVERYTHING = {
    "overlap": {"min": 1, "max": 3, "stop": 0.6},
    "finish_first": True,
    "gold": {"rate": 0.1, "threshold": 0.1, "after": 1000},
    "probes": {"rate": 0.05},
    "quota": {"daily": 100_000, "total": 1_000_000},
    "skill_rules": [{"when": {"language": ["ar"]}, "need": ["language:ar"]}],
}


def build(owner: User, size: int) -> tuple[Project, float]:
    """A project of so many instances, a quarter of them finished; and the seconds that it took."""
    began = time.perf_counter()
    project = create_project(
        slug=f"scale-{size}-{random.randrange(10**6)}", template="multipref", owner=owner
    )
    for start in range(0, size, PIECE):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers, no look-ups of keys
            values = {"project": project.pk, "low": start, "high": min(size, start + PIECE) - 1}
            cursor.execute(f"WITH made AS ({INSTANCES}) SELECT min(id), max(id) FROM made", values)
            low, high = cursor.fetchone()
            cursor.execute(RESPONSES, {"low": low, "high": high})
            cursor.execute(SEATS, {"low": low, "high": high, "finished": size // 4})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) ledger_instance, ledger_response, annotate_seat")
    return project, time.perf_counter() - began


class Person(threading.Thread):
    """Works until the time is over; keeps the server's milliseconds of each call, and the client's."""

    def __init__(self, slug: str, token: str, until: float) -> None:
        super().__init__(daemon=True)
        self.slug, self.until = slug, until
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
        self.served: dict[str, list[float]] = {"next": [], "submit": []}
        self.waited: dict[str, list[float]] = {"next": [], "submit": []}
        self.errors = 0

    def call(self, what: str, path: str, body: dict, **more: str) -> dict | None:
        began = time.perf_counter()
        self.line.request("POST", path, json.dumps(body), {**self.headers, **more})
        answer = self.line.getresponse()
        text = answer.read()
        if answer.status != 200:
            self.errors += 1
            return None
        self.waited[what].append(1000 * (time.perf_counter() - began))
        self.served[what].append(float(answer.headers["Server-Timing"].rpartition("=")[2]))
        return json.loads(text)

    def run(self) -> None:
        while time.time() < self.until:
            task = self.call("next", f"/api/v1/projects/{self.slug}/next/", {})
            if task is None:
                return
            answers = {
                aspect["name"]: {"strength": random.choice((-2, -1, 1, 2))} for aspect in task["aspects"]
            }
            pk = task["assignment"]
            self.call(
                "submit",
                f"/api/v1/assignments/{pk}/submit/",
                {"answers": answers},
                **{"Idempotency-Key": str(pk)},
            )


def at(times: list[float], share: float) -> str:
    return f"{quantile(times, share):.1f}"


def measure(project: Project, people: int, seconds: float, what: str) -> str:
    """A row of the table."""
    tokens = [Token.issue(add_member(project, email=f"s{n}@load.local").user)[1] for n in range(people)]
    crowd = [Person(project.slug, token, time.time() + seconds) for token in tokens]
    for person in crowd:
        person.start()
    for person in crowd:
        person.join()
    cells = []
    for name in ("next", "submit"):
        served = [time for person in crowd for time in person.served[name]]
        waited = [time for person in crowd for time in person.waited[name]]
        cells += [at(served, 0.5), at(served, 0.95), at(served, 0.99), at(waited, 0.5)]
    done = sum(len(person.served["submit"]) for person in crowd)
    errors = sum(person.errors for person in crowd)
    return f"| {what} | {people} | {done / seconds:.0f} | {' | '.join(cells)} | {errors} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--people", type=int, nargs="+", default=[1, 16, 100])
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    print(describe())
    owner = make_owner()
    rows, server = [], None
    try:
        for size in options.sizes:
            project, seconds = build(owner, size)
            print(f"{size:,} instances built in {seconds:.0f} s", flush=True)
            server = server or start_server(PORT, "bench.timed:application")
            measure(project, 1, 1, "")  # what a connection does once
            rows += [measure(project, people, options.seconds, f"{size:,}") for people in options.people]
            for instance in (
                Instance.objects.filter(project=project).select_related("project").order_by("-pk")[:200]
            ):
                set_gold(instance, {"overall": {"strength": 1}})
            began = time.perf_counter()
            change_settings(project, EVERYTHING)
            print(f"{size:,}: everything turned on in {time.perf_counter() - began:.0f} s", flush=True)
            rows.append(measure(project, 16, options.seconds, f"{size:,}, everything on"))
    finally:
        if server:
            server.terminate()
            server.wait(20)
    print("| instances | people | submissions a second | next p50 | p95 | p99 | client's p50 |", end="")
    print(" submit p50 | p95 | p99 | client's p50 | errors |")
    print("|---" * 12 + "|", *rows, sep="\n")


if __name__ == "__main__":
    main()
