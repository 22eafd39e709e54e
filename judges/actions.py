"""Writes of the judges: start a run, work on a chunk, pause, resume, cancel, take up what was lost."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from celery import current_app
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from judges.caching import Cached
from judges.catalog import JudgeSpec, from_json
from judges.judging import Answering, Judged, judge_instances
from judges.loading import Asker, freeze, load_asker, pinned
from judges.models import LEASE, JudgeRun, RunChunk, RunFailure
from judges.problems import BudgetSpent, NothingToJudge, RunNotActive
from judges.requests import NOTHING, Answer, Request, Usage, usage_of
from judges.specs import find_judge
from judges.verdicts import Failed, Verdict
from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Aspect, Instance, Label, Project, Rater
from web.problems import Invalid, Problem

log = logging.getLogger("switchyard.judges")
MOST_ATTEMPTS = 3  # workers that a chunk may take down before its run is given up


# ---------------------------------------------------------------- start


def start_run(
    *,
    project: Project,
    judge: str,
    limit: int | None = None,
    aspect_names: Sequence[str] = (),
    budget: Decimal | None = None,
    author: User | None = None,
    queued: bool = True,
) -> JudgeRun:
    """A run over the instances that this judge's present version has not labelled yet, cut into chunks.

    Raises `UnknownName`, `NothingToJudge`. The chunks of a queued run are sent to the workers on commit.
    """
    spec = find_judge(project, judge)
    aspects = judged_aspects(project, spec, aspect_names)
    spec = pinned(spec, project, aspects)
    version = freeze(spec, aspects)
    with transaction.atomic():
        rater = ensure_rater(project, kind=Rater.Kind.JUDGE, name=spec.name)
        ids = unlabelled(project, rater, version.hash, aspects, limit)
        run = JudgeRun.objects.create(
            project=project,
            version=version,
            rater=rater,
            total=len(ids),
            budget=budget,
            author=author,
            queued=queued,
        )
        run.aspects.set(aspects)
        pieces = [ids[at : at + spec.chunk] for at in range(0, len(ids), spec.chunk)]
        RunChunk.objects.bulk_create(
            RunChunk(run=run, number=number, instance_ids=piece) for number, piece in enumerate(pieces)
        )
        _end_if_finished(run)
        if queued:
            enqueue(run)
    return run


def judged_aspects(project: Project, spec: JudgeSpec, names: Sequence[str] = ()) -> list[Aspect]:
    """The project's aspects (of `names`, where given) whose task type the judge can answer. Raises
    `NothingToJudge`.
    """
    everything = list(project.aspects.all())
    chosen = [a for a in everything if spec.method_for(a.task_type) and (not names or a.name in names)]
    if not chosen:
        kinds = sorted({aspect.task_type for aspect in everything})
        raise NothingToJudge(
            f"{spec.name} has no aspect to judge in {project.slug}: the project asks {kinds or 'nothing'}.",
            project=project.slug,
            judge=spec.name,
        )
    return chosen


def unlabelled(
    project: Project, rater: Rater, version: str, aspects: Sequence[Aspect], limit: int | None
) -> list[int]:
    """Ids of the instances on which some aspect lacks a live label of this rater and version, in import
    order.
    """
    labelled = Label.objects.live().filter(rater=rater, version=version)
    wanting: set[int] = set()
    for aspect in aspects:
        fitting = Instance.objects.of(project).filter(size__gte=2)
        if aspect.task_type == "pairwise":
            fitting = fitting.filter(size=2)
        if aspect.task_type == "rating":
            fitting = Instance.objects.of(project)
        done = labelled.filter(aspect=aspect).values("instance")
        wanting.update(fitting.exclude(pk__in=done).order_by("pk").values_list("pk", flat=True))
    return sorted(wanting)[:limit]


def enqueue(run: JudgeRun) -> None:
    """Send the run's waiting chunks to the judges' queue when the transaction commits.

    By the task's name, since tasks stand above actions.
    """
    pks = list(run.chunks.waiting().order_by("number").values_list("pk", flat=True))

    def send() -> None:
        for pk in pks:
            current_app.send_task("judges.tasks.work_on_chunk", args=[pk], queue="judges")

    transaction.on_commit(send)


# ---------------------------------------------------------------- work


def run_chunk(pk: int, *, at: datetime) -> bool:
    """Judge one chunk and write its labels; False where there was nothing to do.

    Safe to repeat and to run twice at once: the chunk is claimed under a lease, and its labels, failures
    and counts are written in one transaction that first sees, under the chunk's lock, that nobody was
    faster.
    """
    chunk = claim(pk, at=at)
    if chunk is None:
        return False
    spec = from_json(chunk.run.version.spec["spec"])
    aspects = list(chunk.run.aspects.all())
    with signs_of_life(chunk):
        asker = load_asker(spec)
        answer = within_budget(chunk, asker)
        cached = Cached(asker, answer) if spec.cached else None
        answer = cached.answer if cached else answer  # what is kept costs nothing, and is not reserved for
        started = time.perf_counter()
        instances = list(Instance.objects.with_responses().filter(pk__in=chunk.instance_ids).order_by("pk"))
        try:
            judged = judge_instances(spec, instances, aspects, answer=answer, limits=asker.limits())
        except Problem:
            account(chunk, cached)
            raise
    return record(chunk, judged, cached, seconds=time.perf_counter() - started)


def claim(pk: int, *, at: datetime) -> RunChunk | None:
    """The chunk, held by this process for a lease; None where it is done, held by another, or its run not
    running.

    Lock: the chunk's row.
    """
    with transaction.atomic():
        chunk = RunChunk.objects.select_for_update(of=("self",)).select_related("run__version").get(pk=pk)
        held = (
            chunk.status == RunChunk.Status.WORKING and chunk.alive is not None and chunk.alive > at - LEASE
        )
        if chunk.status == RunChunk.Status.DONE or held or chunk.run.status != JudgeRun.Status.RUNNING:
            return None
        chunk.status, chunk.worker, chunk.alive = RunChunk.Status.WORKING, me(), at
        chunk.attempts += 1
        chunk.save(update_fields=["status", "worker", "alive", "attempts"])
    return chunk


def me() -> str:
    """This process, as chunks name their worker."""
    return f"{socket.gethostname()}:{os.getpid()}"


@contextmanager
def signs_of_life(chunk: RunChunk) -> Iterator[None]:
    """Renew the chunk's lease from a thread of its own while the block works, however long that takes."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(LEASE.total_seconds() / 6):
            RunChunk.objects.filter(pk=chunk.pk, worker=chunk.worker).update(alive=timezone.now())
        connection.close()

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def account(chunk: RunChunk, cached: Cached | None) -> None:
    """Count what an unfinished chunk has spent, and keep the answers that it was spent on.

    Lock: the run's row, by one update.
    """
    with transaction.atomic():
        if cached is not None:
            cached.store()
        JudgeRun.objects.filter(pk=chunk.run_id).update(
            cost=F("cost") + chunk.reserved, reserved=F("reserved") - chunk.reserved
        )


def within_budget(chunk: RunChunk, asker: Asker) -> Answering:
    """The asker's answers; each call first reserves the most that its requests can cost. Raises `BudgetSpent`
    before they are sent.

    The reservation is one conditional update, so that workers side by side cannot overspend together; after
    the answers it shrinks to what they did cost, and `record` turns it into cost.
    """
    if chunk.run.budget is None:
        return asker.answer
    run = JudgeRun.objects.filter(pk=chunk.run_id)

    def answering(requests: Sequence[Request]) -> Sequence[Answer]:
        most = as_money(asker.most_cost(requests))
        room = run.filter(budget__gte=F("cost") + F("reserved") + most)
        if not room.update(reserved=F("reserved") + most):
            raise BudgetSpent(
                "The next requests could cost more than what is left of the budget.", run=chunk.run_id
            )
        answers = asker.answer(requests)
        spent = as_money(usage_of(answers).cost)
        run.update(reserved=F("reserved") - most + spent)
        chunk.reserved += spent
        return answers

    return answering


def as_money(amount: float) -> Decimal:
    return Decimal(str(round(amount, 6)))


def record(chunk: RunChunk, judged: Sequence[Judged], cached: Cached | None, *, seconds: float) -> bool:
    """Write what was judged, once: False where another worker had finished the chunk or the run has ended.

    Locks: the run's row, then the chunk's, so that counts and labels move together.
    """
    with transaction.atomic():
        if cached is not None:
            cached.store()
        run = (
            JudgeRun.objects.select_for_update(of=("self",))
            .select_related("rater", "version")
            .get(pk=chunk.run_id)
        )
        fresh = RunChunk.objects.select_for_update().get(pk=chunk.pk)
        if fresh.status == RunChunk.Status.DONE or not run.active:
            return False
        labels, refused = fitting(
            [label for one in judged for label in as_labels(one, run.version.hash)], run
        )
        write_labels(project=run.project, rater=run.rater, labels=labels)
        failures = [*refused, *(failure for one in judged for failure in as_failures(one, run))]
        RunFailure.objects.bulk_create(failures, ignore_conflicts=True)
        fresh.status, fresh.reserved = RunChunk.Status.DONE, chunk.reserved
        fresh.save(update_fields=["status", "reserved"])
        _count(run, fresh, judged, labels, failures, seconds)
        _end_if_finished(run)
    log.debug("chunk %s of run %s: %s labels, %s failures", chunk.number, run.pk, len(labels), len(failures))
    return True


def fitting(labels: Sequence[NewLabel], run: JudgeRun) -> tuple[list[NewLabel], list[RunFailure]]:
    """The labels that their aspects accept, and a failure for each instance and aspect with one that they
    do not.

    One value that does not fit must not end a run of thousands.
    """
    refused: dict[tuple[int, int], RunFailure] = {}
    for label in labels:
        key = (label.instance.pk, label.aspect.pk)
        try:
            label.aspect.task.clean(label.value, settings=label.aspect.settings, size=label.instance.size)
        except Invalid as problem:
            refused[key] = RunFailure(
                run=run, instance=label.instance, aspect=label.aspect, reason=problem.detail[:500]
            )
    return [one for one in labels if (one.instance.pk, one.aspect.pk) not in refused], list(refused.values())


def as_labels(judged: Judged, version: str) -> list[NewLabel]:
    """A label for each verdict."""
    return [
        NewLabel(
            instance=judged.instance,
            aspect=judged.aspect,
            value=dict(verdict.value),
            order=verdict.order,
            repeat=verdict.repeat,
            rationale=verdict.rationale,
            detail={**verdict.detail, "usage": _usage(verdict.usage)},
            version=version,
            duration_ms=round(verdict.usage.seconds * 1000),
            cost=as_money(verdict.usage.cost),
        )
        for verdict in judged.outcomes
        if isinstance(verdict, Verdict)
    ]


def as_failures(judged: Judged, run: JudgeRun) -> list[RunFailure]:
    """The row of the first failed outcome, where there is one."""
    failed = [outcome for outcome in judged.outcomes if isinstance(outcome, Failed)]
    return [
        RunFailure(
            run=run,
            instance=judged.instance,
            aspect=judged.aspect,
            reason=one.reason[:500],
            raw=one.raw[:20_000],
            attempts=max(one.usage.attempts, 1),
        )
        for one in failed[:1]
    ]


def _usage(usage: Usage) -> dict[str, Any]:
    return {"read": usage.read, "reused": usage.reused, "written": usage.written, "attempts": usage.attempts}


def _count(
    run: JudgeRun,
    chunk: RunChunk,
    judged: Sequence[Judged],
    labels: Sequence[NewLabel],
    failures: Sequence[RunFailure],
    seconds: float,
) -> None:
    """Add a chunk's figures to its run's."""
    spent = sum((outcome.usage for one in judged for outcome in one.outcomes), NOTHING)
    run.done += len(chunk.instance_ids)
    run.labelled += len({label.instance.pk for label in labels})
    run.pairs += len({(label.instance.pk, label.aspect.pk) for label in labels})
    run.failed += len(failures)
    run.seconds += seconds
    run.tokens_read += spent.read
    run.tokens_reused += spent.reused
    run.tokens_written += spent.written
    run.cost += as_money(spent.cost) if run.budget is None else chunk.reserved
    run.reserved -= chunk.reserved
    run.save()


def _end_if_finished(run: JudgeRun) -> None:
    if run.active and run.done >= run.total:
        run.status, run.ended = JudgeRun.Status.DONE, timezone.now()
        run.save(update_fields=["status", "ended"])


# ---------------------------------------------------------------- steer


def pause_run(run: JudgeRun) -> JudgeRun:
    """Stop handing out chunks; those at work are finished and count. Raises `RunNotActive`."""
    return _move(run, JudgeRun.Status.PAUSED)


def resume_run(run: JudgeRun) -> JudgeRun:
    """Hand out the waiting chunks again. Raises `RunNotActive`."""
    with transaction.atomic():
        resumed = _move(run, JudgeRun.Status.RUNNING)
        enqueue(resumed)
    return resumed


def cancel_run(run: JudgeRun) -> JudgeRun:
    """End the run; labels that are written stay, chunks at work write nothing more. Raises `RunNotActive`."""
    return _move(run, JudgeRun.Status.CANCELLED, ended=timezone.now())


def fail_run(run: JudgeRun, problem: str) -> JudgeRun:
    """End the run because of a problem that every chunk would meet, such as missing weights."""
    return _move(run, JudgeRun.Status.FAILED, ended=timezone.now(), problem=problem)


def end_run(run: JudgeRun, problem: Problem) -> JudgeRun:
    """End an active run over a problem that its next chunk would meet as well: stopped at its budget, else
    failed.
    """
    if not run.active:
        return run
    return (
        stop_run(run, problem.detail) if isinstance(problem, BudgetSpent) else fail_run(run, problem.detail)
    )


def stop_run(run: JudgeRun, problem: str) -> JudgeRun:
    """End the run before it is overspent; its labels stay."""
    return _move(run, JudgeRun.Status.STOPPED, ended=timezone.now(), problem=problem)


def _move(run: JudgeRun, status: JudgeRun.Status, **fields: Any) -> JudgeRun:
    """Change an active run's status. Lock: its row."""
    with transaction.atomic():
        locked = JudgeRun.objects.select_for_update().get(pk=run.pk)
        if not locked.active:
            raise RunNotActive(f"The run has ended: {locked.get_status_display()}.", run=locked.pk)
        for name, value in {"status": status, **fields}.items():
            setattr(locked, name, value)
        locked.save(update_fields=["status", *fields])
    return locked


def take_up_lost(*, at: datetime) -> int:
    """Send again the chunks whose worker has gone silent, and end runs whose command died; how many
    chunks.
    """
    lost = RunChunk.objects.lost(at).filter(run__status=JudgeRun.Status.RUNNING)
    for run in JudgeRun.objects.filter(chunks__in=lost.filter(attempts__gte=MOST_ATTEMPTS)).distinct():
        fail_run(run, f"A chunk ended its worker {MOST_ATTEMPTS} times; the workers' log says how.")
    with transaction.atomic():
        pks = list(lost.filter(run__queued=True).values_list("pk", flat=True))
        RunChunk.objects.filter(pk__in=pks).update(status=RunChunk.Status.WAITING, worker="")
        for run in JudgeRun.objects.filter(pk__in=RunChunk.objects.filter(pk__in=pks).values("run")):
            enqueue(run)
        orphans = lost.filter(run__queued=False).values("run")
        JudgeRun.objects.filter(pk__in=orphans).update(
            status=JudgeRun.Status.FAILED, ended=at, problem="The command that ran it has ended."
        )
    return len(pks)
