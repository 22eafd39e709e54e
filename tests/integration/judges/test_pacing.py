"""An endpoint's rate holds over all workers: their turns come from one clock."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from judges.backends.pacing import OwnPace, SharedPace
from judges.catalog import BackendSpec
from judges.loading import backend_for
from judges.specs import set_endpoint
from tests.integration.judges.making import make_project


def called(pace, n):
    """When `n` calls could be made, one after another."""
    times = []
    for _ in range(n):
        pace.wait()
        times.append(time.monotonic())
    return times


def test_two_workers_share_the_turns():
    name = uuid.uuid4().hex
    workers = [SharedPace(settings.REDIS_URL, name, rate=20.0) for _ in range(2)]
    called(workers[0], 1)
    with ThreadPoolExecutor(2) as pool:
        times = sorted(at for one in pool.map(called, workers, (5, 5)) for at in one)
    assert times[-1] - times[0] >= 9 / 20 - 0.06  # each alone would be through in four turns


def test_another_endpoint_has_turns_of_its_own():
    first, second = (SharedPace(settings.REDIS_URL, uuid.uuid4().hex, rate=0.5) for _ in range(2))
    before = time.monotonic()
    called(first, 1)
    called(second, 1)
    assert time.monotonic() - before < 1.5


@pytest.mark.django_db
@pytest.mark.parametrize("rate", [0.0, 4.0])
def test_an_endpoint_with_a_rate_is_called_by_the_shared_clock(rate, settings):
    settings.PRIVATE_ENDPOINTS = True
    project = make_project()
    made = set_endpoint(project=project, name="near", url="http://127.0.0.1:9/v1", rate=rate)
    spec = BackendSpec("openai-compatible", {"endpoint": "near", "project": project.pk, "model": "m"})
    backend = backend_for(spec)
    assert backend_for(spec) is backend
    shared = SharedPace(settings.REDIS_URL, f"endpoint:{made.pk}", rate)
    assert backend.pace == (shared if rate else OwnPace(0.0, backend.pace.lock))
