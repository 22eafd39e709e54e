"""How fast exports stream, beside PostgreSQL's own COPY of the same rows, taken in the same run.

    SWITCHYARD_HOME=/tmp/bench .venv/bin/python bench/exports.py 100000 [1000000] > bench/exports.md

Makes a project of that many settled pairs (a prompt of some 150 characters, two responses of some 700),
and then, in RUNS rounds, `COPY (the export's own statement) TO STDOUT` and every export in turn, each in a
process of its own, whose peak memory is the operating system's figure. The share of COPY is taken within a
round, so that other work on the machine weighs on both; medians are shown, with the least and the most.

At the end it settles as many instances that nobody has labelled, as a live export does first, and again.
"""

import os
import platform
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import orjson
import psycopg
from django.core.management import call_command
from django.db import connection

from accounts.models import User
from exports.actions import write_export
from exports.choices import parse_choices
from exports.containers import CONTAINERS
from exports.datasets import Dataset, shape_of
from exports.reading import PAIRS_SQL, Moment, one_moment, parameters
from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Aspect, Project, Rater
from routing.actions import settle
from routing.models import Preference, Settlement

RUNS = 5  # rounds
WORDS = "time year people way day man thing woman life child world school state family student group".split()
LIMITS = {"jsonl": 1 / 3, "parquet": 1 / 2}
MEMORY = 200  # MB


def sentences(draw: random.Random) -> list[str]:
    """Ten thousand sentences of made-up words: about as hard to compress as prose."""
    made = ["".join(draw.choices("etaoinshrdlucmfw", k=draw.randint(2, 9))) for _ in range(5000)] + WORDS
    return [" ".join(draw.choices(made, k=draw.randint(6, 14))).capitalize() + ". " for _ in range(10_000)]


def project_of(size: int) -> Project:
    """The bench's project of `size` settled pairs, made at the first call."""
    slug = f"bench-exports-{size}"
    found = Project.objects.filter(slug=slug).first()
    if found:
        return found
    owner = User.objects.by_email("bench@localhost") or User.objects.create_user("bench@localhost")
    project = Project.objects.create(slug=slug, name=slug, template="blank", owner=owner)
    aspect = Aspect.objects.create(
        project=project, name="overall", task_type="pairwise", settings={"steps": 2}
    )
    Settlement.objects.create(project=project, number=1, method="majority", watermark=0)
    fill(project, aspect, size)
    return project


def fill(project: Project, aspect: Aspect, size: int) -> None:
    draw = random.Random(size)
    pool = sentences(draw)
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM ledger_instance")
        first = cursor.fetchone()[0] + 1
        with cursor.copy(
            "COPY ledger_instance (id, project_id, ref, prompt, context, metadata, size, content_hash, prompt_hash,"
            " created) FROM STDIN"
        ) as copy:
            for n in range(size):
                prompt = orjson.dumps("".join(draw.choices(pool, k=3))).decode()
                copy.write_row(
                    (first + n, project.pk, f"i{n}", prompt, "{}", "{}", 2, f"{n:064x}", f"{n:032x}", "now")
                )
        with cursor.copy(
            "COPY ledger_response (instance_id, index, key, model, text, metadata) FROM STDIN"
        ) as copy:
            for n in range(size):
                for index in (0, 1):
                    text = "".join(draw.choices(pool, k=draw.randint(6, 16)))
                    copy.write_row((first + n, index, f"r{index}", f"model-{index}", text, "{}"))
        with cursor.copy(
            "COPY routing_preference (project_id, instance_id, aspect_id, since, outcome, source, value, chosen,"
            " rejected, probability, margin, agreement, raters, labels, route, policy, method) FROM STDIN"
        ) as copy:
            for n in range(size):
                chosen = draw.randint(0, 1)
                verdict = (
                    chosen,
                    1 - chosen,
                    0.2 + 0.6 * chosen,
                    1.5,
                    0.666667,
                    ["ann", "bob", "cy"],
                    [1, 2, 3],
                )
                copy.write_row(
                    (project.pk, first + n, aspect.pk, 1, "preferred", "human", '{"strength": 1.5}', *verdict,
                     "human", "random", "majority")
                )  # fmt: skip
        cursor.execute("SELECT setval(pg_get_serial_sequence('ledger_instance', 'id'), %s)", [first + size])
        cursor.execute("VACUUM ANALYZE ledger_instance, ledger_response, routing_preference")


def moment_of(size: int) -> Moment:
    project = project_of(size)
    return Moment(project, 1, tuple(project.aspects.all()))


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Seconds by the clock, and by the processor of this process and of its server process together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    found: dict[str, float] = {}
    began, spent, served = time.perf_counter(), time.process_time(), server_seconds(backend)
    yield found
    found["seconds"] = time.perf_counter() - began
    found["processor"] = time.process_time() - spent + server_seconds(backend) - served


def server_seconds(backend: int) -> float:
    """The processor time of a PostgreSQL process; 0 where the server runs elsewhere."""
    stat = Path(f"/proc/{backend}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def copy_once(size: int) -> None:
    """COPY of the export's own statement."""
    moment, taken = moment_of(size), 0
    statement = PAIRS_SQL.format(metadata="NULL", within="")
    with one_moment(), connection.cursor() as cursor:
        with psycopg.ClientCursor(connection.connection) as client:
            statement = client.mogrify(statement, parameters(moment))
        with measured() as found, cursor.copy(f"COPY ({statement}) TO STDOUT") as copy:
            for part in copy:
                taken += len(part)
            found["written"] = taken / 1e6
    tell(found)


def export_once(size: int, format: str, container: str, given: dict[str, str]) -> None:
    """One export into a file. The container's library is loaded before, as in a worker that has run a while."""
    moment, choices = moment_of(size), parse_choices(given)
    dataset = Dataset(moment, choices, shape_of(moment, choices))
    CONTAINERS.load(container)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        with measured() as found:
            report = write_export(dataset, format=format, container=container, path=path)
        found["written"] = path.stat().st_size / 1e6
    assert report["rows"] == size
    tell(found)


def tell(found: dict[str, float]) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(orjson.dumps({**found, "peak": peak}).decode())


def in_a_process(*words: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, "--once", *words], check=True, capture_output=True)
    return orjson.loads(done.stdout.splitlines()[-1])


def measure(size: int) -> None:
    project_of(size)
    copies, rounds = [], [[] for _ in PLAN]
    for _ in range(RUNS):
        copies.append(in_a_process(str(size), "copy"))
        for (format, container, given), runs in zip(PLAN, rounds, strict=True):
            runs.append(in_a_process(str(size), format, container, orjson.dumps(given).decode()))
    print(f"\n## {size:,} preferences, {RUNS} rounds\n")
    print(
        "| what | rows/s | of COPY | wanted | of COPY by processor | MB/s of file | processor s | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|")
    line("`COPY` of the same rows", size, copies, copies, "")
    for (format, container, given), runs in zip(PLAN, rounds, strict=True):
        what = ", ".join([format, container, *(f"{name}: {value}" for name, value in given.items())])
        asked = container in LIMITS and format == "trl-preference" and not given
        line(what, size, runs, copies, f"{LIMITS[container]:.2f}" if asked else "")


def line(
    what: str, size: int, runs: list[dict[str, float]], copies: list[dict[str, float]], wanted: str
) -> None:
    shares, cheap = (
        [copy[name] / run[name] for run, copy in zip(runs, copies, strict=True)]
        for name in ("seconds", "processor")
    )
    print(
        f"| {what} | {spread([size / run['seconds'] for run in runs], ',.0f')} | {spread(shares, '.2f')} | {wanted} "
        f"| {spread(cheap, '.2f')} | {median(run['written'] / run['seconds'] for run in runs):.0f} "
        f"| {spread([run['processor'] for run in runs], '.1f')} | {max(run['peak'] for run in runs):.0f} |",
        flush=True,
    )


def spread(values: list[float], form: str) -> str:
    """The median, with the least and the most."""
    return f"{median(values):{form}} ({min(values):{form}}–{max(values):{form}})"  # noqa: RUF001


PLAN: list[tuple[str, str, dict[str, str]]] = [
    ("trl-preference", "jsonl", {}),
    ("trl-preference", "parquet", {}),
    ("trl-preference", "jsonl.gz", {}),
    ("trl-preference", "jsonl.zst", {}),
    ("soft", "jsonl", {}),
    ("trl-preference", "jsonl", {"splits": "train=0.9,test=0.1"}),
    ("trl-preference", "jsonl", {"deduplicate": "true"}),
]


# ---------------------------------------------------------------- settling


def unlabelled(size: int) -> Project:
    """A project of the instances of `project_of`, without a label."""
    slug = f"bench-unlabelled-{size}"
    found = Project.objects.filter(slug=slug).first()
    if found:
        return found
    full = project_of(size)
    project = Project.objects.create(slug=slug, name=slug, template="blank", owner=full.owner)
    settings = {"steps": 2, "tie": True, "reasons": [], "comment": False}
    Aspect.objects.create(project=project, name="overall", task_type="pairwise", settings=settings)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_instance (project_id, ref, prompt, context, metadata, size, content_hash, prompt_hash,"
            " created) SELECT %s, ref, prompt, context, metadata, size, content_hash, prompt_hash, created"
            " FROM ledger_instance WHERE project_id = %s ORDER BY id",
            [project.pk, full.pk],
        )
        cursor.execute("ANALYZE ledger_instance")
    return project


def measure_settling(size: int) -> None:
    """Seconds of the first settlement, of one without news, and of one after a single label."""
    project = unlabelled(size)
    rows: dict[str, list[dict[str, float]]] = {
        name: [] for name in ("from nothing", "no news", "after one label")
    }
    for number in range(RUNS):
        Preference.objects.filter(project=project).delete()
        Settlement.objects.filter(project=project).delete()
        for name, runs in rows.items():
            if name == "after one label":
                label_one(project, number)
            with measured() as found:
                settle(project)
            runs.append(found)
    print(f"\n## Settling {size:,} instances without a label, {RUNS} rounds\n")
    print("| what | s | processor s |")
    print("|---|---|---|")
    for name, runs in rows.items():
        figures = [spread([run[key] for run in runs], ".2f") for key in ("seconds", "processor")]
        print(f"| {name} | {' | '.join(figures)} |")


def label_one(project: Project, number: int) -> None:
    instance = project.instances.order_by("pk")[number]
    value = {"strength": -1 if instance.pk % 2 else 1}
    rater = ensure_rater(project, kind=Rater.Kind.PERSON, name=f"bench-{time.time_ns()}")
    label = NewLabel(instance=instance, aspect=project.aspects.get(), value=value)
    write_labels(project=project, rater=rater, labels=[label])


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def main() -> None:
    if sys.argv[1:2] == ["--once"]:
        size, format, *rest = sys.argv[2:]
        if format == "copy":
            copy_once(int(size))
        else:
            export_once(int(size), format, rest[0], orjson.loads(rest[1]) if rest[1:] else {})
        return
    print(
        "# Exports\n\nMade by `bench/exports.py`; the limits are those of the issue: JSON Lines at a third of"
    )
    print(f"COPY's rows a second, Parquet at half, under {MEMORY} MB of memory.\n")
    print(
        f"Machine: {os.cpu_count()} × {processor()}, Python {platform.python_version()}, embedded PostgreSQL 18."
    )
    call_command("migrate", verbosity=0)
    sizes = [int(word) for word in sys.argv[1:]]
    for size in sizes:
        measure(size)
    measure_settling(min(sizes))


if __name__ == "__main__":
    main()
