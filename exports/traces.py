"""From an exported row back to the labels behind it."""

import re
from typing import Any
from urllib.parse import unquote

from exports.cases import holds
from exports.datasets import find_snapshot
from exports.models import Snapshot, unpack
from exports.problems import UnknownRow
from ledger.access import find_project
from ledger.models import Instance, Label, Project
from routing.models import Decision, Preference, Route, Settlement

ROW = re.compile(r"(?P<slug>[^/]+)/(?P<aspect>[^/]+)/(?P<which>[^/]+)/(?P<instance>.+)", re.DOTALL)


def trace(row: str, *, version: str = "") -> dict[str, Any]:
    """What the row says and which labels, by whom, made it so; as of a snapshot where `version` names one.

    On an aspect that orders nothing (marks, edits) the preference is None and the labels are all of the instance's.
    Raises `UnknownRow` for an id behind which there is no label, `UnknownName` for a project or version.
    """
    parts = read_row(row)
    project, aspect = find_project(parts["slug"]), unquote(parts["aspect"])
    snapshot = find_snapshot(project, version) if version else None
    preference = find_preference(project, aspect, parts["instance"], snapshot)
    labels = labels_of(preference) if preference else labels_on(project, aspect, parts["instance"], snapshot)
    if preference is None and not labels:
        raise unknown_row(project, aspect, parts["instance"], row)
    return {
        "row": row,
        "project": project.slug,
        "version": version or None,
        "instance": parts["instance"],
        "aspect": aspect,
        "which": parts["which"],
        "preference": settled(preference) if preference else None,
        "decision": decision(preference) if preference else None,
        "labels": [label(held) for held in labels],
    }


def read_row(row: str) -> re.Match[str]:
    """The parts of a row's id. Raises `UnknownRow`."""
    parts = ROW.fullmatch(row)
    if parts is None:
        raise UnknownRow(f"{row!r} is not a row id: they read project/aspect/pair/instance.", row=row)
    return parts


def find_preference(
    project: Project, aspect: str, instance: str, snapshot: Snapshot | None
) -> Preference | None:
    """The preference, live or of the snapshot; None where nothing is settled."""
    rows = Preference.objects.filter(project=project, aspect__name=aspect, instance__ref=instance)
    rows = rows.at(snapshot.settlement) if snapshot else rows.live()
    return rows.select_related("aspect", "instance").first()


def labels_on(project: Project, aspect: str, instance: str, snapshot: Snapshot | None) -> list[Label]:
    """The instance's labels on an aspect, live or as the snapshot saw them."""
    rows = Label.objects.filter(project=project, aspect__name=aspect, instance__ref=instance)
    rows = rows.select_related("rater", "guideline").order_by("pk")
    if snapshot is None:
        return list(rows.live())
    frozen = unpack(snapshot.labels)
    return [row for row in rows if holds(frozen, row.pk)]


def unknown_row(project: Project, aspect: str, instance: str, row: str) -> UnknownRow:
    known = Instance.objects.filter(project=project, ref=instance).exists()
    why = f"nothing is settled on its aspect {aspect!r}" if known else f"there is no instance {instance!r}"
    return UnknownRow(f"No preference has the row id {row!r}: {why}.", row=row)


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
