"""Writes to the ledger: each is one verb, and the only way to do what it says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.actions import ensure_user
from accounts.models import User
from accounts.rights import Role
from ledger.models import Aspect, GuidelineVersion, Instance, Label, Member, Project, Rater
from ledger.signals import labels_written, member_status_changed, overlap_changed, rater_recognised
from ledger.task_types import TASK_TYPES
from ledger.templates import AspectSpec, find_template
from web.problems import Conflict, Invalid
from web.sql import prepared

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,78}[a-z0-9])?", re.ASCII)


# ---------------------------------------------------------------- projects


def create_project(*, slug: str, template: str, owner: User, name: str = "", overlap: int = 1) -> Project:
    """A new project with its template's aspects and guidelines. Raises `UnknownName`, `Invalid`, `Conflict`."""
    chosen = find_template(template)
    if not SLUG.fullmatch(slug):
        raise Invalid(
            f"{slug!r} is not a slug: lower-case letters, digits and hyphens, at most 80.", slug=slug
        )
    check_overlap(overlap)
    with transaction.atomic():
        project, made = Project.objects.get_or_create(
            slug=slug,
            defaults={"name": name or slug, "template": template, "overlap": overlap, "owner": owner},
        )
        if not made:
            raise Conflict(f"There is a project {slug!r} already.", slug=slug)
        Member.objects.create(project=project, user=owner, role=Role.OWNER)
        for spec in chosen.aspects:
            add_aspect(project, spec)
        if chosen.guidelines:
            write_guidelines(project, text=chosen.guidelines, author=owner)
    return project


def check_overlap(overlap: int) -> None:
    if not 1 <= overlap <= 50:
        raise Invalid(f"The overlap must be 1…50, not {overlap}.", overlap=overlap)


def change_overlap(project: Project, overlap: int) -> Project:
    """Sets how many people should label an instance; open work follows."""
    check_overlap(overlap)
    with transaction.atomic():
        project.overlap = overlap
        project.save(update_fields=["overlap"])
        overlap_changed.send(Project, project=project)
    return project


def archive_project(project: Project, *, at: datetime | None) -> Project:
    """Archives at a time, or with None takes the project back."""
    project.archived = at
    project.save(update_fields=["archived"])
    return project


def add_aspect(project: Project, spec: AspectSpec) -> Aspect:
    """A new aspect at the end of the project's list. Raises `UnknownName`, `InvalidSettings`, `Conflict`."""
    settings = TASK_TYPES.load(spec.task_type).settings(spec.settings)
    if project.aspects.filter(name=spec.name).exists():
        raise Conflict(f"The project has an aspect {spec.name!r} already.", aspect=spec.name)
    last = project.aspects.aggregate(last=Max("position"))["last"]
    return Aspect.objects.create(
        project=project,
        name=spec.name,
        title=spec.title,
        description=spec.description,
        task_type=spec.task_type,
        settings=settings,
        required=spec.required,
        position=0 if last is None else last + 1,
    )


def write_guidelines(project: Project, *, text: str, author: User | None) -> GuidelineVersion:
    """The next version of the guidelines; the same text again makes none.

    Lock: the project's row, so that two admins cannot take one number.
    """
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        current = project.guidelines()
        if current is not None and current.text == text:
            return current
        number = current.number + 1 if current else 1
        return GuidelineVersion.objects.create(project=project, number=number, text=text, author=author)


# ---------------------------------------------------------------- members and raters


def add_member(project: Project, *, email: str, role: Role = Role.ANNOTATOR) -> Member:
    """A member with this address, its account and rater made where needed; a removed one comes back."""
    user = ensure_user(email)
    with transaction.atomic():
        member, made = Member.objects.get_or_create(project=project, user=user, defaults={"role": role})
        if not made and member.status == Member.Status.REMOVED:
            member.status, member.role = Member.Status.ACTIVE, role
            member.save(update_fields=["status", "role"])
        person_for(user, project)
    return member


def set_member_status(member: Member, status: Member.Status, *, reason: str = "") -> Member:
    """Pauses, removes or reactivates a member; leases follow, labels stay. Raises `Conflict` for the owner."""
    if member.role == Role.OWNER and status != Member.Status.ACTIVE:
        raise Conflict("The owner of a project can be neither paused nor removed.")
    with transaction.atomic():
        member.status, member.reason = status, reason[:300]
        member.save(update_fields=["status", "reason"])
        member_status_changed.send(Member, project=member.project, member=member)
    return member


def person_for(user: User, project: Project) -> Rater:
    """The rater that `user` is in `project`, made at the first call; whoever labelled under the address is the same."""
    found = Rater.objects.filter(project=project, user=user, kind=Rater.Kind.PERSON).first()
    if found:
        return found
    with transaction.atomic():
        known = Rater.objects.people().filter(project=project, user=None, name__iexact=user.email)
        rater = known.order_by("pk").first() or ensure_rater(project, kind=Rater.Kind.PERSON, name=user.email)
        if rater.user_id is None:
            rater.user = user
            rater.save(update_fields=["user"])
            rater_recognised.send(Rater, rater=rater)
    return rater


def ensure_rater(project: Project, *, kind: Rater.Kind, name: str, level: str = "") -> Rater:
    """The rater of this kind and name, made where there is none."""
    return Rater.objects.get_or_create(project=project, kind=kind, name=name, defaults={"level": level})[0]


# ---------------------------------------------------------------- labels


@dataclass(frozen=True)
class NewLabel:
    """A verdict to be written. `order`: response indices as shown, empty where unknown."""

    instance: Instance
    aspect: Aspect
    value: dict[str, Any]
    order: Sequence[int] = ()
    repeat: int = 0
    rationale: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    guideline: GuidelineVersion | None = None
    version: str = ""
    duration_ms: int | None = None
    cost: Decimal | None = None


# The live label that a new one replaces is looked up by itself (`OFFSET 0` keeps it so). As a join, planned once, it
# read all that the rater had ever said: 13 ms after 4,500 instances, where this takes 1.4 throughout.
WRITE_LABELS = """
    WITH new AS (
        SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS new (
            n int, instance bigint, aspect bigint, value jsonb, "order" smallint[], repeat smallint, rationale text,
            detail jsonb, guideline bigint, version text, duration_ms int, cost numeric)
    ), old AS (
        UPDATE ledger_label SET superseded = greatest(%(at)s, created)
        FROM new CROSS JOIN LATERAL (
            SELECT l.id FROM ledger_label l
            WHERE l.rater_id = %(rater)s AND l.instance_id = new.instance AND l.aspect_id = new.aspect
              AND l."order" = new."order" AND l.repeat = new.repeat AND l.superseded IS NULL
            OFFSET 0
        ) live
        WHERE ledger_label.id = live.id AND superseded IS NULL
        RETURNING ledger_label.id, new.n
    )
    INSERT INTO ledger_label (project_id, instance_id, aspect_id, rater_id, value, "order", repeat, rationale,
        detail, guideline_id, version, duration_ms, cost, created, replaces_id)
    SELECT %(project)s, instance, aspect, %(rater)s, value, "order", repeat, rationale,
        detail, guideline, version, duration_ms, cost, %(at)s, old.id
    FROM new LEFT JOIN old USING (n) ORDER BY n
    RETURNING id
"""


def write_labels(
    *, project: Project, rater: Rater, labels: Sequence[NewLabel], at: datetime | None = None
) -> list[int]:
    """Validates and writes labels of one rater; the new rows' ids, in order.

    Each replaces the rater's live label of its presentation; of two writers at once the second meets
    the unique constraint. Raises `InvalidAnswer` before anything is written. Sends `labels_written`
    inside the transaction.
    """
    rows = [as_row(label) | {"n": place} for place, label in enumerate(labels)]
    if not rows:
        return []
    values = {
        "project": project.pk,
        "rater": rater.pk,
        "at": at or timezone.now(),
        "rows": orjson.dumps(rows, default=str).decode(),
    }
    with transaction.atomic(savepoint=False):
        ids = [pk for (pk,) in prepared(WRITE_LABELS, values)]
        labels_written.send(
            Label, project=project, label_ids=ids, instance_ids=sorted({row["instance"] for row in rows})
        )
    return ids


def as_row(label: NewLabel) -> dict[str, Any]:
    """The validated row. Raises `InvalidAnswer` naming the aspect."""
    aspect = label.aspect
    try:
        value = aspect.task.clean(label.value, settings=aspect.settings, size=label.instance.size)
    except Invalid as problem:
        problem.detail = f"{aspect.name}: {problem.detail}"
        problem.facts["aspect"] = aspect.name
        raise
    return {
        "instance": label.instance.pk,
        "aspect": aspect.pk,
        "value": value,
        "order": list(label.order),
        "repeat": label.repeat,
        "rationale": label.rationale,
        "detail": label.detail,
        "guideline": label.guideline and label.guideline.pk,
        "version": label.version,
        "duration_ms": label.duration_ms,
        "cost": label.cost,
    }
