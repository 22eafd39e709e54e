"""Snapshots, frozen versions of a project's dataset, and the files prepared from them."""

import zlib
from pathlib import Path
from typing import Self

import numpy as np
from django.conf import settings
from django.db import models
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User
from ledger.models import Project
from routing.models import Settlement


def pack(ids: NDArray[np.int64]) -> bytes:
    """Sorted row ids as their compressed differences: a byte or two each, where they are dense."""
    return zlib.compress(np.diff(ids, prepend=0).astype("<i8").tobytes(), 6)


def unpack(packed: bytes | memoryview) -> NDArray[np.int64]:
    """The ids that `pack` was given, sorted: (N,)."""
    return np.cumsum(np.frombuffer(zlib.decompress(packed), "<i8"))


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    def of(self, project: Project) -> Self:
        return self.filter(project=project).defer("instances", "labels", "retired")

    def newest_first(self) -> Self:
        return self.order_by("-created", "-pk")


class Snapshot(models.Model):
    """A version of the dataset. Never changed; what it names can be read again byte for byte.

    Preferences are read as of `settlement`; the ids of the instances and labels that existed are kept
    here, since rows that were being written at the moment can carry lower ids than the newest seen.
    `hash` is the Merkle root over the rows that `trl-preference` writes with `choices`.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="snapshots")
    version = models.CharField(max_length=80)
    settlement = models.ForeignKey(Settlement, on_delete=models.RESTRICT, related_name="snapshots")
    choices = models.JSONField(help_text="exports.choices.Choices")
    shape = models.JSONField(help_text="exports.records.Shape: what decides the columns' types")
    rows = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    manifest = models.JSONField(default=dict, help_text="the facts of the card, as they were")
    instances = models.BinaryField(help_text="packed ids")
    labels = models.BinaryField(help_text="packed ids of the live labels")
    retired = models.BinaryField(help_text="packed ids of the superseded labels")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created = models.DateTimeField(default=timezone.now)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="one_snapshot_per_version")
        ]

    def __str__(self) -> str:
        return self.version


class PreparedFile(models.Model):
    """A snapshot's file, written by a worker, so that a long download can be taken up again where it broke off."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being written"
        DONE = "done", "Ready"
        FAILED = "failed", "Failed"

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="files")
    format = models.CharField(max_length=40)
    container = models.CharField(max_length=20)
    choices = models.JSONField(default=dict, help_text="those given beside the snapshot's own")
    tag = models.CharField(max_length=64, unique=True, help_text="names the bytes: the download's ETag")
    status = models.CharField(max_length=8, choices=Status, default=Status.WAITING)
    rows = models.PositiveIntegerField(null=True)
    hash = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(null=True, help_text="bytes")
    error = models.TextField(blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.snapshot} as {self.format}, {self.container}"

    @property
    def path(self) -> Path:
        """Where the file lies; the tag is a hash, so nothing of a user's is in it."""
        return Path(settings.MEDIA_ROOT) / "exports" / f"{self.tag}.{self.container}"
