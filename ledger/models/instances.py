"""An instance: a prompt and its responses, stored unchanged."""

from typing import Any, Self

from django.db import models
from django.utils import timezone

from ledger.models.projects import Project


class InstanceQuerySet(models.QuerySet["Instance"]):
    def of(self, project: Project) -> Self:
        return self.filter(project=project)

    def with_responses(self) -> Self:
        return self.prefetch_related("responses")


class Instance(models.Model):
    """A prompt (string or chat messages), its responses, its metadata. Immutable once imported."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="instances")
    ref = models.CharField(max_length=300, help_text="the import's id")
    prompt = models.JSONField(help_text="a string, or [{role, content}]")
    context = models.JSONField(
        default=dict, help_text="system, reference, rubric, principles: shown beside the prompt"
    )
    metadata = models.JSONField(default=dict)
    size = models.PositiveSmallIntegerField(help_text="how many responses")
    content_hash = models.CharField(max_length=64, help_text="BLAKE2b-256 of prompt, context and responses")
    prompt_hash = models.CharField(
        max_length=32, help_text="BLAKE2b-128 of the prompt: groups instances by prompt"
    )
    created = models.DateTimeField(default=timezone.now)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "ref"], name="one_instance_per_ref")]

    def __str__(self) -> str:
        return self.ref

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The prompt as chat messages."""
        if isinstance(self.prompt, str):
            return [{"role": "user", "content": self.prompt}]
        return self.prompt


class Response(models.Model):
    """One candidate answer; answers refer to it by `index`, never by its place on a screen."""

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="responses")
    index = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=120, help_text="the import's id of the response")
    model = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    messages = models.JSONField(null=True, help_text="the whole continuation, where it has several turns")
    metadata = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "index"], name="one_response_per_index")]
        ordering = ["index"]

    def __str__(self) -> str:
        return f"{self.instance_id}[{self.index}]"
