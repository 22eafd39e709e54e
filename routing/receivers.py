"""What the ledger's news means for a live route."""

from typing import Any

from django.core.cache import cache
from django.dispatch import receiver

from ledger.models import Project
from ledger.signals import instances_added, labels_written
from routing.tasks import refresh_route

EVERY = 25  # labels between two looks, counted by the ledger's running number
PAUSE = 10  # seconds in which further news joins the look that is under way


@receiver(instances_added)
def decide_on_new_instances(
    sender: type, *, project: Project, instance_ids: list[int], **kwargs: Any
) -> None:
    """A routed project opens new instances only where the route sends them to people."""
    if project.routed:
        look_again(project)


@receiver(labels_written)
def learn_from_new_labels(sender: type, *, project: Project, label_ids: list[int], **kwargs: Any) -> None:
    online = project.routed and project.settings.get("online")
    if online and any(pk % EVERY == 0 for pk in label_ids):
        look_again(project)


def look_again(project: Project) -> None:
    """One look for the news of the next seconds."""
    if cache.add(f"routing:look:{project.pk}", 1, timeout=PAUSE):
        refresh_route.apply_async_on_commit(args=[project.pk], countdown=PAUSE)
