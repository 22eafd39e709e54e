"""Judges' tables: a judge's frozen version, its runs, their chunks and failures, and the cache of answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, Sum, Window
from django.utils import timezone

from accounts.models import User
from ledger.models import Aspect, Instance, Project, Rater

LEASE = timedelta(seconds=180)  # how long a chunk is held without a sign of life


class Endpoint(models.Model):
    """A remote model server of a project. The key is sealed (`judges.keys`) and leaves the row for a header
    alone.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="endpoints")
    name = models.CharField(max_length=80)
    url = models.URLField(max_length=500, help_text="up to /v1")
    key = models.BinaryField(default=b"", help_text="sealed")
    concurrency = models.PositiveSmallIntegerField(default=8)
    rate = models.FloatField(default=0, help_text="calls a second at most; 0: no bound")
    prices = models.JSONField(default=dict, help_text="read, written: cost of a million tokens")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_endpoint_per_name")]

    def __str__(self) -> str:
        return self.name


class Judge(models.Model):
    """A project's own judge: a spec as `judges.catalog.JudgeSpec` writes it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="own_judges")
    name = models.CharField(max_length=120)
    spec = models.JSONField()
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_judge_per_name")]

    def __str__(self) -> str:
        return self.name


class JudgeVersion(models.Model):
    """Everything that a judge's verdicts depend on, frozen: methods, prompts, model revision, parameters."""

    hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the spec")
    name = models.CharField(max_length=200)
    spec = models.JSONField(help_text="methods with parameters and prompts, backends with model and revision")
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name}@{self.hash[:8]}"


class JudgeRunQuerySet(models.QuerySet["JudgeRun"]):
    def active(self) -> Self:
        """Runs that have not ended."""
        return self.filter(status__in=JudgeRun.ACTIVE)

    def latest_first(self) -> Self:
        return self.order_by("-created", "-id")


class JudgeRun(models.Model):
    """One run of a judge over a project's instances: a judgment in DESIGN.md's word."""

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        STOPPED = "stopped", "Stopped at its budget"
        FAILED = "failed", "Failed"

    ACTIVE = (Status.RUNNING, Status.PAUSED)

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="judge_runs")
    version = models.ForeignKey(JudgeVersion, on_delete=models.RESTRICT, related_name="runs")
    rater = models.ForeignKey(Rater, on_delete=models.RESTRICT, related_name="judge_runs")
    aspects = models.ManyToManyField(Aspect, related_name="judge_runs")
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    queued = models.BooleanField(
        default=True, help_text="by workers; False: inside the command that started it"
    )
    total = models.PositiveIntegerField(help_text="instances to judge")
    done = models.PositiveIntegerField(default=0, help_text="instances judged or failed")
    labelled = models.PositiveIntegerField(default=0, help_text="instances with at least one label written")
    pairs = models.PositiveIntegerField(default=0, help_text="instance-aspect pairs answered")
    failed = models.PositiveIntegerField(default=0, help_text="instance-aspect pairs without a verdict")
    seconds = models.FloatField(default=0, help_text="of work, over all workers, loading left out")
    tokens_read = models.PositiveBigIntegerField(default=0)
    tokens_reused = models.PositiveBigIntegerField(default=0)
    tokens_written = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    reserved = models.DecimalField(
        max_digits=14,
        decimal_places=6,
        default=0,
        help_text="the most that the chunks at work may still cost",
    )
    budget = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    problem = models.TextField(blank=True, help_text="why it failed or stopped")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True)

    objects = JudgeRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="run_done_within_total"),
            models.CheckConstraint(
                condition=Q(budget=None) | Q(cost__lte=F("budget")), name="run_cost_within_budget"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rater_id} over {self.project_id}: {self.status}"

    @property
    def active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def share(self) -> float:
        """The part of the instances that is done, 0…1."""
        return self.done / self.total if self.total else 1.0

    @property
    def pairs_per_second(self) -> float:
        return self.pairs / self.seconds if self.seconds else 0.0

    @property
    def forecast(self) -> float:
        """The whole run's cost, if the rest costs as much an instance as what is done."""
        return float(self.cost) / self.done * self.total if self.done else 0.0

    def seconds_left(self, at: datetime) -> float | None:
        """By the pace since the run began; None before the first chunk."""
        if not self.done or not self.active:
            return None
        return (at - self.created).total_seconds() / self.done * (self.total - self.done)


class RunChunkQuerySet(models.QuerySet["RunChunk"]):
    def waiting(self) -> Self:
        return self.filter(status=RunChunk.Status.WAITING)

    def lost(self, at: datetime) -> Self:
        """Chunks at work whose worker has shown no life for longer than a lease."""
        return self.filter(status=RunChunk.Status.WORKING, alive__lt=at - LEASE)


class RunChunk(models.Model):
    """A part of a run that is judged and written in one go."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        WORKING = "working", "Working"
        DONE = "done", "Done"

    run = models.ForeignKey(JudgeRun, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    instance_ids = ArrayField(models.BigIntegerField())
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    worker = models.CharField(max_length=120, blank=True)
    alive = models.DateTimeField(null=True, help_text="the worker's last sign of life")
    attempts = models.PositiveSmallIntegerField(default=0)
    reserved = models.DecimalField(max_digits=14, decimal_places=6, default=0)

    objects = RunChunkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_chunk_per_number")]
        indexes = [models.Index(fields=["run", "status"], name="chunks_by_status")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number} {self.status}"


class RunFailure(models.Model):
    """An instance and aspect on which the judge gave no verdict, and why: a state of its own, never a
    label.
    """

    run = models.ForeignKey(JudgeRun, on_delete=models.CASCADE, related_name="failures")
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="+")
    aspect = models.ForeignKey(Aspect, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=500)
    raw = models.TextField(blank=True, help_text="what the model answered instead")
    attempts = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "instance", "aspect"], name="one_failure_per_run_and_question"
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.instance_id}/{self.aspect_id}: {self.reason}"


class CachedAnswerQuerySet(models.QuerySet["CachedAnswer"]):
    def older_than(self, at: datetime) -> Self:
        return self.filter(created__lt=at)

    def beyond(self, size: int) -> Self:
        """The oldest ones, without which the rest takes at most `size` bytes as PostgreSQL stores it."""
        taken = Window(Sum(F("size")), order_by=[F("created").desc(), F("key").desc()])
        sized = self.annotate(
            size=Func(F("body"), function="pg_column_size", output_field=models.BigIntegerField())
        )
        return self.filter(key__in=sized.annotate(taken=taken).filter(taken__gt=size).values("key"))


class CachedAnswer(models.Model):
    """What a model answered to a request, by the request's content; read before any request is sent."""

    key = models.CharField(max_length=64, primary_key=True)
    body = models.JSONField()
    created = models.DateTimeField(default=timezone.now)

    objects = CachedAnswerQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["created"], name="cached_answers_by_age")]

    def __str__(self) -> str:
        return self.key[:12]


class JudgeAuditQuerySet(models.QuerySet["JudgeAudit"]):
    def latest_of(self, project: Project) -> Self:
        """The newest audit of each judge and aspect of the project."""
        return (
            self.filter(project=project)
            .order_by("rater_id", "aspect_id", "-pk")
            .distinct("rater_id", "aspect_id")
        )

    def of_judge(self, project: Project, judge: str, aspect: Aspect | None) -> Self:
        """One judge's audits on an aspect, newest first."""
        return self.filter(project=project, rater__name=judge, aspect=aspect).order_by("-pk")

    def asking(self) -> Self:
        """Those in which the judge itself was asked again."""
        return self.filter(report__has_any_keys=["consistency", "attacks"])


class JudgeAudit(models.Model):
    """What an audit found (`judges.audit`), as it was then."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="judge_audits")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="audits")
    aspect = models.ForeignKey(Aspect, on_delete=models.CASCADE, related_name="judge_audits")
    report = models.JSONField()
    created = models.DateTimeField(default=timezone.now)

    objects = JudgeAuditQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.rater_id} on {self.aspect_id}"
