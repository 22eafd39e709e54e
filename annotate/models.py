"""Open work and who holds it.

A *seat* is one of the places that people have at an instance; there are as many as the overlap
asks for, and (instance, slot) is unique, so the overlap cannot be overrun. An *assignment* is one
hand-out of a seat to a rater: a lease that ends in a submission, a skip, or its expiry. Gold and
consistency probes may be handed out without a seat. What a member labelled before it was imported counts
as an assignment that was done *elsewhere*, so that nobody is asked twice. A *flag* is a skip that an admin
should look into.
"""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, F, Q
from django.utils import timezone

from accounts.models import User
from ledger.models import Instance, Member, Project, Rater


class Seat(models.Model):
    """One place for a person at an instance. Lower `rank` is handed out first."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        HELD = "held", "Held"
        FILLED = "filled", "Filled"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="seats", db_index=False)
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="seats", db_index=False)
    slot = models.PositiveSmallIntegerField()
    rank = models.BigIntegerField()
    status = models.CharField(max_length=6, choices=Status, default=Status.OPEN)
    closing = models.BooleanField(default=False, help_text="no longer wanted: closes when its holder lets go")
    need = models.IntegerField(
        default=0, db_default=0, help_text="the skill rules that the instance meets, a bit each; 0: anyone"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "slot"], name="one_seat_per_slot")]
        indexes = [
            # The hand-out's index: only open seats carry a rank in it, so finished work costs nothing.
            models.Index(fields=["project", "need", "rank"], condition=Q(status="open"), name="open_seats"),
            models.Index(fields=["project", "status"], name="seats_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.instance_id}/{self.slot} {self.status}"


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def leased(self) -> Self:
        return self.filter(status=Assignment.Status.LEASED)

    def expired(self, at: datetime) -> Self:
        """Leases whose time is over but which nobody has taken back yet."""
        return self.leased().filter(expires_at__lte=at)

    def submitted(self) -> Self:
        return self.filter(status=Assignment.Status.SUBMITTED)

    def skips_by_reason(self, project: Project, most: int = 20) -> list[tuple[str, int]]:
        """The reasons of a project's skips, flags left out, each with how often; the most frequent first."""
        skipped = self.filter(project=project, status=Assignment.Status.SKIPPED, flag=None)
        counted = skipped.values_list("reason").annotate(times=Count("pk"))
        return list(counted.order_by("-times", "reason")[:most])


class Assignment(models.Model):
    """A seat handed to a rater, in a server-chosen `order` of the responses."""

    class Status(models.TextChoices):
        LEASED = "leased", "Leased"
        SUBMITTED = "submitted", "Submitted"
        SKIPPED = "skipped", "Skipped"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"
        ELSEWHERE = "elsewhere", "Labelled elsewhere"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    instance = models.ForeignKey(
        Instance, on_delete=models.CASCADE, related_name="assignments", db_index=False
    )
    seat = models.ForeignKey(Seat, null=True, on_delete=models.SET_NULL, related_name="assignments")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    order = ArrayField(models.SmallIntegerField())
    repeat = models.PositiveSmallIntegerField(default=0, help_text="above 0: a deliberate consistency probe")
    status = models.CharField(max_length=9, choices=Status, default=Status.LEASED)
    leased_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True, help_text="why it was skipped or flagged")
    draft = models.JSONField(null=True, help_text="what the rater has entered but not submitted")

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rater"], condition=Q(status="leased"), name="one_lease_per_rater"
            ),
            models.UniqueConstraint(
                fields=["rater", "instance", "repeat"],
                condition=~Q(status__in=["expired", "withdrawn"]),
                name="no_instance_twice_per_rater",
            ),
            models.UniqueConstraint(
                fields=["seat"], condition=Q(status__in=["leased", "submitted"]), name="one_holder_per_seat"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("leased_at")), name="expires_after_lease"),
        ]
        indexes = [
            models.Index(fields=["project", "expires_at"], condition=Q(status="leased"), name="lease_expiry"),
            models.Index(fields=["project", "rater", "ended_at"], name="work_of_rater"),
            models.Index(fields=["instance"], name="assignments_of_instance"),
            models.Index(
                fields=["project", "reason"], condition=Q(status="skipped"), name="skips_of_project"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance_id} to {self.rater_id}: {self.status}"


class FlagQuerySet(models.QuerySet["Flag"]):
    def open(self) -> Self:
        """What nobody has looked into yet."""
        return self.filter(resolved=None)

    def told(self) -> Self:
        """The latest first, with all that a page says of one."""
        related = ("assignment__instance", "assignment__rater", "resolved_by")
        return self.select_related(*related).order_by("-created", "-pk")


class Flag(models.Model):
    """A person says that something is wrong with an instance. The assignment is skipped, under `flag: reason`."""

    PREFIX = "flag: "

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="flag")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="flags", db_index=False)
    created = models.DateTimeField(default=timezone.now)
    resolved = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="resolved_flags")
    note = models.CharField(max_length=500, blank=True, help_text="what came of it")

    objects = FlagQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["project", "resolved", "created"], name="flags_of_project")]

    def __str__(self) -> str:
        return self.reason

    @property
    def reason(self) -> str:
        return self.assignment.reason.removeprefix(self.PREFIX)


class Standing(models.Model):
    """How a person does where the answer is known: on gold, and on what they judged before.

    Kept up to date by `annotate.tasks`; each share stands beside its Wilson interval.
    """

    rater = models.OneToOneField(Rater, on_delete=models.CASCADE, related_name="standing")
    since = models.DateTimeField(null=True, help_text="gold before this is not counted: the member came back")
    gold_n = models.PositiveIntegerField(default=0, help_text="gold instances answered")
    gold_met = models.FloatField(default=0, help_text="of them met: each counts the share of its aspects")
    gold_low = models.FloatField(default=0)
    gold_high = models.FloatField(default=1)
    repeats_n = models.PositiveIntegerField(default=0, help_text="instances answered a second time")
    repeats_same = models.FloatField(
        default=0, help_text="of them alike: each counts the share of its aspects"
    )
    repeats_low = models.FloatField(default=0)
    repeats_high = models.FloatField(default=1)
    updated = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.rater_id}: gold {self.gold_met:g} of {self.gold_n}"

    @property
    def gold_accuracy(self) -> float | None:
        return self.gold_met / self.gold_n if self.gold_n else None

    @property
    def consistency(self) -> float | None:
        return self.repeats_same / self.repeats_n if self.repeats_n else None


class NoticeQuerySet(models.QuerySet["Notice"]):
    def unseen(self) -> Self:
        return self.filter(seen=None)


class Notice(models.Model):
    """Something that a project's admins should know; on the dashboard until one of them has seen it."""

    class Kind(models.TextChoices):
        GOLD = "gold", "Paused by gold"
        QUIZ = "quiz", "Failed the quiz"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=8, choices=Kind)
    member = models.ForeignKey(Member, null=True, on_delete=models.CASCADE, related_name="notices")
    text = models.CharField(max_length=500)
    facts = models.JSONField(default=dict)
    created = models.DateTimeField(default=timezone.now)
    seen = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-id"]

    def __str__(self) -> str:
        return self.text


class Onboarding(models.Model):
    """How far a member is with what a project asks before the first instance (`annotate.onboarding`).

    What is answered in training and in the quiz is kept here and not in the ledger: training shows the answers, so
    these are exercises and no verdicts. The profile is kept with the rater, since exports read it there.
    """

    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="onboarding")
    agreed_to = models.CharField(max_length=64, blank=True, help_text="hash of the text that was agreed to")
    agreed = models.DateTimeField(null=True)
    profiled = models.DateTimeField(null=True, help_text="when the profile was filled in or passed over")
    training = models.JSONField(default=list, help_text="exercises done: {instance, share}")
    quiz = models.JSONField(default=list, help_text="answers of the running attempt: {instance, share}")
    attempts = models.JSONField(default=list, help_text="attempts that are over: {score, passed, at}")
    passed = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.member_id}: {'passed' if self.passed else 'on the way'}"
