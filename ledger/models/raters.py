"""A rater: whoever gives verdicts, a person or a judge."""

from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models import User
from ledger.models.projects import Project


class RaterQuerySet(models.QuerySet["Rater"]):
    def people(self) -> Self:
        return self.filter(kind=Rater.Kind.PERSON)

    def judges(self) -> Self:
        return self.filter(kind=Rater.Kind.JUDGE)


class Rater(models.Model):
    """One voice in a project. Gold answers and adjudications come from raters of their own kinds."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        JUDGE = "judge", "Judge"
        GOLD = "gold", "Gold"
        ADJUDICATOR = "adjudicator", "Adjudicator"
        USE = "use", "Signal from use"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="raters")
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=200)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="raters")
    level = models.CharField(max_length=20, blank=True, help_text="crowd or expert, where known")
    settings = models.JSONField(default=dict, blank=True)

    objects = RaterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "name"], name="one_rater_per_name"),
            models.UniqueConstraint(
                fields=["project", "user"], condition=Q(kind="person"), name="one_person_per_project_and_user"
            ),
        ]

    def __str__(self) -> str:
        return self.name
