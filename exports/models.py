"""A snapshot: a frozen, hashed, reproducible version of a project's dataset."""

import zlib
from typing import Self

import numpy as np
from django.db import models
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User
from ledger.models import Project
from routing.models import Settlement


def pack(ids: NDArray[np.int64]) -> bytes:
    """Sorted row ids as their compressed differences: a byte or two each, where they are dense."""
    return zlib.compress(np.diff(ids, prepend=0).astype("<i8").tobytes(), 6)


def unpack(packed: bytes) -> NDArray[np.int64]:
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
