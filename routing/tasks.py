"""Background work of the router: live routes decide again."""

from celery import shared_task

from ledger.models import Project
from routing.actions import refresh
from routing.models import Route


@shared_task(ignore_result=True)
def refresh_route(project_id: int) -> int:
    """Decides again on one project. Twice equals once: without new labels nothing changes."""
    return refresh(Project.objects.get(pk=project_id))


@shared_task(ignore_result=True)
def refresh_online_routes() -> None:
    """Decides again on every project that routes online; the beat's."""
    online = Route.objects.live().filter(project__settings__online=True, project__archived=None)
    for project_id in online.values_list("project_id", flat=True):
        refresh_route.delay(project_id)
