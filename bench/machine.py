"""The machine that figures were taken on, in a line; and processor time by the operating system's accounting."""

import os
import platform
from pathlib import Path

import psutil


def describe() -> str:
    """Processor, cores, memory, system and Python."""
    told = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in told if line.startswith("model name")), "unknown"
    )
    memory = psutil.virtual_memory().total / 2**30
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}; load {load:.1f} at the start"
    )


def cpu_seconds(root: int) -> float:
    """User and system seconds of a process and all that it started, those that have ended included."""
    try:
        parent = psutil.Process(root)
        family = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total = 0.0
    for process in family:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if process.pid == root:
            total += times.children_user + times.children_system
    return total
