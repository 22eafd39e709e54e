"""What the ledger's news means for a live route."""

from typing import Any

from django.core.cache import cache
from django.dispatch import receiver

from ledger.models import Project
from ledger.signals import instances_added, labels_written
from routing.tasks import decide_on_arrivals, refresh_route

EVERY = 25  # labels between two looks, where the project does not say otherwise
PAUSE = 10  # seconds in which further news joins the look that is under way
AT_ONCE = 50  # new instances that are decided on before the next full look


@receiver(instances_added)
def decide_on_new_instances(
    sender: type, *, project: Project, instance_ids: list[int], **kwargs: Any
) -> None:
    """A routed project opens new instances only where the route sends them to people."""
    if not project.routed:
        return
    if len(instance_ids) <= AT_ONCE:
        decide_on_arrivals.delay_on_commit(project.pk, list(instance_ids))
    look_again(project)


@receiver(labels_written)
def learn_from_new_labels(sender: type, *, project: Project, label_ids: list[int], **kwargs: Any) -> None:
    if project.routed and project.settings.get("online") and enough_news(project, len(label_ids)):
        look_again(project)


def enough_news(project: Project, labels: int) -> bool:
    """Whether these labels complete the number after which a route decides again."""
    every = int(project.settings.get("refit_every", EVERY))
    key = f"routing:news:{project.pk}"
    cache.add(key, 0, timeout=None)
    count = cache.incr(key, labels)
    return count // every > (count - labels) // every


def look_again(project: Project) -> None:
    """One look for the news of the next seconds."""
    if cache.add(f"routing:look:{project.pk}", 1, timeout=PAUSE):
        refresh_route.apply_async_on_commit(args=[project.pk], countdown=PAUSE)
