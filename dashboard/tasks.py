"""Work of the dashboard that outlasts a request."""

from celery import shared_task

from dashboard.actions import run_upload
from dashboard.audits import run_audit
from dashboard.forecasts import replay_forecast as replay
from dashboard.models import Upload
from dashboard.search import index_missing
from dashboard.trials import run_trial
from ledger.models import Aspect, Project

BATCH = 1000


@shared_task
def index_project(project_id: int) -> None:
    """Writes the search words of a project's instances that lack them."""
    project = Project.objects.filter(pk=project_id).first()
    while project is not None and index_missing(project, limit=BATCH):
        pass


@shared_task
def import_upload(upload_id: int) -> None:
    """Imports an uploaded file; a second run of one that has ended does nothing."""
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is not None and upload.active:
        run_upload(upload)


@shared_task
def replay_forecast(aspect_id: int, policy: str, judge: str) -> None:
    """Replays a policy for the overview's forecast."""
    aspect = Aspect.objects.select_related("project").filter(pk=aspect_id).first()
    if aspect is not None:
        replay(aspect, policy, judge)


@shared_task
def try_judge(project_id: int, judge: str) -> None:
    """Tries a judge on a few instances; sent to the judges' queue, since it may load a model."""
    project = Project.objects.filter(pk=project_id).first()
    if project is not None:
        run_trial(project, judge)


@shared_task
def audit_judge(project_id: int, judge: str, aspect: str | None) -> None:
    """Audits a judge and asks it again; sent to the judges' queue, since it may load a model."""
    project = Project.objects.filter(pk=project_id).first()
    if project is not None:
        run_audit(project, judge, aspect)
