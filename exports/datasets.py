"""What an export is made of: a project at a moment, the choices, and the shape of the rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from exports.cases import holds, read_cases
from exports.choices import Choices, parse_choices
from exports.formats.base import Format, Reads, Row
from exports.formats.columns import TEXT, Columns
from exports.models import Snapshot, unpack
from exports.problems import BadChoice
from exports.reading import Frozen, Moment, fetch, read_pairs
from exports.records import Pair, Shape
from exports.seen import Seen
from exports.selection import CaseSelector, Selector, Tally
from exports.splitting import Groups, split_of
from exports.stream import Splitter, by_margin, rows_of
from ledger.models import Project
from routing.actions import settle, standing_method
from routing.loading import find_aspect
from routing.models import Settlement
from web.registry import unknown

MAIN = "overall"
FUSED = "fused"  # the consensus method that weighs people and judges together


@dataclass(frozen=True)
class Dataset:
    """Everything that decides an export's rows. `version` is empty for a live one."""

    moment: Moment
    choices: Choices
    shape: Shape
    version: str = ""

    def through(self, entry: Format) -> Moment:
        """The moment with the aspects that the format reads: all, or the chosen or main one."""
        aspects = self.moment.aspects
        if self.choices.aspect:
            return replace(self.moment, aspects=tuple(a for a in aspects if a.name == self.choices.aspect))
        if entry.all_aspects or not aspects:
            return self.moment
        main = next((aspect for aspect in aspects if aspect.name == MAIN), aspects[0])
        return replace(self.moment, aspects=(main,))


def open_live(project: Project, choices: Choices) -> Dataset:
    """The project as it is now, settled first. Raises `UnknownName` for an unknown aspect or method."""
    if choices.aspect:
        find_aspect(project, choices.aspect)
    settlement = settled_for(project, choices)
    moment = Moment(project, settlement.number, tuple(project.aspects.all()))
    return Dataset(moment, choices, shape_of(moment, choices))


def settled_for(project: Project, choices: Choices) -> Settlement:
    """The settlement that the choices ask for. One that is not the project's own leaves that one standing after it."""
    own = standing_method(project)
    method = method_of(choices, own)
    made = settle(project, method=method)
    if method != own:
        settle(project, method=own)
    return made


def method_of(choices: Choices, own: str) -> str:
    """The method by which routing settles what is chosen. Raises `BadChoice`."""
    if choices.labels == "fused":
        if choices.consensus not in ("", FUSED):
            raise BadChoice(f"Fused labels are not settled by {choices.consensus!r}.", choice="consensus")
        return FUSED
    method = choices.consensus or own
    if choices.labels == "settled":
        return method
    name = method.partition("/")[0]
    return f"{'majority' if name == FUSED else name}/{choices.labels}"


def find_snapshot(project: Project, version: str) -> Snapshot:
    """Raises `UnknownName` with the nearest versions."""
    found = Snapshot.objects.filter(project=project, version=version).select_related("settlement").first()
    if found is None:
        known = Snapshot.objects.filter(project=project).values_list("version", flat=True)
        raise unknown("version", version, list(known))
    return found


def open_snapshot(snapshot: Snapshot, given: Mapping[str, Any], *, paths: bool = False) -> Dataset:
    """The project as the snapshot froze it; the choices are the snapshot's own but for those given."""
    frozen = Frozen(unpack(snapshot.instances), unpack(snapshot.labels), unpack(snapshot.retired))
    project, shape = snapshot.project, Shape.of(snapshot.shape)
    aspects = tuple(aspect for aspect in project.aspects.all() if aspect.name in shape.aspects)
    moment = Moment(project, snapshot.settlement.number, aspects, frozen)
    parse_choices(given, paths=paths)
    choices = parse_choices({**snapshot.choices, **given}, paths=True)
    for name in ("consensus", "labels"):
        if getattr(choices, name) != snapshot.choices.get(name, getattr(Choices, name)):
            raise BadChoice(f"A snapshot keeps the {name} that it was settled with.", choice=name)
    return Dataset(moment, choices, chosen_shape(shape, choices), snapshot.version)


# ---------------------------------------------------------------- shape

CONVERSATIONAL_SQL = """
SELECT EXISTS (SELECT 1 FROM ledger_instance i WHERE i.project_id = %(project)s
               AND (jsonb_typeof(i.prompt) = 'array' OR coalesce(i.context ->> 'system', '') <> ''))
    OR EXISTS (SELECT 1 FROM ledger_response r JOIN ledger_instance i ON i.id = r.instance_id
               WHERE i.project_id = %(project)s AND r.messages IS NOT NULL)
"""


def shape_of(moment: Moment, choices: Choices) -> Shape:
    """The facts of the project that decide the columns' types."""
    with connection.cursor() as cursor:
        cursor.execute(CONVERSATIONAL_SQL, {"project": moment.project.pk})
        conversational = cursor.fetchone()[0]
    ratings = [aspect for aspect in moment.aspects if {"min", "max"} <= set(aspect.settings)]
    shape = Shape(
        conversational=conversational,
        project=moment.project.slug,
        aspects=tuple(aspect.name for aspect in moment.aspects),
        tasks={aspect.name: aspect.task_type for aspect in moment.aspects},
        scales={aspect.name: (aspect.settings["min"], aspect.settings["max"]) for aspect in ratings},
        rubrics={aspect.name: rubric(aspect) for aspect in moment.aspects},
        steps={a.name: a.settings.get("steps", 1) for a in moment.aspects if a.task_type == "pairwise"},
    )
    return chosen_shape(shape, choices)


def chosen_shape(shape: Shape, choices: Choices) -> Shape:
    implicit = choices.prompt == "implicit"
    return replace(
        shape, implicit=implicit, threshold=choices.threshold, least=choices.min_margin, seed=choices.seed
    )


def rubric(aspect: Any) -> str:
    """The aspect's question and its described levels, as a judge or a trainer reads them."""
    levels = aspect.settings.get("levels", {})
    return "\n".join([aspect.description, *(f"{level}: {text}" for level, text in levels.items())]).strip()


# ---------------------------------------------------------------- records and rows


def columns_of(dataset: Dataset, entry: Format) -> Columns:
    split = {"split": TEXT} if dataset.choices.splits else {}
    return {**entry.columns(dataset.shape), **split}


def read(dataset: Dataset, entry: Format) -> tuple[Iterator[Row], Tally]:
    """The format's rows over the dataset, in their order, and the tally that fills as they are read.

    Needs the transaction of `one_moment`.
    """
    moment, choices = dataset.through(entry), dataset.choices

    def reread() -> Iterator[Pair]:
        return read_pairs(moment, choices, metadata=entry.metadata)

    selector: Selector | CaseSelector
    splitter = split_by_prompt(moment, choices) if choices.splits else None
    if entry.reads is Reads.PAIRS:
        selector = Selector(choices, reread)
        rows = rows_of(selector.pairs(reread()), entry, dataset.shape, splitter)
    else:
        selector = CaseSelector(choices, reread, entry)
        said = dataset.moment if entry.all_labels else moment
        cases = read_cases(moment, choices, selector, said=said)
        rows = selector.rows(rows_of(cases, entry, dataset.shape, splitter))
    if choices.order != "instance":
        rows = by_margin(rows, hardest_first=choices.order == "hard-first")
    return rows, selector.tally


PROMPTS_SQL = "SELECT id, prompt_hash, prompt FROM ledger_instance WHERE project_id = %(project)s ORDER BY id"


def split_by_prompt(moment: Moment, choices: Choices) -> Splitter:
    """A function from a record to its split: near-duplicate prompts always share one."""
    shares, seed = choices.split_shares(), choices.seed
    groups = Groups(prompts(moment))
    return lambda record: split_of(groups.of(record.group), shares, seed=seed)


def prompts(moment: Moment) -> Iterator[tuple[str, str]]:
    """(group, text) of every distinct prompt that the moment saw."""
    seen = Seen()
    for pk, group, prompt in fetch(PROMPTS_SQL, {"project": moment.project.pk}):
        if (moment.frozen is None or holds(moment.frozen.instances, pk)) and seen(group) == 1:
            yield group, prompt
