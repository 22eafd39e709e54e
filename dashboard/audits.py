"""A full audit, in which the judge is asked again: carried out by a judge worker, waited for on the judge's page."""

from typing import Any

from django.core.cache import cache

from judges.attacks import KINDS
from judges.auditing import audit
from judges.models import JudgeAudit
from ledger.models import Aspect, Project
from web.problems import Problem

WAITING_SECONDS = 3600  # in which an audit that no worker took up is given up
INSTANCES = 20  # asked again, in other words and by another draw
ATTACKS = 3 * len(KINDS)


def key_of(project: Project, judge: str) -> str:
    return f"dashboard:audit:{project.pk}:{judge}"


def begin(project: Project, judge: str) -> bool:
    """Whether this call is the one that should send the work: False while an audit is under way."""
    if state(project, judge).get("refused"):
        cache.delete(key_of(project, judge))
    return bool(cache.add(key_of(project, judge), {"waiting": True}, WAITING_SECONDS))


def run_audit(project: Project, judge: str, aspect: str | None) -> None:
    """Audits by the ledger and by asking; what is refused is kept for the page."""
    said: dict[str, Any] | None = None
    try:
        audit(project=project, judge=judge, aspect=aspect, instances=INSTANCES, attacks=ATTACKS)
    except Problem as problem:
        said = {"refused": problem.detail}
    finally:
        cache.delete(key_of(project, judge))
    if said:
        cache.set(key_of(project, judge), said, 600)


def state(project: Project, judge: str) -> dict[str, Any]:
    """`waiting` while a worker is at it, `refused` with the reason where it could not, else empty."""
    return cache.get(key_of(project, judge)) or {}


def newest(project: Project, judge: str, aspect: Aspect | None) -> JudgeAudit | None:
    """The judge's last audit on the aspect."""
    return JudgeAudit.objects.of_judge(project, judge, aspect).first()


def asked_last(project: Project, judge: str, aspect: Aspect | None) -> JudgeAudit | None:
    """The last audit in which the judge was asked again."""
    return JudgeAudit.objects.of_judge(project, judge, aspect).asking().first()
