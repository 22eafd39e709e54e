"""Writing drafts: batches through COPY, one transaction each, so that memory stays flat.

A batch locks the project's row, so that two imports into one project take turns; nothing else waits
for it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from ledger.actions import add_aspect
from ledger.imports import AUTO, SCHEMAS
from ledger.imports.drafts import BadRow, Draft, DraftLabel, Origin, widest
from ledger.imports.files import Row, opened, read_rows
from ledger.imports.joining import drafts_of
from ledger.models import Aspect, GuidelineVersion, Instance, Label, Project, Rater
from ledger.signals import instances_added, labels_written
from ledger.templates import AspectSpec
from web.problems import Invalid

BATCH = 1000


@dataclass
class Report:
    """What an import did, in the contract's terms."""

    imported: int = 0
    duplicates: int = 0
    labels: dict[str, int] = field(default_factory=lambda: {"human": 0, "ai": 0})
    errors: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "imported": self.imported,
            "duplicates": self.duplicates,
            "labels": self.labels,
            "errors": self.errors,
        }


def import_file(project: Project, path: str | Path, *, schema: str = AUTO, dry_run: bool = False) -> Report:
    """Imports a file. Raises `NotFound`, `Invalid`, `UnknownName` before anything is written."""
    with opened(path) as stream:
        return import_stream(project, stream, name=Path(path).name, schema=schema, dry_run=dry_run)


def import_stream(
    project: Project, stream: BinaryIO, *, name: str = "", schema: str = AUTO, dry_run: bool = False
) -> Report:
    """Imports rows from a stream of bytes; bad rows are reported and do not stop the rest.

    With `dry_run` everything is done and then rolled back, so that the report is the real one.
    """
    if schema != AUTO:
        SCHEMAS.load(schema)
    report = Report()
    rows = read_rows(stream, name=name)
    if not dry_run:
        import_rows(project, rows, schema, report)
        return report
    with transaction.atomic():
        import_rows(project, rows, schema, report)
        transaction.set_rollback(True)
    return report


def import_rows(project: Project, rows: Iterator[Row], schema: str, report: Report) -> None:
    guidelines: dict[int, int] = {}
    made = good_drafts(rows, schema, report)
    while batch := list(islice(made, BATCH)):
        Batch(project, report, guidelines).write(batch)


def good_drafts(rows: Iterator[Row], schema: str, report: Report) -> Iterator[tuple[int, Draft]]:
    """The drafts with their lines; bad rows go to the report, as does what another row says already."""
    for line, made in drafts_of(rows, schema):
        if isinstance(made, Draft):
            yield line, made
        elif made is None:
            report.duplicates += 1
        else:
            report.errors.append({"line": line, "error": made.detail})


class Batch:
    """One batch on its way into a project."""

    def __init__(self, project: Project, report: Report, guidelines: dict[int, int]) -> None:
        """`guidelines`: {an archive's number: the version's id here}, filled as they come."""
        self.project = project
        self.report = report
        self.guidelines = guidelines
        self.at = timezone.now()
        self.labels = {"human": 0, "ai": 0}

    def write(self, drafts: list[tuple[int, Draft]]) -> None:
        """Writes new instances and new labels. Lock: the project's row."""
        with transaction.atomic():
            Project.objects.select_for_update().get(pk=self.project.pk)
            self.aspects = {aspect.name: aspect for aspect in self.project.aspects.all()}
            self.keep_guidelines(draft for _, draft in drafts)
            fresh, known = self.sort(drafts)
            ids = self.copy_instances(fresh)
            self.copy_labels([*zip(ids, fresh, strict=True), *known])
            if ids:
                instances_added.send(Instance, project=self.project, instance_ids=ids)
        self.report.imported += len(fresh)
        self.report.duplicates += len(known)
        for source, count in self.labels.items():
            self.report.labels[source] += count

    def keep_guidelines(self, drafts: Iterable[Draft]) -> None:
        """Writes the versions that an archive carries, under their numbers where these are free."""
        for version in (version for draft in drafts for version in draft.guidelines):
            held = GuidelineVersion.objects.filter(project=self.project)
            same = held.filter(text=version.text).order_by("number").first()
            if same is None:
                taken = held.filter(number=version.number).exists()
                number = 1 + (held.aggregate(last=Max("number"))["last"] or 0) if taken else version.number
                same = held.create(
                    project=self.project, number=number, text=version.text, created=version.created
                )
            self.guidelines[version.number] = same.pk

    # ------------------------------------------------------------ what is new

    def sort(self, drafts: list[tuple[int, Draft]]) -> tuple[list[Draft], list[tuple[int | None, Draft]]]:
        """The new drafts, and the duplicates with the id of the instance that they repeat."""
        refs = [draft.ref for _, draft in drafts]
        stored = {
            ref: (pk, content)
            for pk, ref, content in Instance.objects.filter(project=self.project, ref__in=refs).values_list(
                "pk", "ref", "content_hash"
            )
        }
        fresh: dict[str, Draft] = {}
        known: list[tuple[int | None, Draft]] = []
        for line, draft in drafts:
            try:
                self.place(draft, stored, fresh, known)
            except BadRow as bad:
                self.report.errors.append({"line": line, "error": bad.detail})
        return list(fresh.values()), known

    def place(
        self,
        draft: Draft,
        stored: dict[str, tuple[int, str]],
        fresh: dict[str, Draft],
        known: list[tuple[int | None, Draft]],
    ) -> None:
        pk, content = stored.get(draft.ref, (None, None))
        if pk is None and draft.ref in fresh:
            content = fresh[draft.ref].content_hash
        if content is not None and content != draft.content_hash:
            raise BadRow(f"The id {draft.ref!r} is taken by an instance with other content.")
        self.check_aspects(draft)
        if content is None:
            fresh[draft.ref] = draft
        else:
            known.append((pk, draft))

    # ------------------------------------------------------------ aspects

    def check_aspects(self, draft: Draft) -> None:
        """Adds or widens the aspects that the draft's labels name, and validates the labels. Raises `BadRow`."""
        size = len(draft.responses)
        for label in draft.labels:
            aspect = self.aspect_for(label)
            try:
                label.value = aspect.task.clean(label.value, settings=aspect.settings, size=size)
            except Invalid as bad:
                raise BadRow(f"{label.rater} on {aspect.name}: {bad.detail}") from bad
            label.aspect = aspect.name
        if self.aspects and not any(aspect.task.fits(size) for aspect in self.aspects.values()):
            raise BadRow(f"None of the project's aspects can be asked about {size} responses.")

    def aspect_for(self, label: DraftLabel) -> Aspect:
        """The aspect that a label is about; a second task type on one aspect becomes `aspect/task`."""
        aspect = self.aspects.get(label.aspect)
        if aspect is not None and aspect.task_type != label.task_type:
            label.aspect = f"{label.aspect}/{label.task_type}"
            aspect = self.aspects.get(label.aspect)
        if aspect is None:
            return self.add(label)
        self.widen(aspect, label)
        return aspect

    def add(self, label: DraftLabel) -> Aspect:
        settings = dict(label.scale)
        if "min" in settings and label.origin is None:
            settings["partial"] = True
        aspect = add_aspect(self.project, AspectSpec(label.aspect, label.task_type, settings))
        self.aspects[aspect.name] = aspect
        return aspect

    def widen(self, aspect: Aspect, label: DraftLabel) -> None:
        """Stretches an aspect's scale to hold an imported label; a blank project's scale is what its labels show."""
        old, new = aspect.settings, dict(aspect.settings)
        if "steps" in label.scale:
            new["steps"] = max(old["steps"], label.scale["steps"])
        if {"min", "labels"} & set(label.scale):
            new = widest(old, label.scale)
        if label.exact and (old["min"], old["max"]) != (label.scale["min"], label.scale["max"]):
            raise BadRow(
                f"{aspect.name} is rated on a scale of {old['min']}…{old['max']} here, "
                f"which does not say what {label.scale['min']} and {label.scale['max']} mean."
            )
        if new != old and self.project.template == "blank":
            aspect.settings = aspect.task.settings(new)
            aspect.save(update_fields=["settings"])

    # ------------------------------------------------------------ instances

    def copy_instances(self, drafts: list[Draft]) -> list[int]:
        """Writes instances and responses with COPY; the instances' ids in the drafts' order."""
        if not drafts:
            return []
        with connection.cursor() as cursor:
            ids = reserve(cursor, "ledger_instance", len(drafts))
            with cursor.copy(COPY_INSTANCES) as copy:
                for pk, draft in zip(ids, drafts, strict=True):
                    copy.write_row(self.instance_row(pk, draft))
            with cursor.copy(COPY_RESPONSES) as copy:
                for pk, draft in zip(ids, drafts, strict=True):
                    for index, response in enumerate(draft.responses):
                        copy.write_row(
                            (
                                pk,
                                index,
                                response.key,
                                response.model,
                                response.text,
                                None if response.messages is None else dumps(response.messages),
                                dumps(response.metadata),
                            )
                        )
        return ids

    def instance_row(self, pk: int, draft: Draft) -> tuple[Any, ...]:
        return (
            pk,
            self.project.pk,
            draft.ref,
            dumps(draft.prompt),
            dumps(draft.context),
            dumps(draft.metadata),
            len(draft.responses),
            draft.content_hash,
            draft.prompt_hash,
            self.at,
        )

    # ------------------------------------------------------------ labels

    def copy_labels(self, placed: list[tuple[int | None, Draft]]) -> None:
        """Writes the labels that the ledger does not hold yet; a duplicate's known labels are left alone."""
        by_ref = {draft.ref: pk for pk, draft in placed if pk is not None}
        labelled = [(pk or by_ref[draft.ref], draft) for pk, draft in placed if draft.labels]
        if not labelled:
            return
        raters = self.ensure_raters([label for _, draft in labelled for label in draft.labels])
        live = self.live_labels([pk for pk, _ in labelled])
        self.copy_archived(labelled, raters, live)
        rows = []
        for pk, draft in labelled:
            for label in (label for label in draft.labels if label.origin is None):
                row = self.label_row(pk, label, raters[label.kind, label.rater], live)
                if row is not None:
                    rows.append(row)
                    self.labels["human" if label.kind == Rater.Kind.PERSON else "ai"] += 1
        self.write_labels(rows)

    def ensure_raters(self, labels: list[DraftLabel]) -> dict[tuple[str, str], int]:
        """The raters' ids by kind and name, made where there are none; a member is known by the address in any case."""
        wanted = {(label.kind, label.rater): label.level for label in labels}
        members = self.members_by_address()
        Rater.objects.bulk_create(
            [
                Rater(project=self.project, kind=kind, name=name, level=level)
                for (kind, name), level in wanted.items()
                if (kind, name.lower()) not in members
            ],
            ignore_conflicts=True,
        )
        found = Rater.objects.filter(project=self.project).values_list("kind", "name", "pk")
        known = {(kind, name): pk for kind, name, pk in found}
        named = {key: members.get((key[0], key[1].lower())) for key in wanted}
        return known | {key: pk for key, pk in named.items() if pk is not None}

    def members_by_address(self) -> dict[tuple[str, str], int]:
        """The raters that are members, by kind and address."""
        people = Rater.objects.people().filter(project=self.project, user__isnull=False)
        return {
            (Rater.Kind.PERSON, email.lower()): pk for email, pk in people.values_list("user__email", "pk")
        }

    def live_labels(self, instances: list[int]) -> dict[tuple[Any, ...], Any]:
        """The live labels' values by their place in the ledger."""
        found = Label.objects.live().filter(instance__in=instances)
        columns = ("instance_id", "aspect_id", "rater_id", "order", "repeat", "value")
        return {
            (instance, aspect, rater, tuple(order), repeat): value
            for instance, aspect, rater, order, repeat, value in found.values_list(*columns)
        }

    def label_row(
        self, instance: int, label: DraftLabel, rater: int, live: dict[tuple[Any, ...], Any]
    ) -> tuple[Any, ...] | None:
        """The row, or None where the ledger holds it; another verdict of the same presentation is a repeat."""
        aspect = self.aspects[label.aspect].pk
        repeat = label.repeat
        while (key := (instance, aspect, rater, label.order, repeat)) in live:
            if live[key] == label.value:
                return None
            repeat += 1
        live[key] = label.value
        detail = dumps({**label.detail, "imported": True})
        value = dumps(label.value)
        order = list(label.order)
        return (
            self.project.pk,
            instance,
            aspect,
            rater,
            value,
            order,
            repeat,
            label.rationale,
            detail,
            "",
            self.at,
        )

    def copy_archived(
        self,
        labelled: list[tuple[int, Draft]],
        raters: dict[tuple[str, str], int],
        live: dict[tuple[Any, ...], Any],
    ) -> None:
        """Writes the labels of an archive as they stood, but for those that the ledger holds already."""
        held = self.held_times([pk for pk, _ in labelled])
        fresh = []
        for pk, draft in labelled:
            for label in draft.labels:
                if (origin := label.origin) is not None:
                    place = (pk, self.aspects[label.aspect].pk, raters[label.kind, label.rater])
                    presentation = (*place, label.order, origin.repeat)
                    taken = origin.superseded is None and presentation in live
                    if not taken and (*presentation, origin.created) not in held:
                        fresh.append((place, label, origin))
                        self.labels["ai" if label.kind == Rater.Kind.JUDGE else "human"] += 1
        self.write_archived(fresh)

    def held_times(self, instances: list[int]) -> set[tuple[Any, ...]]:
        """Every label of the instances by its presentation and its time."""
        columns = ("instance_id", "aspect_id", "rater_id", "order", "repeat", "created")
        found = Label.objects.filter(instance__in=instances).values_list(*columns)
        return {
            (instance, aspect, rater, tuple(order), *rest) for instance, aspect, rater, order, *rest in found
        }

    def write_archived(self, fresh: list[tuple[tuple[int, int, int], DraftLabel, Origin]]) -> None:
        if not fresh:
            return
        with connection.cursor() as cursor:
            ids = reserve(cursor, "ledger_label", len(fresh))
            renamed = {origin.id: pk for pk, (_, _, origin) in zip(ids, fresh, strict=True)}
            with cursor.copy(COPY_ARCHIVED) as copy:
                for pk, (place, label, origin) in zip(ids, fresh, strict=True):
                    said = (
                        dumps(label.value),
                        list(label.order),
                        origin.repeat,
                        label.rationale,
                        dumps(label.detail),
                    )
                    times = (
                        origin.version,
                        origin.duration_ms,
                        origin.cost,
                        origin.created,
                        origin.superseded,
                        self.guidelines.get(origin.guideline or 0),
                    )
                    copy.write_row(
                        (pk, self.project.pk, *place, *said, *times, renamed.get(origin.replaces or 0))
                    )
        instances = sorted({place[0] for place, _, _ in fresh})
        labels_written.send(Label, project=self.project, label_ids=ids, instance_ids=instances, imported=True)

    def write_labels(self, rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        with connection.cursor() as cursor:
            ids = reserve(cursor, "ledger_label", len(rows))
            with cursor.copy(COPY_LABELS) as copy:
                for pk, row in zip(ids, rows, strict=True):
                    copy.write_row((pk, *row))
        instances = sorted({row[1] for row in rows})
        labels_written.send(Label, project=self.project, label_ids=ids, instance_ids=instances, imported=True)


COPY_INSTANCES = """COPY ledger_instance (id, project_id, ref, prompt, context, metadata, size, content_hash,
    prompt_hash, created) FROM STDIN"""
COPY_RESPONSES = (
    """COPY ledger_response (instance_id, index, key, model, text, messages, metadata) FROM STDIN"""
)
COPY_LABELS = """COPY ledger_label (id, project_id, instance_id, aspect_id, rater_id, value, "order", repeat,
    rationale, detail, version, created) FROM STDIN"""


COPY_ARCHIVED = """COPY ledger_label (id, project_id, instance_id, aspect_id, rater_id, value, "order", repeat,
    rationale, detail, version, duration_ms, cost, created, superseded, guideline_id, replaces_id) FROM STDIN"""


def dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def reserve(cursor: Any, table: str, count: int) -> list[int]:
    """`count` new ids of `table`, in rising order."""
    sequence = f"pg_get_serial_sequence('{table}', 'id')"
    cursor.execute(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", [count])
    return sorted(row[0] for row in cursor.fetchall())
