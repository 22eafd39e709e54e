"""What the ledger's news means for open work."""

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from annotate.actions import (
    follow_overlap,
    had_by_labels,
    had_by_rater,
    open_seats,
    put_first,
    raters_to_score,
    reseat_project,
    set_apart,
    set_needs,
    start_anew,
    withdraw_leases,
)
from annotate.models import Notice
from annotate.onboarding.actions import try_again
from annotate.onboarding.profiles import PROFILES
from annotate.onboarding.steps import without_answer
from annotate.tasks import mail_notice, score_gold
from ledger.models import Label, Member, Project, Rater
from ledger.project_settings import InvalidSetting, refuse
from ledger.signals import (
    instances_added,
    labels_written,
    member_status_changed,
    overlap_changed,
    rater_recognised,
    settings_changed,
)

MEASURING = frozenset({"gold", "probes"})


@receiver(instances_added)
def seats_for_new_instances(
    sender: type, *, project: Project, instance_ids: list[int], **kwargs: Any
) -> None:
    open_seats(project, instance_ids)


@receiver(overlap_changed)
def seats_for_new_overlap(sender: type, *, project: Project, **kwargs: Any) -> None:
    reseat_project(project)


@receiver(member_status_changed)
def leases_of_changed_member(sender: type, *, project: Project, member: Member, **kwargs: Any) -> None:
    """Whoever was paused or removed holds nothing any more; whoever came back is judged anew."""
    if member.status != Member.Status.ACTIVE:
        withdraw_leases(project, member.user_id, at=timezone.now())
    else:
        start_anew(project, member.user_id, at=timezone.now())
        try_again(member)


@receiver(labels_written)
def overlap_after_labels(
    sender: type, *, project: Project, label_ids: list[int], instance_ids: list[int], **kwargs: Any
) -> None:
    """In the transaction of the labels, where overlap is dynamic and people have spoken."""
    if project.settings.get("overlap") and Label.objects.by_people().filter(pk__in=label_ids).exists():
        follow_overlap(project, instance_ids)


@receiver(labels_written)
def had_after_import(sender: type, *, label_ids: list[int], imported: bool = False, **kwargs: Any) -> None:
    if imported:
        had_by_labels(label_ids)


@receiver(rater_recognised)
def had_after_recognition(sender: type, *, rater: Rater, **kwargs: Any) -> None:
    had_by_rater(rater.pk)


@receiver(labels_written)
def standing_after_labels(
    sender: type, *, project: Project, label_ids: list[int], instance_ids: list[int], **kwargs: Any
) -> None:
    """Where gold or probes are on: whoever answered a known instance, or one for the second time, is scored."""
    if MEASURING.isdisjoint(project.settings):
        return
    for rater_id in raters_to_score(label_ids, instance_ids):
        score_gold.delay_on_commit(rater_id)


@receiver(post_save, sender=Notice)
def mail_of_notice(sender: type, *, instance: Notice, created: bool, **kwargs: Any) -> None:
    if created:
        mail_notice.delay_on_commit(instance.pk)


def require_answers(project: Project) -> None:
    """Raises `InvalidSetting` where an instance of training or quiz has no known answer, or a form is unknown."""
    form = project.settings.get("onboarding", {}).get("profile", {}).get("form")
    if form is not None and form not in PROFILES:
        raise refuse("onboarding.profile.form", f"one of {', '.join(PROFILES)}", form)
    missing = without_answer(project)
    if missing:
        raise InvalidSetting(
            f"onboarding uses {', '.join(missing[:5])}: no such instance, or its answer is not known.",
            setting="onboarding",
            instances=missing,
        )


@receiver(settings_changed)
def work_after_settings(sender: type, *, project: Project, before: dict[str, Any], **kwargs: Any) -> None:
    """The open seats follow what was changed."""

    def changed(name: str) -> bool:
        return project.settings.get(name) != before.get(name)

    if changed("onboarding"):
        require_answers(project)
        set_apart(project)
    if changed("overlap"):
        reseat_project(project)
    if changed("skill_rules"):
        set_needs(project)
    if changed("finish_first"):
        put_first(project)
