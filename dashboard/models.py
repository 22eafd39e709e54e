"""What the dashboard keeps: uploads on their way into a project, and the index that instances are searched by."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone

from accounts.models import User
from ledger.models import Instance, Project


class UploadQuerySet(models.QuerySet["Upload"]):
    def of(self, project: Project) -> Self:
        return self.filter(project=project)

    def latest_first(self) -> Self:
        return self.order_by("-pk")


def upload_path(upload: "Upload", name: str) -> str:
    return f"uploads/{upload.project_id}/{name}"


class Upload(models.Model):
    """A file that an admin uploaded: looked at first, imported when told to, its report kept."""

    class Status(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        QUEUED = "queued", "Waiting for a worker"
        RUNNING = "running", "Importing"
        DONE = "done", "Imported"
        FAILED = "failed", "Failed"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="uploads")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    file = models.FileField(upload_to=upload_path, max_length=300)
    name = models.CharField(max_length=200, help_text="as the person called it")
    size = models.PositiveBigIntegerField(help_text="bytes")
    status = models.CharField(max_length=8, choices=Status, default=Status.UPLOADED)
    report = models.JSONField(
        default=dict, help_text="ledger.imports.load.Report; the first bad lines of many"
    )
    bad_lines = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True, help_text="why nothing could be imported")
    created = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True)

    objects = UploadQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def active(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class SearchText(models.Model):
    """The words of an instance's id, prompt and responses, for full-text search (`dashboard.search`)."""

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True, related_name="+")
    vector = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["vector"], name="instances_by_words")]
