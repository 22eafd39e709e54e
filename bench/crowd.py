"""A crowd at work: clients that lease, submit, skip and walk away, and the check of what they leave behind."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from django.db import connection

Post = Callable[[str, str, dict[str, Any], dict[str, str]], tuple[int, bytes]]  # (path, token, body, headers)

LEFT_BEHIND = """
    SELECT count(*) FILTER (WHERE done > %(overlap)s), count(*) FILTER (WHERE done < %(overlap)s), min(done), max(done)
    FROM (SELECT count(a.id) AS done FROM ledger_instance i
          LEFT JOIN annotate_assignment a ON a.instance_id = i.id AND a.status = 'submitted'
          WHERE i.project_id = %(project)s GROUP BY i.id) each
"""

TWICE = """
    SELECT count(*) FROM (
        SELECT 1 FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
        WHERE l.project_id = %(project)s AND r.kind = 'person' GROUP BY l.rater_id, l.instance_id, l.aspect_id
        HAVING count(*) > 1) twice
"""

WAITS = """
    SELECT coalesce(max(wait), 0), coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY wait), 0)
    FROM (SELECT extract(epoch FROM again.leased_at - gone.expires_at) AS wait
          FROM annotate_assignment gone
          CROSS JOIN LATERAL (SELECT leased_at FROM annotate_assignment a
                              WHERE a.seat_id = gone.seat_id AND a.id > gone.id ORDER BY a.id LIMIT 1) again
          WHERE gone.project_id = %(project)s AND gone.status = 'expired') waits
"""


@dataclass
class Tally:
    """What a crowd did, and how long each call took, in seconds."""

    counts: Counter[str] = field(default_factory=Counter)
    next: list[float] = field(default_factory=list)
    submit: list[float] = field(default_factory=list)


class Worker(threading.Thread):
    """One client. It takes an account, works on it, and sometimes walks away from what it holds.

    `until`: the time to stop, or None to work until nothing is left. An account that was walked away
    from goes to the end of the queue, as somebody does who comes back after hours.
    """

    def __init__(
        self, slug: str, accounts: "SimpleQueue[str]", post: Post, *, until: float | None, leaves: float
    ) -> None:
        super().__init__(daemon=True)
        self.slug, self.accounts, self.post, self.until, self.leaves = slug, accounts, post, until, leaves
        self.tally = Tally()

    def call(self, path: str, token: str, body: dict[str, Any], times: list[float], **headers: str) -> Any:
        began = time.perf_counter()
        status, text = self.post(path, token, body, headers)
        times.append(time.perf_counter() - began)
        self.tally.counts[f"{path.rsplit('/', 2)[-2]} {status}"] += 1
        return status, text

    def run(self) -> None:
        token, idle = self.accounts.get(), 0
        while (time.time() < self.until) if self.until else idle < 5:
            status, text = self.call(f"/api/v1/projects/{self.slug}/next/", token, {}, self.tally.next)
            if status != 200:
                idle += 1
                self.accounts.put(token)
                token = self.accounts.get()
                time.sleep(0.05)
                continue
            idle = 0
            token = self.work(json.loads(text), token)
        self.accounts.put(token)

    def work(self, task: dict[str, Any], token: str) -> str:
        """Submits, skips, or walks away; the account to go on with."""
        if random.random() < self.leaves:
            self.tally.counts["walked away"] += 1
            self.accounts.put(token)
            return self.accounts.get()
        answers = {aspect["name"]: {"strength": random.choice((-2, -1, 1, 2))} for aspect in task["aspects"]}
        path = f"/api/v1/assignments/{task['assignment']}/submit/"
        key = {"Idempotency-Key": f"{task['assignment']}"}
        self.call(path, token, {"answers": answers}, self.tally.submit, **key)
        return token


def gather(workers: list[Worker]) -> Tally:
    """Lets them work to their end; what all did together."""
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    whole = Tally()
    for worker in workers:
        whole.counts += worker.tally.counts
        whole.next += worker.tally.next
        whole.submit += worker.tally.submit
    return whole


@dataclass(frozen=True)
class Left:
    """What a crowd left behind: instances over and under their overlap, labels given twice, waits in seconds."""

    over: int
    under: int
    least: int
    most: int
    twice: int
    longest_wait: float
    median_wait: float


def left_behind(project_id: int, overlap: int) -> Left:
    with connection.cursor() as cursor:
        cursor.execute(LEFT_BEHIND, {"project": project_id, "overlap": overlap})
        over, under, least, most = cursor.fetchone()
        cursor.execute(TWICE, {"project": project_id})
        (twice,) = cursor.fetchone()
        cursor.execute(WAITS, {"project": project_id})
        longest, middle = cursor.fetchone()
    return Left(over, under, least, most, twice, float(longest), float(middle))
