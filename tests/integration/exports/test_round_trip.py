"""Out and in again: `ledger` gives the same ledger, the others the same preferences."""

import json
import re
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.actions import write_export
from exports.choices import parse_choices
from exports.datasets import open_live
from exports.formats import FORMATS
from exports.problems import NothingToExport
from ledger.actions import NewLabel, ensure_rater, write_guidelines, write_labels
from ledger.imports.load import import_file
from ledger.models import Label, Rater
from tests.integration.exports.made_of_all import PROJECTS, filled
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


# ---------------------------------------------------------------- every format

PAIRED = ("prompt", "chosen", "rejected")
BACK = {  # format: the columns of its rows that come back; of `ledger` all do, see above
    "trl-preference": PAIRED,
    "ledger": ("id", "prompt", "responses", "context", "metadata", "aspects", "raters"),
    "trl-unpaired": ("prompt", "completion", "label"),
    "soft": PAIRED,
    "ratings": ("prompt", "response", "model", "reference", "quality"),
    "listwise": ("prompt", "completions", "ranks"),
    "multi-aspect": (*PAIRED, "aspect"),
    "preference-strength": ("prompt", "response_1", "response_2"),
    "trl-stepwise": ("prompt", "completions", "labels", "marks", "model"),
    "disaggregated": ("prompt", "responses", "models", "aspect", "task_type", "rater", "rater_kind", "value",
                      "rationale", "order"),
    "reward-bench": (*PAIRED, "subset"),
    "rationale": (*PAIRED, "rationale"),
    "multi-turn": (*PAIRED, "level"),
    "trl-prompt-only": ("prompt", "reference"),
    "joint": ("chosen", "rejected"),
    "reward-conditioned": (*PAIRED, "relabelled"),
    "masked": (*PAIRED, "chosen_sentences", "chosen_mask", "rejected_sentences", "rejected_mask"),
    "edits": (*PAIRED, "distance", "rater", "model", "aspect"),
    "media": (*PAIRED, "kind", "chosen_text", "rejected_text", "label_0"),
}  # fmt: skip
GOAL = re.compile(r"Generate a response of quality \S+ on a scale from \S+ to \S+\.(\n\n)?")


def told(project, format, choices, path):
    """What the format's rows say of the columns that come back, in no order; nobody wins a tie."""
    try:
        write_export(open_live(project, parse_choices(choices)), format=format, container="jsonl", path=path)
    except NothingToExport:
        return []
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    return sorted(json.dumps(row, sort_keys=True) for row in (said(row, format) for row in rows))


def said(row, format):
    kept = {name: row[name] for name in BACK[format]}
    if format == "reward-conditioned":
        kept["prompt"] = bare(kept["prompt"])
    pair = re.search(r"/(\d)([-=])(\d)/", row.get("row", ""))
    return {**kept, "tie": pair[2] == "=", "turned": pair[1] > pair[3]} if pair else kept


def bare(prompt):
    """The prompt without its goal."""
    return prompt[1:] if isinstance(prompt, list) else GOAL.sub("", prompt, count=1)


@pytest.mark.parametrize("format", FORMATS.names())
@settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    made=PROJECTS, personal=st.sampled_from(["keep", "mask"]), pairs=st.sampled_from(["best-worst", "all"])
)
def test_what_a_format_holds_comes_back(format, project_of, tmp_path, made, personal, pairs):
    project, other = filled(project_of, made), project_of([])
    path = tmp_path / f"{next(TURNS)}.jsonl"
    choices = {"ties": "soft", "personal": personal, "pairs": pairs}
    before = told(project, format, choices, path)
    if before:
        assert import_file(other, path).errors == []
    assert told(other, format, {"ties": "soft"}, tmp_path / f"{next(TURNS)}.jsonl") == before
