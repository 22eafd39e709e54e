"""Import of instances from a file: seconds and peak memory, beside COPY of the same texts taken in the same run.

    .venv/bin/python bench/imports.py [10000 100000]

Each size is imported by `import_instances`' own action in a process of its own, whose peak memory the operating
system tells; COPY writes the same prompts and responses as bare rows into a scratch table.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("SWITCHYARD_HOME", tempfile.mkdtemp(prefix="switchyard-bench-"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection

from accounts.models import User
from bench.loop import row
from bench.machine import describe
from ledger.actions import create_project
from ledger.imports.load import import_file


def write_file(count: int) -> Path:
    path = Path(os.environ["SWITCHYARD_HOME"]) / f"rows-{count}.jsonl"
    with path.open("w") as file:
        for number in range(count):
            file.write(row(number) + "\n")
    return path


def copy_rows(path: Path) -> float:
    """Seconds that COPY takes for the file's lines as text rows."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bare (line text)")
        began = time.perf_counter()
        with cursor.copy("COPY bare FROM STDIN") as copy, path.open() as lines:
            for line in lines:
                copy.write_row((line,))
        seconds = time.perf_counter() - began
        cursor.execute("DROP TABLE bare")
    return seconds


def import_once(count: int) -> None:
    """In a process of its own: prints seconds and peak memory."""
    path = Path(os.environ["SWITCHYARD_HOME"]) / f"rows-{count}.jsonl"
    owner = User.objects.by_email("owner@load.local") or User.objects.create_superuser("owner@load.local")
    project = create_project(slug=f"import-{count}-{os.getpid()}", template="multipref", owner=owner)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    report = import_file(project, path)
    seconds = time.perf_counter() - began
    assert report.imported == count, report
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds:.2f} | {count / seconds:.0f} | {before:.0f} | {peak:.0f}")


def main(sizes: list[int]) -> None:
    print(describe())
    call_command("migrate", verbosity=0)
    print(
        "| instances | MB | seconds | a second | MB of memory before | MB at the peak | COPY of the lines, seconds |"
    )
    print("|---|---|---|---|---|---|---|")
    for count in sizes:
        path = write_file(count)
        copied = copy_rows(path)
        told = subprocess.run(
            [sys.executable, __file__, "--once", str(count)], capture_output=True, text=True, check=True
        )
        print(f"| {count:,} | {path.stat().st_size / 1e6:.0f} | {told.stdout.strip()} | {copied:.2f} |")


if __name__ == "__main__":
    if "--once" in sys.argv:
        import_once(int(sys.argv[-1]))
    else:
        main([int(word) for word in sys.argv[1:]] or [10_000, 100_000])
