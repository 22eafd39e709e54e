"""Audits are kept: one row each, so that the dashboard shows the latest without asking a model."""

from __future__ import annotations

from judges.audit import recorded
from judges.catalog import CATALOG
from judges.models import Judge, JudgeAudit
from judges.problems import CannotAudit
from ledger.models import Aspect, Project, Rater
from web.registry import Registry, unknown

# torch stands behind this name alone, since the dashboard imports this module
LIVE = Registry("part of an audit", {"live": "judges.live:live"})


def audit(
    *, project: Project, judge: str, aspect: str | None, instances: int = 0, attacks: int = 0
) -> JudgeAudit:
    """Audit a judge and keep the report. Raises `UnknownName`, `CannotAudit`.

    `instances` and `attacks` are for judges that can be asked here; imported ones are audited by their
    labels alone.
    """
    chosen = audited_aspect(project, aspect)
    report = {"judge": judge, **recorded(project, judge, chosen)}
    here = judge in CATALOG or Judge.objects.filter(project=project, name=judge).exists()
    if here and (instances or attacks):
        report |= LIVE.load("live")(project, judge, chosen, instances=instances, attacks=attacks)
    rater = Rater.objects.get(project=project, kind=Rater.Kind.JUDGE, name=judge)
    return JudgeAudit.objects.create(project=project, rater=rater, aspect=chosen, report=report)


def audited_aspect(project: Project, name: str | None) -> Aspect:
    """The named aspect; by default `overall`, else the project's first."""
    aspects = {aspect.name: aspect for aspect in project.aspects.all()}
    if name is not None and name not in aspects:
        raise unknown("aspect", name, list(aspects))
    if not aspects:
        raise CannotAudit(f"{project.slug} has no aspects yet.", project=project.slug)
    return aspects[name] if name else aspects.get("overall") or next(iter(aspects.values()))
