"""A project, its members, its guidelines and its aspects."""

from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from accounts.models import User
from accounts.rights import Role
from ledger.task_types import TASK_TYPES


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, user: User) -> Self:
        """The projects that `user` is an active member of; a superuser sees all."""
        if user.is_superuser:
            return self
        return self.filter(members__user=user, members__status=Member.Status.ACTIVE).distinct()

    def open(self) -> Self:
        return self.filter(archived=None)


class Project(models.Model):
    """A collection effort: guidelines, aspects, raters, budget."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    template = models.CharField(max_length=40)
    overlap = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text="how many people should label an instance",
    )
    routed = models.BooleanField(
        default=False,
        help_text="whether a route decides which instances are open to people; without one all are",
    )
    revision = models.PositiveIntegerField(
        default=0, help_text="raised by a trigger with every change of what is asked"
    )
    settings = models.JSONField(
        default=dict, blank=True, help_text="what is off until set: quotas, gold rate, prices, onboarding …"
    )
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="owned_projects")
    created = models.DateTimeField(default=timezone.now)
    archived = models.DateTimeField(null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(overlap__gte=1), name="overlap_at_least_one")
        ]

    def __str__(self) -> str:
        return self.name

    def guidelines(self) -> "GuidelineVersion | None":
        """The current version of the guidelines, where any were written."""
        return self.guideline_versions.order_by("-number").first()


class Member(models.Model):
    """A user's place in a project."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        REMOVED = "removed", "Removed"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role, default=Role.ANNOTATOR)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    reason = models.CharField(max_length=300, blank=True, help_text="why paused, shown to the member")
    settings = models.JSONField(default=dict, blank=True, help_text="quotas, skills, price an hour")
    joined = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_project")]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}"


class GuidelineVersion(models.Model):
    """What annotators read; immutable once written, so that a label can name its version."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guideline_versions")
    number = models.PositiveIntegerField()
    text = models.TextField(help_text="Markdown")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="one_text_per_guideline_number")
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class Aspect(models.Model):
    """One question asked about an instance, and how it is asked."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="aspects")
    name = models.CharField(max_length=80)
    title = models.CharField(max_length=120, blank=True)
    description = models.TextField(blank=True)
    task_type = models.CharField(max_length=32)
    settings = models.JSONField(default=dict, blank=True)
    required = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="one_aspect_per_name")]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.title or self.name.replace("_", " ").replace("-", " ").capitalize()

    @property
    def task(self) -> Any:
        """The task type's object (`ledger.task_types`)."""
        return TASK_TYPES.load(self.task_type)
