"""Gold: known answers, kept as labels by a rater of kind gold; who fails them is paused."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.rights import Role
from annotate.models import Notice, Standing
from annotate.notices import tell_admins
from annotate.standing import measure
from ledger.actions import NewLabel, ensure_rater, set_member_status, write_labels
from ledger.models import Instance, Label, Member, Project, Rater
from ledger.questions import questions_of
from web.problems import Invalid
from web.sql import prepared

KEY = "gold"  # the name of the rater whose labels are the known answers
AFTER = 10  # gold instances before anyone is judged by them, where the project says nothing

MESSAGE = (
    "Your work here is paused: on instances whose answer is known, too many of your answers were different. "
    "The project's admins have been told and can let you go on."
)


def set_gold(
    instance: Instance,
    answers: Mapping[str, dict[str, Any]],
    *,
    explanation: str = "",
    at: datetime | None = None,
) -> list[int]:
    """Makes these the instance's known answers; the labels' ids. Raises `Invalid`, `InvalidAnswer`.

    The explanation is shown where the instance is used for training, and nowhere else to annotators.
    """
    aspects = {aspect.name: aspect for aspect in questions_of(instance.project).for_size(instance.size)}
    unknown = sorted(set(answers) - set(aspects))
    if unknown or not answers:
        raise Invalid(f"The instance is not asked about {unknown}." if unknown else "There is no answer.")
    labels = [
        NewLabel(instance=instance, aspect=aspects[name], value=value, rationale=explanation)
        for name, value in answers.items()
    ]
    key = ensure_rater(instance.project, kind=Rater.Kind.GOLD, name=KEY)
    return write_labels(project=instance.project, rater=key, labels=labels, at=at)


def withdraw_gold(instance: Instance, *, at: datetime | None = None) -> int:
    """The instance's answers are known no longer; how many were. The ledger keeps them as superseded."""
    known = Label.objects.live().filter(instance=instance, rater__kind=Rater.Kind.GOLD)
    return known.update(superseded=at or timezone.now())


def people_on(instance_ids: Iterable[int]) -> list[int]:
    """The ids of all with an account who have labelled one of these instances."""
    labels = (
        Label.objects.live().by_people().filter(instance__in=list(instance_ids), rater__user__isnull=False)
    )
    return sorted(labels.order_by().values_list("rater", flat=True).distinct())


TO_SCORE = """
    SELECT DISTINCT l.rater_id FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
    WHERE l.id = ANY(%(labels)s) AND r.kind = 'person' AND r.user_id IS NOT NULL
      AND (l.repeat > 0 OR EXISTS (
          SELECT FROM ledger_label known JOIN ledger_rater key ON key.id = known.rater_id
          WHERE known.instance_id = l.instance_id AND known.superseded IS NULL AND key.kind = 'gold'))
"""


def raters_to_score(label_ids: Sequence[int], instance_ids: Sequence[int]) -> list[int]:
    """Whose standing these new labels touch: their own writers', or all on an instance whose answer became known."""
    if Label.objects.filter(pk__in=label_ids, rater__kind=Rater.Kind.GOLD).exists():
        return people_on(instance_ids)
    return [rater for (rater,) in prepared(TO_SCORE, {"labels": list(label_ids)})]


def update_standing(rater_id: int, *, at: datetime) -> Standing:
    """Computes a person's standing anew, and pauses them where gold says so.

    Lock: the standing's row, so that two at once neither mix their figures nor pause twice.
    """
    with transaction.atomic():
        Standing.objects.get_or_create(rater_id=rater_id)
        standing = (
            Standing.objects.select_for_update(of=("self",))
            .select_related("rater__project")
            .get(rater=rater_id)
        )
        for name, value in measure(standing.rater, since=standing.since).items():
            setattr(standing, name, value)
        standing.updated = at
        standing.save()
        if fails(standing):
            pause(standing)
    return standing


def fails(standing: Standing) -> bool:
    """Whether the share of gold met is below the project's threshold, after as many as it asks for."""
    rule = standing.rater.project.settings.get("gold", {})
    accuracy = standing.gold_accuracy
    if accuracy is None or rule.get("threshold") is None or standing.gold_n < rule.get("after", AFTER):
        return False
    return accuracy < rule["threshold"]


def pause(standing: Standing) -> None:
    """Pauses an active annotator with a message, and tells the admins; reviewers and admins are only measured."""
    rater = standing.rater
    member = Member.objects.select_related("user", "project").filter(
        project=rater.project, user=rater.user_id, status=Member.Status.ACTIVE, role=Role.ANNOTATOR
    )
    found = member.first()
    if found is None:
        return
    set_member_status(found, Member.Status.PAUSED, reason=MESSAGE)
    facts = {name: getattr(standing, name) for name in ("gold_n", "gold_met", "gold_low", "gold_high")}
    text = (
        f"{found.user} is paused: {standing.gold_met:g} of {standing.gold_n} known answers met "
        f"({standing.gold_accuracy:.0%}; 95 % interval {standing.gold_low:.0%} to {standing.gold_high:.0%})."
    )
    tell_admins(rater.project, kind=Notice.Kind.GOLD, text=text, member=found, facts=facts)


def start_anew(project: Project, user_id: int, *, at: datetime) -> None:
    """Whoever comes back is judged by what they do from now on."""
    Standing.objects.filter(rater__project=project, rater__user=user_id).update(
        since=at, gold_n=0, gold_met=0, gold_low=0, gold_high=1
    )
