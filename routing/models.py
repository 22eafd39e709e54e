"""Routes and their decisions; settlements and the preferences that they derive."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from ledger.models import Aspect, Instance, Project, Rater


class RouteQuerySet(models.QuerySet["Route"]):
    def live(self) -> Self:
        """The routes that no later one replaced or took back."""
        return self.filter(replaced=None)


class Route(models.Model):
    """One run of a policy over a project's aspect: who labels what, and what was promised."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="routes")
    aspect = models.ForeignKey(Aspect, on_delete=models.CASCADE, related_name="routes")
    judge = models.ForeignKey(Rater, null=True, on_delete=models.RESTRICT, related_name="routes")
    policy = models.CharField(max_length=40)
    version = models.CharField(max_length=64, help_text="of the policy")
    parameters = models.JSONField(default=dict)
    seed = models.BigIntegerField()
    budget = models.FloatField(null=True, help_text="share of all instances, 0…1")
    target = models.FloatField(null=True, help_text="promised agreement, 0…1")
    confidence = models.FloatField(null=True)
    expected = models.JSONField(null=True, help_text="expected agreement: mean, low, high")
    summary = models.JSONField(default=dict, help_text="what the command reported")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created = models.DateTimeField(default=timezone.now)
    replaced = models.DateTimeField(null=True)

    objects = RouteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(replaced=None), name="one_live_route_per_project"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} {self.created:%Y-%m-%d %H:%M}"


class Decision(models.Model):
    """Where one instance goes, what a human label on it is expected to add, and why."""

    class Way(models.TextChoices):
        HUMAN = "human", "People"
        AI = "ai", "Judge"
        BOTH = "both", "Both"

    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="decisions")
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="decisions")
    way = models.CharField(max_length=5, choices=Way)
    gain = models.FloatField(null=True)
    rank = models.PositiveIntegerField(null=True, help_text="0 first, by falling gain")
    propensity = models.FloatField(null=True, help_text="the chance with which it went to people")
    audit = models.BooleanField(default=False, help_text="sent to people at random, to keep figures honest")
    reason = models.CharField(max_length=300)
    features = models.JSONField(default=dict, help_text="what the reason rests on")
    posterior = ArrayField(
        models.FloatField(), null=True, help_text="P(first), P(tie), P(second), where fused"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["route", "instance"], name="one_decision_per_instance")
        ]
        indexes = [models.Index(fields=["route", "way"], name="decisions_by_way")]


class Settlement(models.Model):
    """One run of settling: which labels counted and how they were aggregated."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="settlements")
    route = models.ForeignKey(Route, null=True, on_delete=models.RESTRICT, related_name="settlements")
    method = models.CharField(max_length=40)
    number = models.PositiveIntegerField(help_text="1, 2, … in the project")
    watermark = models.BigIntegerField(help_text="the highest label id that was read")
    counts = models.JSONField(default=dict, help_text="preferences, ties, undecided")
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="one_settlement_per_number")
        ]


class PreferenceQuerySet(models.QuerySet["Preference"]):
    def live(self) -> Self:
        return self.filter(until=None)

    def at(self, settlement: Settlement) -> Self:
        """The preferences as they stood right after `settlement`."""
        return self.filter(project=settlement.project, since__lte=settlement.number).filter(
            Q(until=None) | Q(until__gt=settlement.number)
        )


class Preference(models.Model):
    """The consensus on one aspect of one instance, derived from labels; never typed in by hand.

    Immutable but for `until`: a later settlement that derives something else writes a new row and
    ends this one, so that every earlier state can be read again.
    """

    class Outcome(models.TextChoices):
        PREFERRED = "preferred", "One is preferred"
        TIE = "tie", "Tie"
        BOTH_BAD = "both_bad", "Both bad"
        UNDECIDED = "undecided", "Undecided"

    class Source(models.TextChoices):
        HUMAN = "human", "People"
        AI = "ai", "AI"
        FUSED = "fused", "Fused"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="preferences", db_index=False)
    instance = models.ForeignKey(
        Instance, on_delete=models.CASCADE, related_name="preferences", db_index=False
    )
    aspect = models.ForeignKey(Aspect, on_delete=models.CASCADE, related_name="preferences", db_index=False)
    since = models.PositiveIntegerField(help_text="number of the settlement that derived it")
    until = models.PositiveIntegerField(
        null=True, help_text="number of the settlement that derived something else"
    )
    outcome = models.CharField(max_length=9, choices=Outcome)
    source = models.CharField(max_length=5, choices=Source)
    value = models.JSONField(
        help_text="the consensus in the task type's terms: mean strength and probability; mean ratings; ranks"
    )
    chosen = models.SmallIntegerField(null=True, help_text="index of the best response")
    rejected = models.SmallIntegerField(null=True, help_text="index of the worst response")
    probability = models.FloatField(null=True, help_text="pairwise: P(response 1 preferred), a tie halved")
    margin = models.FloatField(
        null=True, help_text="strength or rating difference between chosen and rejected"
    )
    agreement = models.FloatField(
        null=True, help_text="share of the counted labels that agree with the outcome"
    )
    raters = ArrayField(models.CharField(max_length=200), help_text="names, in the order of their labels")
    labels = ArrayField(models.BigIntegerField(), help_text="the labels that counted")
    route = models.CharField(max_length=5, blank=True, help_text="human, ai or both; empty without a route")
    policy = models.CharField(max_length=40, blank=True)
    method = models.CharField(max_length=40)

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instance", "aspect"], condition=Q(until=None), name="one_live_preference"
            ),
            models.UniqueConstraint(
                fields=["instance", "aspect", "since"], name="one_preference_per_settlement"
            ),
        ]
        indexes = [models.Index(fields=["project", "aspect", "since"], name="preferences_of_project")]
