"""What workers do for exports."""

from celery import shared_task

from exports.models import PreparedFile
from exports.prepared import write_prepared


@shared_task
def write_prepared_file(pk: int) -> None:
    """Writes a prepared file; run again after a crash it goes on where it can, and gives the same bytes."""
    file = (
        PreparedFile.objects.select_related("snapshot__settlement", "snapshot__project").filter(pk=pk).first()
    )
    if file is not None and file.status != PreparedFile.Status.DONE:
        write_prepared(file)
