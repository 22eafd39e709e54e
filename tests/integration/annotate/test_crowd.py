"""A crowd that walks away from a fifth of what it takes: no overrun, no instance starved, nothing twice.

The same with 100 clients for a minute against a real server: bench/hundred.py.
"""

import json
import threading
import time
from queue import SimpleQueue

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone

from annotate.actions import reclaim_expired
from annotate.models import Assignment, Seat
from bench.crowd import Worker, gather, left_behind
from ledger.models import Label
from ledger.project_settings import change_settings
from tests.makers import make_annotator, make_instances, make_project

CLIENTS, ACCOUNTS, INSTANCES, OVERLAP, SECONDS = 24, 60, 100, 3, 8


def post(path, token, body, headers):
    """As over HTTP, through every middleware, on the calling thread's own connection."""
    headers = {"authorization": f"Bearer {token}", **{name.lower(): value for name, value in headers.items()}}
    answer = Client().post(path, json.dumps(body), "application/json", headers=headers)
    return answer.status_code, answer.content


class LeavingWorker(Worker):
    """Gives its connection back at the end, as a server's thread does."""

    def run(self):
        try:
            super().run()
        finally:
            connections.close_all()


class Beat(threading.Thread):
    """Takes expired leases back every half second, as the beat does every twenty."""

    def __init__(self):
        super().__init__(daemon=True)
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.5):
            reclaim_expired(at=timezone.now())
        connections.close_all()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "settings",
    [{}, {"finish_first": True, "quota": {"total": 1000}, "overlap": {"min": 3, "max": 3, "stop": 1.0}}],
)
def test_no_overrun_and_no_starved_instance(settings):
    project = make_project("crowd", overlap=OVERLAP)
    change_settings(project, {"lease_seconds": 1, **settings})
    make_instances(project, INSTANCES)
    accounts = SimpleQueue()
    for n in range(ACCOUNTS):
        accounts.put(make_annotator(project, f"p{n}@crowd.local")[2])
    beat = Beat()
    beat.start()
    until = time.time() + SECONDS
    busy = gather(
        [LeavingWorker("crowd", accounts, post, until=until, leaves=0.2) for _ in range(CLIENTS)]
    ).counts
    time.sleep(1.2)  # the last leases run out
    drained = gather([LeavingWorker("crowd", accounts, post, until=None, leaves=0) for _ in range(4)]).counts
    beat.over.set()
    beat.join()
    left = left_behind(project.pk, OVERLAP)
    assert busy["walked away"] > 0
    assert not [
        what for what in busy + drained if what.rsplit(" ", 1)[-1] not in ("200", "204", "409", "away")
    ]
    assert (left.over, left.under, left.least, left.most, left.twice) == (0, 0, OVERLAP, OVERLAP, 0)
    assert set(Seat.objects.values_list("status", flat=True)) == {"filled"}
    assert Label.objects.live().count() == INSTANCES * OVERLAP * 4
    assert not Assignment.objects.filter(status="leased", expires_at__lt=timezone.now()).exists()
