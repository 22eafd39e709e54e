"""The annotator's loop, next + submit over HTTP, beside its limits taken in the same run.

    .venv/bin/python bench/loop.py [--seconds 15] [--instances 10000] [--people 1 16 50] [--door screen]

Starts a server of its own on an embedded database in a scratch folder (fsync and synchronous_commit
on), imports the instances over HTTP, lets people work through kept-alive connections, and checks
afterwards that no instance is over its overlap and that every receipt is in the ledger. Processor time
is that of the web processes and of PostgreSQL. Limits: an empty view (`/healthz`) called twice a cycle,
and the loop's own SQL without HTTP. `--door screen` posts the work screen's form instead, as the browser
does, and gets the next screen: one request a cycle, with its HTML.
"""

import argparse
import http.client
import json
import os
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.serving import make_owner, quantile, start_server  # sets Django up

from bench.machine import cpu_seconds, describe  # isort: skip
from django.core.management import call_command  # isort: skip
from django.db import connection  # isort: skip
from django.test import Client  # isort: skip
from django.utils import timezone

from accounts.models import Token, User
from annotate.actions import lease_next_id, submit_annotation
from annotate.api import assignment_document
from ledger.actions import add_member, create_project, person_for
from ledger.models import Label, Project

PORT = 8399
ACTION = re.compile(r'id="dock" method="post" action="([^"]+)"')
FIELD = re.compile(r'<input type="hidden" name="(key|csrfmiddlewaretoken)" value="([^"]*)"')
STRENGTH = re.compile(r'name="(a[0-9]+\.strength)"')


class Person(threading.Thread):
    """Works through the API until the time is over; keeps what was seen."""

    def __init__(self, slug: str, user: User, until: float) -> None:
        super().__init__()
        self.slug, self.until = slug, until
        self.headers = self.sign_in(user)
        self.line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        self.times: list[float] = []
        self.taken: Counter[str] = Counter()
        self.receipts: list[int] = []
        self.wrong: Counter[str] = Counter()

    def sign_in(self, user: User) -> dict[str, str]:
        return {"Authorization": f"Bearer {Token.issue(user)[1]}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, bytes]:
        self.line.request(method, path, body, {**self.headers, **headers})
        answer = self.line.getresponse()
        return answer.status, answer.read()

    def post(self, path: str, body: dict, **headers: str) -> tuple[int, bytes]:
        return self.ask("POST", path, json.dumps(body), **headers)

    def run(self) -> None:
        while time.time() < self.until:
            began = time.perf_counter()
            status, text = self.post(f"/api/v1/projects/{self.slug}/next/", {})
            if status != 200:
                self.wrong[f"next {status}"] += 1
                return
            task = json.loads(text)
            answers = {
                aspect["name"]: {"strength": random.choice((-2, -1, 0, 1, 2))} for aspect in task["aspects"]
            }
            path = f"/api/v1/assignments/{task['assignment']}/submit/"
            status, text = self.post(path, {"answers": answers}, **{"Idempotency-Key": str(random.random())})
            if status != 200:
                self.wrong[f"submit {status}"] += 1
                continue
            self.times.append(time.perf_counter() - began)
            self.taken[task["instance"]["id"]] += 1
            self.receipts += json.loads(text)["labels"]


class Sitter(Person):
    """Works on the work screen, as the browser's scripts do: a form goes out, the next screen comes back."""

    def sign_in(self, user: User) -> dict[str, str]:
        client = Client(SERVER_NAME="127.0.0.1")
        client.force_login(user)
        client.get(f"/projects/{self.slug}/work/")  # gives the token against forgery
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        return {"Cookie": cookies, "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}

    def run(self) -> None:
        status, text = self.ask("GET", f"/projects/{self.slug}/work/")
        while status == 200 and time.time() < self.until:
            page = text.decode()
            if (form := ACTION.search(page)) is None:
                self.wrong["nothing left"] += 1
                return
            fields = {name: value for name, value in FIELD.findall(page) if value}
            fields |= {
                name: random.choice(("-2", "-1", "0", "1", "2")) for name in set(STRENGTH.findall(page))
            }
            began = time.perf_counter()
            status, text = self.ask("POST", form[1], urlencode(fields))
            self.times.append(time.perf_counter() - began)
            self.taken[form[1]] += 1
        if status != 200:
            self.wrong[f"screen {status}"] += 1


DOORS: dict[str, type[Person]] = {"api": Person, "screen": Sitter}


def row(number: int) -> str:
    """About 2.5 kB, as ten thousand in 25 MB."""
    texts = [{"text": f"Answer {place} to {number}. " * 48} for place in ("one", "two")]
    return json.dumps({"id": f"i{number}", "prompt": f"Question {number}? " * 20, "responses": texts})


def measured(act: Callable[[], None], servers: list[int]) -> tuple[float, float]:
    """Wall and processor seconds of an act."""
    before, began = sum(map(cpu_seconds, servers)), time.perf_counter()
    act()
    return time.perf_counter() - began, sum(map(cpu_seconds, servers)) - before


def loop(project: Project, door: str, people: int, seconds: float, servers: list[int]) -> str:
    members = [add_member(project, email=f"p{n}@load.local") for n in range(people)]
    workers = [DOORS[door](project.slug, member.user, time.time() + seconds) for member in members]

    def work() -> None:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    wall, cpu = measured(work, servers)
    times = sorted(time for worker in workers for time in worker.times)
    taken = sum((worker.taken for worker in workers), Counter())
    receipts = {pk for worker in workers for pk in worker.receipts}
    kept = Label.objects.filter(pk__in=receipts).count()
    errors = sum((worker.wrong for worker in workers), Counter())
    n = len(times)
    return (
        f"| {people} | {n} | {n / wall:.0f} | {1000 * cpu / n:.2f} | {1000 * median(times):.0f} | "
        f"{1000 * quantile(times, 0.95):.0f} | {sum(count > 1 for count in taken.values())} | "
        f"{sum(errors.values())} | {kept} of {len(receipts)} |"
    )


def empty_view(servers: list[int], calls: int = 2000) -> float:
    """Processor milliseconds of two calls of a view that does nothing."""
    line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)

    def call() -> None:
        for _ in range(calls):
            line.request("GET", "/healthz")
            line.getresponse().read()

    return 2000 * measured(call, servers)[1] / calls


def bare_sql(project: Project, postgres: int, cycles: int = 500) -> float:
    """Processor milliseconds of a cycle of the same verbs without HTTP: this process and PostgreSQL."""
    user = User.objects.create_user(f"bare-{random.randrange(10**9)}@load.local")
    rater = person_for(user, project)
    answers = {aspect.name: {"strength": 1} for aspect in project.aspects.all()}

    def work() -> None:
        for _ in range(cycles):
            leased = lease_next_id(project, rater.pk, at=timezone.now())
            assert leased is not None
            assignment_document(project, leased)
            submit_annotation(assignment_id=leased, user_id=user.pk, answers=answers)

    return 1000 * measured(work, [os.getpid(), postgres])[1] / cycles


def postmaster() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        (folder,) = cursor.fetchone()
    return int((Path(folder) / "postmaster.pid").read_text().split()[0])


def import_over_http(slug: str, token: str, instances: int) -> str:
    body = "\n".join(map(row, range(instances))).encode()
    line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=300)
    began = time.perf_counter()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    line.request("POST", f"/api/v1/projects/{slug}/instances/", body, headers)
    report = json.loads(line.getresponse().read())
    seconds = time.perf_counter() - began
    assert report["imported"] == instances, report
    return f"{instances:,} instances, {len(body) / 1e6:.0f} MB, in {seconds:.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--instances", type=int, default=10_000)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 16, 50])
    parser.add_argument("--door", choices=DOORS, default="api")
    options = parser.parse_args()
    print(describe())
    owner = make_owner()
    call_command("collectstatic", interactive=False, verbosity=0)
    token = Token.issue(owner)[1]
    server = start_server(PORT)
    servers = [server.pid, postmaster()]
    try:
        rows = []
        for people in options.people:
            slug = f"loop-{people}-{random.randrange(10**6)}"
            project = create_project(slug=slug, template="multipref", owner=owner)
            imported = import_over_http(slug, token, options.instances)
            fresh = Project.objects.get(pk=project.pk)
            rows.append(loop(fresh, options.door, people, options.seconds, servers))
        print(f"import over HTTP: {imported}")
        print(
            "| people | cycles | a second | CPU ms a cycle | p50 ms | p95 ms | over the overlap | errors | kept |"
        )
        print("|---|---|---|---|---|---|---|---|---|", *rows, sep="\n")
        print(f"limits, CPU ms a cycle: empty view twice {empty_view(servers):.2f}, ", end="")
        print(f"the same SQL without HTTP {bare_sql(Project.objects.get(pk=project.pk), servers[1]):.2f}")
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
