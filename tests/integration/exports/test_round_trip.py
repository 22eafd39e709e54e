"""Out and in again: `ledger` gives the same ledger, the others the same preferences."""

import json
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.actions import write_export
from exports.choices import parse_choices
from exports.datasets import open_live, read
from exports.formats import FORMATS
from exports.problems import NothingToExport
from exports.reading import one_moment
from ledger.actions import NewLabel, ensure_rater, write_guidelines, write_labels
from ledger.imports.load import import_file
from ledger.models import Label, Rater
from tests.integration.exports.made_rows import chats, everything, instance, ranking, rating, vote

pytestmark = pytest.mark.django_db
TURNS = count()


def archive(project, path):
    write_export(open_live(project, parse_choices({})), format="ledger", container="jsonl", path=path)
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def nameless(rows):
    """The archive without the row ids, which another database counts anew; what replaces what is kept as a place."""
    for row in rows:
        places = {label.pop("id"): place for place, label in enumerate(row["labels"])}
        for label in row["labels"]:
            label["replaces"] = places.get(label["replaces"])
    return rows


def busy(project_of):
    """A ledger with corrections, several kinds of rater, probabilities, costs, orders and both-bad verdicts."""
    project = project_of([*chats(), *({**row, "id": f"rated {row['id']}"} for row in everything())])
    aspect = project.aspects.get(name="overall")
    judge = ensure_rater(project, kind=Rater.Kind.JUDGE, name="tiny")
    gold = ensure_rater(project, kind=Rater.Kind.GOLD, name="gold")
    ann = Rater.objects.get(project=project, name="ann")
    write_guidelines(project, text="Read both answers.", author=None)
    second = write_guidelines(project, text="Read both answers twice.", author=None)
    for each in project.instances.filter(size=2):
        probability = {"strength": 1, "probability": 0.75}
        shown = NewLabel(
            instance=each, aspect=aspect, value=probability, order=(1, 0), version="v1", duration_ms=12,
            cost=Decimal("0.000125"), detail={"mass": 0.5},
        )  # fmt: skip
        write_labels(project=project, rater=judge, labels=[shown])
        write_labels(project=project, rater=gold, labels=[NewLabel(each, aspect, {"both_bad": True})])
        write_labels(
            project=project,
            rater=ann,
            labels=[NewLabel(each, aspect, {"strength": 0}, rationale="on second thought", guideline=second)],
        )
    return project


def test_an_archive_gives_the_same_ledger(project_of, tmp_path):
    project, other = busy(project_of), project_of([])
    path = tmp_path / "archive.jsonl"
    before = archive(project, path)
    report = import_file(other, path)
    assert (report.imported, report.errors) == (len(before), [])
    assert sum(report.labels.values()) == Label.objects.filter(project=project).count()
    assert nameless(archive(other, tmp_path / "again.jsonl")) == nameless(before)
    assert [label["guideline"] for row in before for label in row["labels"]].count(2) == 10
    read = Label.objects.filter(project=other).exclude(guideline=None)
    assert {label.guideline.text for label in read} == {"Read both answers twice."}
    again = import_file(other, path)
    assert (again.imported, again.duplicates, again.labels) == (0, len(before), {"human": 0, "ai": 0})


def test_guidelines_keep_their_texts_where_numbers_are_taken(project_of, tmp_path):
    project, other = busy(project_of), project_of([])
    write_guidelines(other, text="Something else.", author=None)
    write_guidelines(other, text="Yet something else.", author=None)
    archive(project, tmp_path / "archive.jsonl")
    import_file(other, tmp_path / "archive.jsonl")
    read = Label.objects.filter(project=other).exclude(guideline=None)
    assert {(label.guideline.number, label.guideline.text) for label in read} == {
        (3, "Read both answers twice.")
    }


LABELS = st.lists(
    st.one_of(
        st.builds(vote, st.integers(-1, 1), st.sampled_from("abc")),
        st.builds(vote, st.integers(-1, 1), st.sampled_from("abc"), st.just("brief")),
    ),
    max_size=4,
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
INSTANCES = st.lists(st.tuples(LABELS, st.lists(TEXTS, min_size=2, max_size=2)), min_size=1, max_size=4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(INSTANCES)
def test_any_ledger_and_its_preferences_come_back(project_of, tmp_path, made):
    rows = [instance(f"i{n}", human, texts=texts) for n, (human, texts) in enumerate(made)]
    project, other = project_of(rows), project_of([])
    turn = next(TURNS)
    before = archive(project, tmp_path / f"{turn}.jsonl")
    import_file(other, tmp_path / f"{turn}.jsonl")
    assert nameless(archive(other, tmp_path / f"{turn}-again.jsonl")) == nameless(before)


@pytest.mark.parametrize("container", ["jsonl", "jsonl.gz", "parquet"])
def test_preferences_come_back_from_trl_preference(container, project_of, export_rows, tmp_path):
    human = [rating("r1", 3), rating("r2", 1), rating("r3", 0), ranking([["r3"], ["r2"], ["r1"]])]
    project = project_of([*chats(), instance("rated", human, texts=["x", "y", "z"])])
    path = tmp_path / f"rows.{container}"
    write_export(
        open_live(project, parse_choices({})), format="trl-preference", container=container, path=path
    )
    other = project_of([])
    report = import_file(other, path)
    assert report.errors == []
    texts = ("prompt", "chosen", "rejected")
    assert [[row[name] for name in texts] for row in export_rows(other, "trl-preference")] == [
        [row[name] for name in texts] for row in export_rows(project, "trl-preference")
    ]


# ---------------------------------------------------------------- the other formats

VOTES = st.lists(st.integers(-1, 1), min_size=1, max_size=3)
RANKS = st.lists(st.integers(1, 3), min_size=3, max_size=3)
MIXED = st.lists(
    st.tuples(VOTES, VOTES, RANKS, st.lists(TEXTS, min_size=2, max_size=2, unique=True)),
    min_size=1,
    max_size=4,
)
BACK = {  # format: the choices under which it holds every preference
    "trl-preference": {"ties": "soft"},
    "soft": {"ties": "soft"},
    "reward-bench": {"ties": "soft"},
    "multi-aspect": {"ties": "soft"},
    "preference-strength": {"ties": "soft"},
    "listwise": {},
    "disaggregated": {},
}


def groups_of(ranks: list[int]) -> list[list[str]]:
    return [[f"r{at + 1}" for at, rank in enumerate(ranks) if rank == each] for each in sorted(set(ranks))]


def mixed_rows(made):
    """Pairs with votes on two aspects, and lists of three that somebody ranked."""
    rows = []
    for n, (first, second, ranks, texts) in enumerate(made):
        human = [vote(value, f"p{who}") for who, value in enumerate(first)]
        human += [vote(value, f"p{who}", aspect="brief") for who, value in enumerate(second)]
        rows.append(instance(f"i{n}", human, texts=texts))
        rows.append(instance(f"l{n}", [ranking(groups_of(ranks))], texts=[*texts, "third"]))
    return rows


def preferred(rows):
    """What a format's pairs say: the texts, chosen first; those of a tie as a set."""
    return sorted(
        str(
            ("tie", sorted((row["chosen"], row["rejected"])))
            if row["margin"] == 0
            else (row["chosen"], row["rejected"])
        )
        for row in rows
    )


@pytest.mark.parametrize("format", BACK)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MIXED)
def test_any_preferences_come_back(format, project_of, tmp_path, made):
    project, other = project_of(mixed_rows(made)), project_of([])
    path = tmp_path / f"{next(TURNS)}.jsonl"
    every = {"disaggregated": ["overall", "brief", "order"], "multi-aspect": ["overall", "brief", "order"]}
    aspects = every.get(format, ["overall"])
    try:
        write_export(
            open_live(project, parse_choices(BACK[format])), format=format, container="jsonl", path=path
        )
    except NothingToExport:
        return  # no preference at all: nothing to bring back
    assert import_file(other, path).errors == []
    for aspect in aspects:
        told = []
        for each in (project, other):
            ties = "soft" if BACK[format] else "drop"
            found = pairs_on(each, aspect, ties=ties)
            told.append(preferred(found))
        assert told[0] == told[1], aspect


def pairs_on(project, aspect, **given):
    """The pairs of an aspect, [] where it has none."""
    names = {each.name for each in project.aspects.all()}
    shown = [name for name in (aspect, f"{aspect}/pairwise", f"{aspect}/ranking") if name in names]
    rows = []
    for name in shown:
        dataset = open_live(project, parse_choices({"aspect": name, **given}))
        with one_moment():
            found, _ = read(dataset, FORMATS.load("trl-preference"))
            rows += list(found)
    return rows
