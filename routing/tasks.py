"""Background work of the router: live routes decide again, and on what has just come."""

from celery import shared_task

from ledger.models import Project
from routing.actions import decide_arrivals, refresh
from routing.embedding import embed_project
from routing.mixes import full_reward_models
from routing.models import Route
from routing.tagging import tag_project


@shared_task(ignore_result=True)
def refresh_route(project_id: int) -> int:
    """Decides again on one project. Twice equals once: without new labels nothing changes."""
    with full_reward_models():
        return refresh(Project.objects.get(pk=project_id))


@shared_task(ignore_result=True)
def decide_on_arrivals(project_id: int, instance_ids: list[int]) -> int:
    """Decides at once on instances that have just come. Twice equals once: what is decided stays."""
    return decide_arrivals(Project.objects.get(pk=project_id), instance_ids)


@shared_task(ignore_result=True)
def refresh_online_routes() -> None:
    """Decides again on every project that routes online; the beat's."""
    online = Route.objects.live().filter(project__settings__online=True, project__archived=None)
    for project_id in online.values_list("project_id", flat=True):
        refresh_route.delay(project_id)


@shared_task(ignore_result=True)
def tag_prompts(project_id: int, judge: str) -> int:
    """Tags the prompts that lack tags; on the judges' queue, since it loads a model. Twice equals once."""
    return tag_project(Project.objects.get(pk=project_id), judge=judge)


@shared_task(ignore_result=True)
def embed_texts(project_id: int) -> int:
    """Stores the embeddings and matches that are missing; on the judges' queue, since it loads a model.

    Twice equals once.
    """
    return embed_project(Project.objects.get(pk=project_id)).texts
