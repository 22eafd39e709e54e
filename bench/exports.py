"""How fast exports stream, beside PostgreSQL's own COPY of the same rows, taken in the same run.

    SWITCHYARD_HOME=/tmp/bench .venv/bin/python bench/exports.py 100000 [1000000] > bench/exports.md

Makes a project of that many settled pairs (a prompt of some 150 characters, two responses of some 700),
times `COPY (the export's own statement) TO STDOUT` and then each container, every export in a process of its
own, whose peak memory is the operating system's figure. Three runs each (one at a million), the best shown.
"""

import os
import platform
import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402

django.setup()

import orjson  # noqa: E402
import psycopg  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import User  # noqa: E402
from exports.actions import write_export  # noqa: E402
from exports.choices import Choices  # noqa: E402
from exports.datasets import Dataset, shape_of  # noqa: E402
from exports.reading import PAIRS_SQL, Moment, one_moment, parameters  # noqa: E402
from ledger.models import Aspect, Project  # noqa: E402
from routing.models import Settlement  # noqa: E402

RUNS = 3  # of each export; one at a million
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


def copy_rate(size: int) -> tuple[float, float]:
    """(rows, megabytes) a second of COPY of the export's own statement."""
    moment = moment_of(size)
    statement = PAIRS_SQL.format(metadata="NULL", within="")
    with one_moment(), connection.cursor() as cursor:
        with psycopg.ClientCursor(connection.connection) as client:
            statement = client.mogrify(statement, parameters(moment))
        began, taken = time.perf_counter(), 0
        with cursor.copy(f"COPY ({statement}) TO STDOUT") as copy:
            for part in copy:
                taken += len(part)
    seconds = time.perf_counter() - began
    return size / seconds, taken / seconds / 1e6


def export_once(size: int, format: str, container: str) -> None:
    """Prints rows a second, MB a second, processor seconds and peak MB of one export, in this process."""
    moment = moment_of(size)
    dataset = Dataset(moment, Choices(), shape_of(moment, Choices()))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        began, spent = time.perf_counter(), time.process_time()
        report = write_export(dataset, format=format, container=container, path=path)
        seconds, spent = time.perf_counter() - began, time.process_time() - spent
        written = path.stat().st_size
    assert report["rows"] == size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(orjson.dumps([size / seconds, written / seconds / 1e6, spent, peak]).decode())


def in_a_process(size: int, format: str, container: str) -> list[float]:
    words = [sys.executable, __file__, "--once", str(size), format, container]
    return orjson.loads(subprocess.run(words, check=True, capture_output=True).stdout.splitlines()[-1])


def measure(size: int) -> None:
    runs = RUNS if size < 1_000_000 else 1
    copies = [copy_rate(size) for _ in range(runs)]
    rate, megabytes = max(copies)
    print(f"\n## {size:,} preferences\n")
    print("| what | rows/s | of COPY | wanted | MB/s of file | processor s | peak MB |")
    print("|---|---|---|---|---|---|---|")
    print(f"| `COPY` of the same rows | {rate:,.0f} | 1.00 | | {megabytes:.0f} | | |", flush=True)
    for format, container in PLAN:
        best = max((in_a_process(size, format, container) for _ in range(runs)), key=lambda run: run[0])
        wanted = f"{LIMITS[container]:.2f}" if container in LIMITS and format == "trl-preference" else ""
        print(
            f"| {format}, {container} | {best[0]:,.0f} | {best[0] / rate:.2f} | {wanted} | {best[1]:.0f} "
            f"| {best[2]:.1f} | {best[3]:.0f} |",
            flush=True,
        )


PLAN = [
    ("trl-preference", "jsonl"),
    ("trl-preference", "jsonl.gz"),
    ("trl-preference", "jsonl.zst"),
    ("trl-preference", "parquet"),
    ("soft", "jsonl"),
]


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def main() -> None:
    if sys.argv[1] == "--once":
        export_once(int(sys.argv[2]), sys.argv[3], sys.argv[4])
        return
    print(
        "# Exports\n\nMade by `bench/exports.py`; the limits are those of the issue: JSON Lines at a third of"
    )
    print(f"COPY's rows a second, Parquet at half, under {MEMORY} MB of memory.\n")
    print(
        f"Machine: {os.cpu_count()} × {processor()}, Python {platform.python_version()}, embedded PostgreSQL 18."
    )
    call_command("migrate", verbosity=0)
    for size in map(int, sys.argv[1:]):
        measure(size)


if __name__ == "__main__":
    main()
