"""Runs: chunks that may be repeated, leases, pause and cancel, budgets, and a worker killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone

from judges import actions
from judges.actions import cancel_run, claim, pause_run, resume_run, run_chunk, start_run, take_up_lost
from judges.catalog import CATALOG, BackendSpec, MethodSpec
from judges.loading import Asker
from judges.models import LEASE, JudgeRun, RunChunk
from judges.problems import BudgetSpent, RunNotActive
from judges.requests import GenerateRequest, LabelScores, Texts, Usage
from judges.specs import add_judge
from ledger.models import Label
from tests.integration.judges.making import make_pairs, make_project

WORKER = Path(__file__).with_name("worker.py")


def small_run(n=6, chunk=2, **options):
    """A run of `length` under another name, in chunks of `chunk`."""
    project = make_project()
    make_pairs(project, n)
    add_judge(project=project, spec=replace(CATALOG["length"], name="long", chunk=chunk), author=None)
    return start_run(project=project, judge="long", queued=False, **options)


@pytest.mark.django_db
def test_progress_moves_by_chunks_and_the_run_ends():
    run = small_run()
    seen = []
    for pk in run.chunks.order_by("number").values_list("pk", flat=True):
        assert run_chunk(pk, at=timezone.now())
        run.refresh_from_db()
        seen.append((run.done, run.labelled, run.status))
    assert seen == [(2, 2, "running"), (4, 4, "running"), (6, 6, "done")]
    assert run.ended is not None


@pytest.mark.django_db
def test_a_chunk_run_twice_labels_once():
    run = small_run(n=2)
    (pk,) = run.chunks.values_list("pk", flat=True)
    assert run_chunk(pk, at=timezone.now())
    assert not run_chunk(pk, at=timezone.now())
    assert Label.objects.count() == 2


@pytest.mark.django_db
def test_a_held_chunk_is_left_alone_until_its_lease_is_over():
    run = small_run(n=2)
    (pk,) = run.chunks.values_list("pk", flat=True)
    now = timezone.now()
    assert claim(pk, at=now) is not None
    assert claim(pk, at=now + LEASE / 2) is None
    assert claim(pk, at=now + LEASE + timedelta(seconds=1)) is not None


@pytest.mark.django_db
def test_two_workers_with_one_chunk_write_one_set_of_labels():
    run = small_run(n=2)
    (pk,) = run.chunks.values_list("pk", flat=True)
    slow = claim(pk, at=timezone.now() - LEASE * 2)
    assert run_chunk(pk, at=timezone.now())  # takes the lost chunk over and is faster
    assert actions.record(slow, [], None, seconds=1.0) is False
    run.refresh_from_db()
    assert (run.done, Label.objects.count()) == (2, 2)


@pytest.mark.django_db
def test_pause_cancel_and_what_an_ended_run_refuses():
    run = small_run()
    first, second, third = run.chunks.order_by("number").values_list("pk", flat=True)
    run_chunk(first, at=timezone.now())
    pause_run(run)
    assert not run_chunk(second, at=timezone.now())
    resume_run(run)
    assert run_chunk(second, at=timezone.now())
    cancel_run(run)
    assert not run_chunk(third, at=timezone.now())
    assert Label.objects.count() == 4
    with pytest.raises(RunNotActive):
        resume_run(run)


class Dear:
    """A backend whose answers cost, and that says beforehand how much at most."""

    def answer(self, requests):
        return [LabelScores((-0.1, -2.0, -3.0)[: len(one.labels)], 1.0, Usage(cost=0.25)) for one in requests]

    def most_cost(self, request):
        return 0.5

    def identity(self):
        return "dear"

    def limits(self):
        from judges.items import Limits

        return Limits()


@pytest.mark.django_db
def test_a_budget_stops_the_run_before_it_is_overspent(monkeypatch):
    run = small_run(n=6, chunk=1, budget=Decimal("1.3"))
    monkeypatch.setattr(actions, "load_asker", lambda spec: Asker({"judge": Dear()}))
    done = 0
    with pytest.raises(BudgetSpent):
        for pk in run.chunks.order_by("number").values_list("pk", flat=True):
            run_chunk(pk, at=timezone.now())
            done += 1
    run.refresh_from_db()
    assert done == 4  # 4 x 0.25 spent; a fifth could cost 0.5, and only 0.3 is left
    assert (run.cost, run.reserved) == (Decimal("1.000000"), Decimal("0.000000"))
    assert sum(Label.objects.values_list("cost", flat=True)) == Decimal("1.000000")


class DearWriter(Dear):
    """As `Dear`, and it writes."""

    def answer(self, requests):
        return [
            Texts(("Better.",), usage=Usage(cost=0.25))
            if isinstance(one, GenerateRequest)
            else Dear.answer(self, [one])[0]
            for one in requests
        ]


@pytest.mark.django_db
def test_what_an_unfinished_chunk_has_spent_is_counted_and_its_answers_are_kept(monkeypatch):
    """Two arguments are paid for; the verdicts after them could cost more than is left."""
    project = make_project()
    make_pairs(project, 1)
    spec = replace(CATALOG["smollm2"], name="dear", methods={"pairwise": MethodSpec("debate", {"rounds": 1})})
    add_judge(project=project, spec=spec, author=None)
    monkeypatch.setattr(actions, "load_asker", lambda spec: Asker({"judge": DearWriter()}))
    run = start_run(project=project, judge="dear", queued=False, budget=Decimal("1.2"))
    with pytest.raises(BudgetSpent):
        run_chunk(run.chunks.get().pk, at=timezone.now())
    run.refresh_from_db()
    assert (run.cost, run.reserved) == (Decimal("0.500000"), Decimal("0.000000"))
    assert not Label.objects.exists()
    again = start_run(project=project, judge="dear", queued=False, budget=Decimal("1.0"))
    assert run_chunk(
        again.chunks.get().pk, at=timezone.now()
    )  # the arguments are kept: nothing is reserved for them
    again.refresh_from_db()
    assert (again.cost, again.labelled) == (Decimal("0.500000"), 1)


@pytest.mark.django_db
def test_a_value_that_the_aspect_refuses_is_a_failure_and_the_run_goes_on(monkeypatch):
    run = small_run(n=4, chunk=4)
    fine = actions.as_labels

    def one_bad(judged, version):
        labels = fine(judged, version)
        return [replace(one, value={"strength": 99}) if one.instance.ref == "i1" else one for one in labels]

    monkeypatch.setattr(actions, "as_labels", one_bad)
    run_chunk(run.chunks.get().pk, at=timezone.now())
    run.refresh_from_db()
    assert (run.status, run.done, run.labelled, run.failed) == ("done", 4, 3, 1)
    assert "strength" in run.failures.get().reason


@pytest.mark.django_db
def test_a_chunk_that_takes_down_every_worker_ends_its_run():
    run = small_run(n=2)
    RunChunk.objects.update(status="working", alive=timezone.now() - LEASE * 2, attempts=3)
    take_up_lost(at=timezone.now())
    run.refresh_from_db()
    assert run.status == JudgeRun.Status.FAILED
    assert "3 times" in run.problem


@pytest.mark.django_db
def test_a_spec_that_could_not_run_is_refused():
    project = make_project()
    bad = replace(CATALOG["length"], name="bad", backends={"other": BackendSpec("length")})
    with pytest.raises(Exception, match="needs a backend for"):
        add_judge(project=project, spec=bad, author=None)


@pytest.fixture
def workers():
    """Starts judge workers on the tests' database and a queue of their own; ends those that still run."""
    started = []
    queue = f"judges-test-{os.getpid()}"

    def start():
        made = subprocess.Popen(
            [sys.executable, str(WORKER), connection.settings_dict["NAME"], queue],
            cwd=Path(__file__).parents[3],
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[3])},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(made)
        return made

    start.queue = queue
    yield start
    for one in started:
        if one.poll() is None:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def wait_until(true, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_kill_9_of_a_worker_in_mid_run_ends_with_every_instance_labelled_once(workers, monkeypatch, weights):
    """The worker dies with a chunk in its hands; another takes it up when its lease is over."""
    sent = current_app.send_task
    monkeypatch.setattr(
        current_app._get_current_object(),
        "send_task",
        lambda name, args, queue: sent(name, args=args, queue=workers.queue),
    )
    project = make_project()
    make_pairs(project, 10)
    add_judge(project=project, spec=replace(CATALOG["smollm2"], name="small", chunk=2), author=None)
    run = start_run(project=project, judge="small")
    doomed = workers()
    wait_until(
        lambda: (
            JudgeRun.objects.get(pk=run.pk).done >= 4
            and run.chunks.filter(status=RunChunk.Status.WORKING).exists()
        ),
        120,
    )
    os.killpg(doomed.pid, signal.SIGKILL)
    doomed.wait()
    run.refresh_from_db()
    assert run.status == JudgeRun.Status.RUNNING
    assert 4 <= run.done < 10
    assert run.chunks.filter(status=RunChunk.Status.WORKING).exists()  # died with work in its hands
    workers()
    assert take_up_lost(at=timezone.now() + LEASE + timedelta(seconds=1)) >= 1
    wait_until(lambda: JudgeRun.objects.get(pk=run.pk).status == JudgeRun.Status.DONE, 120)
    run.refresh_from_db()
    assert (run.done, run.labelled, run.failed) == (10, 10, 0)
    presentations = Counter(
        (ref, tuple(order)) for ref, order in Label.objects.values_list("instance__ref", "order")
    )
    assert len(presentations) == 20
    assert set(presentations.values()) == {1}
