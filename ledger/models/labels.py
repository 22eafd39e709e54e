"""The label: one verdict of one rater on one aspect of one instance. Never changed, only superseded."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone

from ledger.models.instances import Instance
from ledger.models.projects import Aspect, GuidelineVersion, Project
from ledger.models.raters import Rater


class LabelQuerySet(models.QuerySet["Label"]):
    def live(self) -> Self:
        """Labels that no later label corrects."""
        return self.filter(superseded=None)

    def by_people(self) -> Self:
        return self.filter(rater__kind=Rater.Kind.PERSON)

    def by_judges(self) -> Self:
        return self.filter(rater__kind=Rater.Kind.JUDGE)


class Label(models.Model):
    """A row of the ledger.

    `value` is typed JSON, validated by the aspect's task type before it is written; `strength` and
    `score` are generated from it. `order` holds the response indices as they were shown (empty:
    unknown); together with `repeat` it names the presentation. A trigger refuses every update but
    the one that sets `superseded`, once, and every deletion but that of the whole project.
    """

    # Every index slows the hottest write, so only those that a query needs are kept.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels", db_index=False)
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="labels")
    aspect = models.ForeignKey(Aspect, on_delete=models.CASCADE, related_name="labels", db_index=False)
    rater = models.ForeignKey(Rater, on_delete=models.RESTRICT, related_name="labels", db_index=False)
    value = models.JSONField()
    order = ArrayField(models.SmallIntegerField(), default=list)
    repeat = models.PositiveSmallIntegerField(default=0)
    rationale = models.TextField(blank=True)
    detail = models.JSONField(
        default=dict, help_text="how it came about: a judge's raw figures, an import's extras"
    )
    guideline = models.ForeignKey(GuidelineVersion, null=True, on_delete=models.RESTRICT, db_index=False)
    version = models.CharField(max_length=64, blank=True, help_text="of the judge's prompt and model")
    duration_ms = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, help_text="in the project's currency"
    )
    created = models.DateTimeField(default=timezone.now)
    superseded = models.DateTimeField(null=True)
    replaces = models.ForeignKey(
        "self", null=True, on_delete=models.RESTRICT, related_name="replaced_by", db_index=False
    )
    strength = models.GeneratedField(
        expression=Cast(KT("value__strength"), models.SmallIntegerField()),
        output_field=models.SmallIntegerField(null=True),
        db_persist=True,
    )
    score = models.GeneratedField(
        expression=Cast(KT("value__probability"), models.FloatField()),
        output_field=models.FloatField(null=True),
        db_persist=True,
    )

    objects = LabelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rater", "instance", "aspect", "order", "repeat"],
                condition=Q(superseded=None),
                name="one_live_label_per_presentation",
            ),
            models.CheckConstraint(
                condition=Q(superseded=None) | Q(superseded__gte=F("created")),
                name="superseded_after_created",
            ),
        ]
        indexes = [models.Index(fields=["project", "id"], name="ledger_page")]

    def __str__(self) -> str:
        return f"{self.rater_id} on {self.instance_id}/{self.aspect_id}: {self.value}"
