"""From an exported row back to the labels behind it."""

import re
from typing import Any
from urllib.parse import unquote

from exports.datasets import find_snapshot
from exports.problems import UnknownRow
from ledger.access import find_project
from ledger.models import Instance, Label, Project
from routing.models import Decision, Preference, Route, Settlement

ROW = re.compile(r"(?P<slug>[^/]+)/(?P<aspect>[^/]+)/(?P<which>[^/]+)/(?P<instance>.+)", re.DOTALL)


def trace(row: str, *, version: str = "") -> dict[str, Any]:
    """What the row says and which labels, by whom, made it so; as of a snapshot where `version` names one.

    Raises `UnknownRow` for an id that no preference has, `UnknownName` for a project or version.
    """
    parts = ROW.fullmatch(row)
    if parts is None:
        raise UnknownRow(f"{row!r} is not a row id: they read project/aspect/pair/instance.", row=row)
    project = find_project(parts["slug"])
    preference = find_preference(
        project, unquote(parts["aspect"]), parts["instance"], row=row, version=version
    )
    return {
        "row": row,
        "project": project.slug,
        "version": version or None,
        "instance": parts["instance"],
        "aspect": preference.aspect.name,
        "which": parts["which"],
        "preference": settled(preference),
        "decision": decision(preference),
        "labels": [label(held) for held in labels_of(preference)],
    }


def find_preference(project: Project, aspect: str, instance: str, *, row: str, version: str) -> Preference:
    """The preference, live or of the snapshot. Raises `UnknownRow`."""
    rows = Preference.objects.filter(project=project, aspect__name=aspect, instance__ref=instance)
    rows = rows.at(find_snapshot(project, version).settlement) if version else rows.live()
    found = rows.select_related("aspect", "instance").first()
    if found is None:
        known = Instance.objects.filter(project=project, ref=instance).exists()
        why = (
            f"nothing is settled on its aspect {aspect!r}" if known else f"there is no instance {instance!r}"
        )
        raise UnknownRow(f"No preference has the row id {row!r}: {why}.", row=row)
    return found


def settled(preference: Preference) -> dict[str, Any]:
    fields = (
        "outcome",
        "source",
        "chosen",
        "rejected",
        "probability",
        "margin",
        "agreement",
        "method",
        "since",
        "until",
    )
    times = ("method", "since", "until", "value")
    return {name: getattr(preference, name) for name in fields + times}


def decision(preference: Preference) -> dict[str, Any] | None:
    """Where the route that stood sent the instance, and why."""
    settlement = Settlement.objects.filter(project=preference.project_id, number=preference.since).first()
    if settlement is None or settlement.route_id is None:
        return None
    route = Route.objects.get(pk=settlement.route_id)
    held = Decision.objects.filter(route=route, instance=preference.instance_id).first()
    if held is None:
        return None
    return {
        "policy": route.policy,
        "version": route.version,
        "way": held.way,
        "gain": held.gain,
        "reason": held.reason,
        "audit": held.audit,
    }


def labels_of(preference: Preference) -> list[Label]:
    """The labels that counted, in the ledger's order."""
    rows = Label.objects.filter(pk__in=preference.labels).select_related("rater", "guideline")
    return list(rows.order_by("pk"))


def label(held: Label) -> dict[str, Any]:
    return {
        "id": held.pk,
        "rater": held.rater.name,
        "kind": held.rater.kind,
        "value": held.value,
        "order": held.order,
        "repeat": held.repeat,
        "rationale": held.rationale,
        "guideline": held.guideline.number if held.guideline else None,
        "version": held.version,
        "seconds": None if held.duration_ms is None else held.duration_ms / 1000,
        "created": held.created.isoformat(),
        "superseded": held.superseded.isoformat() if held.superseded else None,
    }
