"""Every format: its rows fit its schema, Parquet and JSON Lines say the same, and what the rows say is true."""

import json

import jsonschema
import pyarrow.parquet
import pytest

from exports.actions import write_export
from exports.choices import parse_choices
from exports.datasets import columns_of, open_live
from exports.formats import FORMATS
from exports.formats.columns import JSON, json_schema
from ledger.actions import NewLabel, add_aspect, ensure_rater, write_labels
from ledger.models import Instance, Rater
from ledger.templates import AspectSpec
from tests.integration.exports.made_rows import (
    chats,
    everything,
    instance,
    project_for,
    ranking,
    rating,
    vote,
)

pytestmark = pytest.mark.django_db


CHOICES = {"trl-unpaired": {"min_margin": "0.5"}}


@pytest.mark.parametrize("format", FORMATS.names())
def test_rows_fit_the_schema_and_parquet_reads_back_the_same(format, project_of, tmp_path):
    dataset = open_live(project_for(format, project_of), parse_choices(CHOICES.get(format, {})))
    entry = FORMATS.load(format)
    assert entry.name == format
    columns = columns_of(dataset, entry)
    reports = {}
    for container in ("jsonl", "parquet"):
        path = tmp_path / f"rows.{container}"
        reports[container] = write_export(dataset, format=format, container=container, path=path)
    assert reports["jsonl"]["hash"] == reports["parquet"]["hash"]
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == reports["jsonl"]["rows"] > 0
    check = jsonschema.Draft202012Validator(json_schema(columns, title=format))
    for row in rows:
        check.validate(row)
    read = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    for row in read:
        row.update({name: json.loads(row[name]) for name, kind in columns.items() if kind == JSON})
    assert read == rows


def test_preference_rows_are_the_majority_with_their_origin(project_of, export_rows):
    three = [vote(1, "ann"), vote(1, "bob@lab.org"), vote(-1, "cy")]
    rows = export_rows(
        project_of([instance("a/b", three), instance("t", [vote(0)])], slug="q"), "trl-preference"
    )
    assert rows == [
        {
            "prompt": "Question a/b?",
            "chosen": "No.",
            "rejected": "Yes.",
            "instance": "a/b",
            "source": "human",
            "margin": rows[0]["margin"],
            "agreement": pytest.approx(2 / 3, abs=1e-6),
            "raters": ["ann", "person-3b1388db21", "cy"],
            "route": "",
            "policy": "",
            "row": "q/overall/1-0/a/b",
        }
    ]
    assert rows[0]["margin"] > 0


def test_texts_are_unchanged(project_of, export_rows):
    odd = ["\u202e<b>=1+1\r\n\t “ﬁ” \U0001f600 \u2028", "  "]
    (row,) = export_rows(project_of([instance("x", [vote(-1)], texts=odd)]), "trl-preference")
    assert [row["chosen"], row["rejected"]] == odd


def test_a_mixed_project_is_conversational_throughout(project_of, export_rows):
    rows = {row["instance"]: row for row in export_rows(project_of(chats()), "trl-preference")}
    assert rows["i4"]["prompt"] == [{"role": "user", "content": "Question i4?"}]
    assert rows["i1"]["prompt"][0] == {"role": "system", "content": "Be brief."}
    assert [turn["role"] for turn in rows["i2"]["chosen"]] == ["assistant", "user", "assistant"]
    assert rows["i3"]["chosen"] == [{"role": "assistant", "content": "No."}]


def test_the_implicit_prompt_stands_inside(project_of, export_rows):
    (row,) = export_rows(project_of([instance("x", [vote(-1)])]), "trl-preference", prompt="implicit")
    assert (row["chosen"], row["rejected"], "prompt" in row) == ("Question x?Yes.", "Question x?No.", False)


def test_unpaired_needs_absolute_evidence(project_of, export_rows):
    rated = [rating("r1", 4), rating("r2", 1), rating("r1", 3, who="b"), rating("r2", 2, who="b")]
    rows = export_rows(project_of([instance("x", rated)]), "trl-unpaired")
    assert [(row["completion"], row["label"], row["evidence"]) for row in rows] == [
        ("Yes.", True, "rating"),
        ("No.", False, "rating"),
    ]
    strict = export_rows(project_of([instance("x", rated)]), "trl-unpaired", threshold=0.9)
    assert [row["label"] for row in strict] == [False]


def test_listwise_and_pairs_of_a_ranking(project_of, export_rows):
    project = project_of([instance("x", [ranking([["r2"], ["r3", "r1"]])], texts=["one", "two", "three"])])
    (row,) = export_rows(project, "listwise")
    assert (row["completions"], row["ranks"], row["order"]) == (["two", "one", "three"], [1, 2, 2], [1, 0, 2])
    assert [pair["row"].split("/")[2] for pair in export_rows(project, "trl-preference")] == ["1-0"]
    every = export_rows(project, "trl-preference", pairs="all")
    assert [(pair["chosen"], pair["rejected"]) for pair in every] == [("two", "one"), ("two", "three")]


def test_multi_aspect_carries_the_other_aspects_margin(project_of, export_rows):
    rows = export_rows(project_of([instance("x", [vote(1), vote(-1, aspect="brief")])]), "multi-aspect")
    assert [(row["aspect"], row["chosen"]) for row in rows] == [("overall", "No."), ("brief", "Yes.")]
    assert rows[0]["margin_brief"] < 0 < rows[0]["margin_overall"]


def test_prompt_only_gives_each_prompt_once(project_of, export_rows):
    twice = [instance("a", [vote(1)]), {**instance("b", [vote(1)]), "prompt": "Question a?"}]
    assert [row["instance"] for row in export_rows(project_of(twice), "trl-prompt-only")] == ["a"]


def test_disaggregated_keeps_every_voice_under_a_pseudonym(project_of, export_rows):
    rows = export_rows(
        project_of([instance("x", [vote(1), vote(-1, "bob@lab.org", comment="no")])]), "disaggregated"
    )
    assert [(row["strength"], row["rationale"]) for row in rows] == [(1, ""), (-1, "no")]
    assert rows[0]["rater"] == "ann"
    assert rows[1]["rater"].startswith("person-")


def test_splits_and_order(project_of, export_rows):
    project = project_of(everything())
    rows = export_rows(project, "trl-preference", splits="train=0.5,test=0.5", order="hard-first")
    assert [row["margin"] for row in rows] == sorted(row["margin"] for row in rows)
    assert {row["split"] for row in rows} <= {"train", "test"}


FIND = {"type": "function", "function": {"name": "find", "arguments": '{"q": 1}'}}
TURNS = [
    {"role": "assistant", "content": "I look it up.", "tool_calls": [FIND]},
    {"role": "tool", "name": "find", "content": "ann@lab.org"},
    {"role": "assistant", "content": None, "tool_calls": [{"name": "stop", "arguments": {}}]},
    {"role": "assistant", "content": "Yes."},
]
CALLED = '<tool_call>\n{"name": "find", "arguments": {\n  "q": 1\n}}\n</tool_call>'
STOPPED = '<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>'


@pytest.mark.parametrize("results", [True, False])
def test_stepwise_follows_the_messages_and_calls_of_a_trajectory(project_of, export_rows, results):
    """A result that nobody was asked about ends the step before it; of three raters most decide, a repeat is none."""
    row = instance("x", [vote(-1)])
    row["responses"][0]["messages"] = TURNS
    project = project_of([row])
    aspect = add_aspect(project, AspectSpec("steps", "steps", {"results": results}))
    asked = [(0, None), (0, 0), *([(1, None)] if results else []), (2, 0), (3, None)]
    for name, wrong in (("ann", 2), ("bob@lab.org", 2), ("cy@lab.org", 3)):
        rater = ensure_rater(project, kind=Rater.Kind.PERSON, name=name)
        marks = [
            {"response": 0, "message": m, **({} if call is None else {"call": call})} for m, call in asked
        ]
        value = {
            "marks": [{**mark, "label": "wrong" if mark["message"] == wrong else "right"} for mark in marks]
        }
        label = NewLabel(instance=Instance.objects.get(project=project), aspect=aspect, value=value)
        write_labels(project=project, rater=rater, labels=[label])
    (made,) = export_rows(project, "trl-stepwise")
    result = "<tool_response>\nann@lab.org\n</tool_response>"
    said = [CALLED, result] if results else [f"{CALLED}\n\n{result}"]
    assert made["completions"] == ["I look it up.", *said, STOPPED, "Yes."]
    assert made["labels"] == [True, True, *([True] if results else []), False, True]
    assert made["agreement"][-2:] == [pytest.approx(2 / 3), pytest.approx(2 / 3)]


def test_a_consistency_probe_is_no_second_row_and_no_second_vote(project_of, export_rows):
    """The same person again, in swapped order (`repeat` 1), says something else: only the first answer is exported."""
    project = project_of([instance("x", [])])
    specs = {"overall": "pairwise", "steps": "steps", "spans": "spans", "edit": "edit"}
    aspects = {name: add_aspect(project, AspectSpec(name, task)) for name, task in specs.items()}
    rater = ensure_rater(project, kind=Rater.Kind.PERSON, name="ann")
    only = Instance.objects.get(project=project)
    for repeat, strength, step, text in ((0, -1, "right", "Yes, yes."), (1, 2, "wrong", "No, no.")):
        values = {
            "overall": {"strength": strength},
            "steps": {"marks": [{"response": 0, "start": 0, "end": 4, "label": step}]},
            "spans": {"marks": [{"response": 0, "start": 0, "end": 3 + repeat, "label": "unsafe"}]},
            "edit": {"edits": {"0": {"text": text}}},
        }
        labels = [
            NewLabel(
                instance=only,
                aspect=aspects[name],
                value=value,
                order=(repeat, 1 - repeat),
                repeat=repeat,
                rationale=text,
            )
            for name, value in values.items()
        ]
        write_labels(project=project, rater=rater, labels=labels)
    said = export_rows(project, "disaggregated")
    assert [(row["aspect"], row["repeat"]) for row in said] == [(name, 0) for name in specs]
    assert [row["labels"] for row in export_rows(project, "trl-stepwise")] == [[True]]
    assert [row["agreement"] for row in export_rows(project, "trl-stepwise")] == [[1.0]]
    assert [row["chosen"] for row in export_rows(project, "edits")] == ["Yes, yes."]
    (masked,) = export_rows(project, "masked")
    assert [mark["end"] for mark in masked["chosen_sentences"]] == [3]
    (strong,) = export_rows(project, "preference-strength")
    assert len(strong["justifications"]) == 1 and strong["strength_mean"] < 0
    (why,) = export_rows(project, "rationale")
    assert [each["text"] for each in why["rationales"]] == ["Yes, yes."]
    (kept,) = export_rows(project, "ledger")
    assert sorted(label["repeat"] for label in kept["labels"]) == [0] * 4 + [1] * 4


def test_tool_calls_are_written_out_in_conversations_and_masked_there(project_of, export_rows):
    row = instance("x", [vote(-1)])
    row["responses"][0]["messages"] = TURNS
    (made,) = export_rows(project_of([row]), "trl-preference", personal="mask")
    contents = [turn["content"] for turn in made["chosen"]]
    assert contents == [f"I look it up.\n{CALLED}", "[e-mail address]", STOPPED, "Yes."]
