"""From a project's ledger to a `Table` and its human labels."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Count, Sum

from ledger.models import Aspect, Instance, Label, Project, Rater, Response
from routing.embedding import embeddings_of, matching_of
from routing.evidence import reward_margin, votes_spread
from routing.pay import expected_pay, meets, pay_by_rules
from routing.problems import NoInstances, NoJudgeLabels
from routing.table import Floats, Ints, People, Table
from routing.tagging import tags_of
from routing.texts import text_of
from routing.voices import joint_probability, joint_verdict
from web.registry import unknown

WORD = re.compile(r"\w+")
READING_SPEED = 14_000  # words an hour: silent reading of English (Brysbaert 2019, about 238 a minute)
DECIDING_HOURS = 20 / 3600  # beyond reading: weighing, clicking


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A project's aspect as arrays: what policies may see, what people said, and whose verdict stands."""

    project: Project
    aspect: Aspect
    judge: Rater
    table: Table
    people: People
    judges: tuple[int, ...] = ()  # the raters of the table's judges


@dataclass
class Index:
    """Codes 0, 1, … for distinct keys, in the order of their arrival."""

    codes: dict[Any, int] = field(default_factory=dict)

    def __call__(self, key: Any) -> int:
        return self.codes.setdefault(key, len(self.codes))

    def keys(self) -> tuple[Any, ...]:
        return tuple(self.codes)


def find_aspect(project: Project, name: str | None = None) -> Aspect:
    """The named aspect; by default `overall`, else the project's first. Raises `UnknownName`, `NoInstances`."""
    aspects = {aspect.name: aspect for aspect in project.aspects.all()}
    if not aspects:
        raise NoInstances(f"The project {project.slug!r} has no aspects yet: import labels or add one.")
    if name is None:
        return aspects.get("overall") or next(iter(aspects.values()))
    if name not in aspects:
        raise unknown("aspect", name, list(aspects))
    return aspects[name]


def judges_of(aspect: Aspect) -> list[Rater]:
    """The judges with live labels on the aspect: most labels first, then by name."""
    counted = Counter(dict(live_judge_labels(aspect)))
    raters = Rater.objects.filter(pk__in=counted)
    return sorted(raters, key=lambda rater: (-counted[rater.pk], rater.name))


def live_judge_labels(aspect: Aspect) -> Iterable[tuple[int, int]]:
    labels = Label.objects.live().by_judges().filter(project=aspect.project_id, aspect=aspect)
    return labels.values_list("rater").annotate(n=Count("pk")).order_by()


def find_judge(aspect: Aspect, name: str | None = None) -> Rater:
    """The named judge, by default the first of `judges_of`. Raises `UnknownName`, `NoJudgeLabels`."""
    judges = judges_of(aspect)
    if not judges:
        raise NoJudgeLabels(
            f"No judge has labelled the aspect {aspect.name!r} of {aspect.project.slug!r}: run `judge` first, "
            "or import instances that carry AI labels.",
            aspect=aspect.name,
        )
    if name is None:
        return judges[0]
    found = next((judge for judge in judges if judge.name == name), None)
    if found is None:
        raise unknown("judge", name, [judge.name for judge in judges])
    return found


def load(project: Project, *, aspect: str | None = None, judge: str | None = None) -> Loaded:
    """The aspect's pairs with their judges' verdicts, and every live human label."""
    asked = find_aspect(project, aspect)
    standing = find_judge(asked, judge)
    pairs = read_pairs(project, pairwise=asked.task_type == "pairwise")
    if not pairs.ids:
        raise NoInstances(f"The project {project.slug!r} has no instance with two responses to compare.")
    judges = judges_of(asked)
    table = as_table(project, pairs, judges, standing, asked)
    return Loaded(
        project=project,
        aspect=asked,
        judge=standing,
        table=table,
        people=read_people(pairs, asked),
        judges=tuple(judge.pk for judge in judges),
    )


def load_some(
    aspect: Aspect, standing: Rater, *, judges: tuple[int, ...], instances: Collection[int]
) -> Table | None:
    """The pairs of these instances alone, as the raters `judges` see them; None where there are none."""
    project = aspect.project
    pairs = read_pairs(project, pairwise=aspect.task_type == "pairwise", only=instances)
    found = Rater.objects.in_bulk(judges)
    known = [found[pk] for pk in judges if pk in found]
    if not pairs.ids or standing not in known:
        return None
    return as_table(project, pairs, known, standing, aspect, only=instances)


@dataclass
class Pairs:
    """The pairs of a project while they are read: `place` finds a pair by (instance, i, j)."""

    ids: list[str] = field(default_factory=list)
    prompt: list[int] = field(default_factory=list)
    pair: list[tuple[int, int]] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    place: dict[tuple[int, int, int], int] = field(default_factory=dict)
    prompts: Index = field(default_factory=Index)
    responses: Index = field(default_factory=Index)
    models: Index = field(default_factory=Index)
    instances: Index = field(default_factory=Index)
    domain: list[int] = field(default_factory=list)
    domains: Index = field(default_factory=Index)

    @property
    def slices(self) -> Ints | None:
        """The domain of each pair's prompt (n,); None where there is one at most."""
        return np.array(self.domain, dtype=np.int64) if len(self.domains.codes) > 1 else None


def read_pairs(project: Project, *, pairwise: bool, only: Collection[int] | None = None) -> Pairs:
    """Every pair of responses of every instance, or of those in `only`; a pairwise aspect is asked about two."""
    pairs = Pairs()
    responses = responses_by_instance(project, only)
    wanted = (
        Instance.objects.of(project) if only is None else Instance.objects.of(project).filter(pk__in=only)
    )
    rows = wanted.order_by("id").values_list("id", "ref", "prompt", "size", "metadata__domain")
    for pk, ref, prompt, size, domain in rows.iterator():
        if size < 2 or (pairwise and size != 2):
            continue
        add_instance(pairs, pk, ref, text_of(prompt), responses[pk])
        pairs.domain += [pairs.domains(str(domain))] * (len(pairs.ids) - len(pairs.domain))
    return pairs


def responses_by_instance(
    project: Project, only: Collection[int] | None = None
) -> dict[int, list[tuple[str, str]]]:
    """(text, model) of each response, by instance and in order of index."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    wanted = Response.objects.filter(instance__project=project)
    rows = (wanted if only is None else wanted.filter(instance__in=only)).order_by("instance_id", "index")
    for instance, text, model in rows.values_list("instance_id", "text", "model").iterator():
        found[instance].append((text, model))
    return found


def add_instance(pairs: Pairs, pk: int, ref: str, prompt: str, responses: list[tuple[str, str]]) -> None:
    asked = pairs.prompts(prompt)
    codes = [pairs.responses((asked, text, model)) for text, model in responses]
    for _, model in responses:
        if model:
            pairs.models(model)
    for i, j in combinations(range(len(responses)), 2):
        pairs.place[pk, i, j] = len(pairs.ids)
        pairs.ids.append(ref if len(responses) == 2 else f"{ref}#{i}-{j}")
        pairs.prompt.append(asked)
        pairs.pair.append((codes[i], codes[j]))
        pairs.owner.append(pairs.instances(pk))


def as_table(
    project: Project,
    pairs: Pairs,
    judges: list[Rater],
    standing: Rater,
    aspect: Aspect,
    only: Collection[int] | None = None,
) -> Table:
    voices = read_judges(pairs, judges, aspect, only)
    keys = pairs.responses.keys()
    prompts = pairs.prompts.keys()
    texts = tuple(text for _, text, _ in keys)
    embeddings = embeddings_of(prompts, texts)
    sides = [(texts[first], texts[second]) for first, second in pairs.pair]
    return Table(
        ids=tuple(pairs.ids),
        prompts=prompts,
        responses=texts,
        models=pairs.models.keys(),
        prompt=np.array(pairs.prompt, dtype=np.int64),
        pair=np.array(pairs.pair, dtype=np.int64).reshape(-1, 2),
        model_of=np.array([pairs.models.codes.get(model, -1) for _, _, model in keys], dtype=np.int64),
        judges=tuple(judge.name for judge in judges),
        verdict=voices.verdict,
        probability=voices.probability,
        consistent=voices.consistent,
        margin=voices.margin,
        spread=voices.spread,
        standing=judges.index(standing),
        price=reading_price(project, pairs, prompts, texts),
        instances=pairs.instances.keys(),
        owner=np.array(pairs.owner, dtype=np.int64),
        graded=aspect.task_type == "rating",
        slices=pairs.slices,
        embeddings=embeddings,
        matching=None if embeddings is None else matching_of(sides),
        hyper=project.settings.get("hyper", {}),
        tags=tags_of(project, prompts),
    )


def reading_price(project: Project, pairs: Pairs, prompts: tuple[str, ...], texts: tuple[str, ...]) -> Floats:
    """What reading and deciding a pair costs: hours × pay (n,). Without pay every pair costs the same."""
    pay = hourly_pay(project, pairs)
    if not (pay > 0).all():
        return np.ones(len(pairs.ids))
    prompt_words = np.array([len(WORD.findall(text)) for text in prompts])
    words = np.array([len(WORD.findall(text)) for text in texts])
    read = prompt_words[np.array(pairs.prompt)] + words[np.array(pairs.pair)].sum(axis=1)
    hours: Floats = read / READING_SPEED + DECIDING_HOURS
    return hours * pay


def judge_price(aspect: Aspect, judge: Rater) -> float:
    """What the judge's labels on one instance have cost in the mean, in the project's currency."""
    labels = Label.objects.live().filter(project=aspect.project_id, aspect=aspect, rater=judge)
    found = labels.aggregate(total=Sum("cost"), judged=Count("instance", distinct=True))
    return float(found["total"] or 0) / max(found["judged"], 1)


def hourly_pay(project: Project, pairs: Pairs) -> Floats:
    """The pay of those who may be asked about each pair (n,): by the dearest skill rule that its instance meets."""
    pay = np.full(len(pairs.instances.keys()), expected_pay(project))
    rules = pay_by_rules(project)
    if rules:
        dearest: dict[int, float] = {}
        rows = (
            Instance.objects.of(project).filter(pk__in=pairs.instances.keys()).values_list("pk", "metadata")
        )
        for pk, metadata in rows.iterator():
            met = [each for when, each in rules if meets(metadata or {}, when)]
            if met:
                dearest[pairs.instances.codes[pk]] = max(met)
        pay[list(dearest)] = list(dearest.values())
    found: Floats = pay[np.array(pairs.owner, dtype=np.int64)]
    return found


class Said(NamedTuple):
    """One presentation of a judge's label on one pair; None where the label does not tell."""

    verdict: int
    probability: float | None
    sure: bool
    margin: float | None
    spread: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """What each judge says of each pair over all its presentations, NaN where it is silent: (J, n) each."""

    verdict: Floats
    probability: Floats
    consistent: Floats
    margin: Floats
    spread: Floats


def read_judges(
    pairs: Pairs, judges: list[Rater], aspect: Aspect, only: Collection[int] | None = None
) -> Voices:
    """The labels of these judges on the pairs, folded."""
    row = {judge.pk: place for place, judge in enumerate(judges)}
    heard: dict[tuple[int, int], list[Said]] = defaultdict(list)
    labels = Label.objects.live().by_judges().filter(project=aspect.project_id, aspect=aspect)
    if only is not None:
        labels = labels.filter(instance__in=only, rater__in=judges)
    fields = ("rater_id", "instance_id", "value", "detail")
    for rater, instance, value, detail in labels.values_list(*fields).iterator():
        kept = detail if isinstance(detail, dict) else {}
        sure, spread = kept.get("consistent") is not False, votes_spread(kept)
        for i, j, verdict in aspect.task.votes(value):
            if (instance, i, j) in pairs.place:
                said = Said(verdict, value.get("probability"), sure, reward_margin(kept, i, j), spread)
                heard[row[rater], pairs.place[instance, i, j]].append(said)
    return fold_judges(heard, (len(judges), len(pairs.ids)))


def fold_judges(heard: dict[tuple[int, int], list[Said]], shape: tuple[int, int]) -> Voices:
    """One verdict, probability and consistency of each judge on each pair (`routing.voices`); means of the rest."""
    found = Voices(*(np.full(shape, np.nan) for _ in range(5)))
    for place, said in heard.items():
        chances = [each.probability for each in said]
        found.verdict[place] = joint_verdict([each.verdict for each in said], chances)
        given = [chance for chance in chances if chance is not None]
        if given:
            found.probability[place] = joint_probability(given)
        if len(said) > 1 or not said[0].sure:
            found.consistent[place] = float(
                len({each.verdict for each in said}) == 1 and all(each.sure for each in said)
            )
        found.margin[place] = mean_of([each.margin for each in said])
        found.spread[place] = mean_of([each.spread for each in said])
    return found


def mean_of(values: Iterable[float | None]) -> float:
    """The mean of those that are there, NaN of none."""
    given = [value for value in values if value is not None]
    return sum(given) / len(given) if given else float("nan")


def read_people(pairs: Pairs, aspect: Aspect) -> People:
    """Each person's first answer on each pair; a repeat checks the person and is no further answer."""
    labels = Label.objects.live().by_people().filter(project=aspect.project_id, aspect=aspect, repeat=0)
    rows: dict[tuple[int, int], tuple[int, float, float]] = {}
    raters = Index()
    fields = ("rater__name", "instance_id", "value")
    for rater, instance, value in labels.order_by("repeat", "id").values_list(*fields).iterator():
        ratings = value.get("ratings", {})
        for i, j, verdict in aspect.task.votes(value):
            if (instance, i, j) in pairs.place:
                scores = (float(ratings.get(str(i), np.nan)), float(ratings.get(str(j), np.nan)))
                rows.setdefault((pairs.place[instance, i, j], raters(rater)), (verdict, *scores))
    return as_people(rows, raters.keys())


def as_people(rows: dict[tuple[int, int], tuple[int, float, float]], names: tuple[str, ...]) -> People:
    flat = np.array([(*key, *said) for key, said in rows.items()], dtype=float).reshape(-1, 5)
    whole = flat[:, :3].astype(np.int64)
    return People(pair=whole[:, 0], rater=whole[:, 1], verdict=whole[:, 2], scores=flat[:, 3:], names=names)
