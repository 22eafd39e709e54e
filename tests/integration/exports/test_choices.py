"""The choices at export, each through the database, and the same for formats of pairs and of whole instances."""

import json
import re
from itertools import pairwise

import pytest
from django.db import connection
from tokenizers import Tokenizer, models, pre_tokenizers

from exports.choices import parse_choices
from exports.datasets import open_live, read
from exports.formats import FORMATS
from exports.reading import one_moment
from exports.selection import unheeded
from ledger.actions import NewLabel, write_labels
from ledger.models import Instance, Rater
from tests.integration.exports.made_rows import (
    instance,
    marked_up,
    project_for,
    ranking,
    rating,
    vote,
    votes,
)

pytestmark = pytest.mark.django_db

ADDRESS = "ann.example@lab-mail.org"
CHOSEN = {"trl-unpaired": {"min_margin": "0.5"}}
UNMASKABLE = ("trl-stepwise", "masked")  # offsets would point elsewhere: the instance goes


def tally_of(project, format, **given):
    """(rows, tally) of a live export."""
    dataset = open_live(project, parse_choices(given))
    with one_moment():
        rows, tally = read(dataset, FORMATS.load(format))
        return list(rows), tally.as_dict()


def with_address(format, project_of):
    """The format's project, with an address in a prompt, a response, a system message, a rationale or an edit."""
    project = project_for(format, project_of)
    ann = Rater.objects.filter(project=project, kind=Rater.Kind.PERSON).first()
    refs = list(Instance.objects.of(project).order_by("pk"))
    with (
        connection.cursor() as cursor
    ):  # texts of instances never change otherwise: this is a test's shortcut
        cursor.execute(
            "UPDATE ledger_instance SET prompt = to_jsonb(%s::text) WHERE id = %s",
            [f"Write to {ADDRESS}", refs[0].pk],
        )
        cursor.execute(
            "UPDATE ledger_response SET text = text || %s, messages = CASE WHEN messages IS NULL THEN NULL ELSE "
            "jsonb_set(messages, '{-1,content}', to_jsonb(text || %s)) END WHERE instance_id = %s AND index = 0",
            [f" {ADDRESS}", f" {ADDRESS}", refs[1].pk],
        )
    label = refs[2].labels.filter(rater=ann).first()
    again = NewLabel(
        refs[2], label.aspect, label.value, order=tuple(label.order), rationale=f"Ask {ADDRESS}."
    )
    write_labels(project=project, rater=ann, labels=[again])
    return project


@pytest.mark.parametrize("how", ["mask", "drop"])
@pytest.mark.parametrize("format", FORMATS.names())
def test_no_format_lets_personal_data_through(format, how, project_of):
    project = with_address(format, project_of)
    given = CHOSEN.get(format, {})
    plain, _ = tally_of(project, format, **given)
    rows, tally = tally_of(project, format, personal=how, **given)
    text = json.dumps(rows)
    assert ADDRESS in json.dumps(plain)
    assert ADDRESS not in text
    if how == "mask" and format not in UNMASKABLE:
        assert len(rows) == len(plain)
        assert "[e-mail address]" in text
        assert tally["masked"]["e-mail address"] >= 1
    else:
        assert 0 < len(rows) < len(plain)
        assert tally["dropped"]["personal data"] >= 1


@pytest.mark.parametrize("format", FORMATS.names())
def test_every_format_heeds_language_and_slices(format, project_of):
    project = project_for(format, project_of)
    refs = list(Instance.objects.of(project).order_by("pk"))
    for each in refs[:4]:
        Instance.objects.filter(pk=each.pk).update(
            metadata={**each.metadata, "language": "is", "domain": "sea"}
        )
    given = CHOSEN.get(format, {})
    rows, tally = tally_of(project, format, language="is", where="domain=sea", **given)
    known = {each.ref for each in refs[:4]}
    assert {row.get("instance", row.get("id")) for row in rows} <= known
    assert rows
    assert sum(tally["dropped"].values()) >= 6


def test_tokens_are_counted_by_the_given_tokenizer_for_pairs_and_for_instances(project_of, tmp_path):
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    short_words = " ".join("a" * 9)  # nine tokens in fewer letters than one long word
    project = project_of(
        [
            instance(
                "long",
                [vote(-1), rating("r1", 4), rating("r2", 0)],
                texts=["abcdefghijklmnopqrstuvwxyz", short_words],
            ),
            instance("short", [vote(-1), rating("r1", 4), rating("r2", 0)]),
        ]
    )
    dataset = open_live(project, parse_choices({"max_tokens": 6, "tokenizer": str(tmp_path)}, paths=True))
    for format in ("trl-preference", "ratings", "disaggregated", "listwise"):
        with one_moment():
            rows, tally = read(dataset, FORMATS.load(format))
            assert {row["instance"] for row in rows} == {"short"}, format
        assert tally.dropped["over 6 tokens"] == 1


def test_repeated_instances_are_written_once_where_that_is_chosen(project_of):
    human = [rating("r1", 4), rating("r2", 0)]
    project = project_of([instance("a", human), {**instance("a", human), "id": "b"}])
    assert len(tally_of(project, "ratings")[0]) == 4
    rows, tally = tally_of(project, "ratings", deduplicate="true")
    assert (len(rows), tally["dropped"]) == (2, {"duplicate": 1})


def test_source_and_agreement_are_looked_at_row_by_row_where_rows_are_no_pairs(project_of):
    said = [rating("r1", 4), rating("r2", 0), rating("r1", 0, who="b"), rating("r2", 4, who="b"),
            rating("r1", 4, who="c"), rating("r2", 0, who="c")]  # fmt: skip
    project = project_of([instance("split", said), instance("sure", said[:2])])
    rows, tally = tally_of(project, "listwise", min_agreement="0.9")
    assert ([row["instance"] for row in rows], tally["dropped"]) == (["sure"], {"agreement below 0.9": 1})
    assert tally_of(project, "ratings", source="ai") == (
        [],
        {"read": 2, "kept": 2, "dropped": {"not settled by ai": 4}, "masked": {}},
    )


def test_choices_that_speak_of_pairs_are_named_where_rows_are_none():
    choices = parse_choices({"half": "easy", "min_margin": "1", "personal": "drop"})
    named = {
        name: unheeded(choices, FORMATS.load(name)) for name in ("ratings", "trl-unpaired", "soft", "masked")
    }
    assert named == {"ratings": ["min_margin", "half"], "trl-unpaired": ["half"], "soft": [], "masked": []}


def test_the_consensus_that_is_chosen_settles(project_of, export_rows):
    """Three who are always right against two who are always wrong elsewhere: skill decides, heads do not."""
    rows = [
        instance(f"i{n}", [vote(1, who) for who in "abc"] + [vote(-1, "d"), vote(-1, "e")]) for n in range(12)
    ]
    rows.append(instance("z", [vote(1, "a"), vote(-1, "d"), vote(-1, "e")]))
    project = project_of(rows)
    found = {
        method: next(
            row for row in export_rows(project, "trl-preference", consensus=method) if row["instance"] == "z"
        )
        for method in ("majority", "dawid_skene")
    }
    assert (found["majority"]["chosen"], found["dawid_skene"]["chosen"]) == ("Yes.", "No.")


def test_diverging_instances_are_kept_where_that_is_chosen(project_of, export_rows):
    project = project_of([instance("a", [vote(1)]), instance("split", [vote(1), vote(-1, "bob")])])
    assert [row["instance"] for row in export_rows(project, "soft")] == ["a"]
    kept = {row["instance"]: row["probability"] for row in export_rows(project, "soft", undecided="keep")}
    assert kept == {"a": 1.0, "split": 0.5}


@pytest.mark.parametrize(
    ("strategy", "picked"),
    [
        ("best-worst", [("1", "4")]),
        ("adjacent", [("1", "2"), ("2", "3"), ("3", "4")]),
        ("all", [("1", "2"), ("1", "3"), ("1", "4"), ("2", "3"), ("2", "4"), ("3", "4")]),
    ],
)
def test_pairs_of_a_ranking(strategy, picked, project_of, export_rows):
    project = project_of([instance("x", [ranking([["r1"], ["r2"], ["r3"], ["r4"]])], texts=list("1234"))])
    rows = export_rows(project, "trl-preference", pairs=strategy)
    assert [(row["chosen"], row["rejected"]) for row in rows] == picked
    capped = export_rows(project, "trl-preference", pairs=strategy, pairs_per_prompt=2)
    assert len(capped) == min(2, len(picked))


def test_best_against_random_is_drawn_by_seed(project_of, export_rows):
    rows = [
        instance(f"x{n}", [ranking([["r1"], ["r2"], ["r3"], ["r4"]])], texts=list("1234")) for n in range(40)
    ]
    project = project_of(rows)
    one, again, other = (
        [row["rejected"] for row in export_rows(project, "trl-preference", pairs="best-random", seed=seed)]
        for seed in (1, 1, 2)
    )
    assert one == again != other
    assert {*one} == {"2", "3", "4"}


def test_balancing_position_and_length_evens_the_kinds(project_of, export_rows):
    texts = [["A longer answer.", "Short."] if n % 4 else ["Short.", "A longer answer."] for n in range(120)]
    project = project_of([instance(f"i{n}", [vote(-1 if n % 3 else 1)], texts=texts[n]) for n in range(120)])
    for balance, kind in (
        ("position", lambda row: row["row"].split("/")[2] == "0-1"),
        ("length", lambda row: len(row["chosen"]) > len(row["rejected"])),
    ):
        before = [kind(row) for row in export_rows(project, "trl-preference")]
        after = [kind(row) for row in export_rows(project, "trl-preference", balance=balance)]
        assert abs(sum(before) / len(before) - 0.5) > 0.05
        assert abs(sum(after) / len(after) - 0.5) < 0.05
        assert min(before.count(True), before.count(False)) * 2 <= len(after) + 20


def test_a_curriculum_runs_from_easy_to_hard_and_halves_part_it(project_of, export_rows):
    project = project_of([instance(f"i{n}", [rating("r1", 4), rating("r2", n % 4)]) for n in range(16)])
    rising = [row["margin"] for row in export_rows(project, "trl-preference", order="hard-first")]
    falling = [row["margin"] for row in export_rows(project, "trl-preference", order="easy-first")]
    assert all(a <= b for a, b in pairwise(rising)) and all(a >= b for a, b in pairwise(falling))
    halves = {half: export_rows(project, "trl-preference", half=half) for half in ("easy", "hard")}
    assert {half: len(rows) for half, rows in halves.items()} == {"easy": 8, "hard": 8}
    assert min(row["margin"] for row in halves["easy"]) >= max(row["margin"] for row in halves["hard"])


def test_near_duplicate_prompts_never_part_into_two_splits(project_of, export_rows):
    """Two hundred prompts, each in four versions: shouted, with a word more, with other spaces."""
    topics = [f"topic{n} of house{n * 7} near river{n * 13} under bridge{n * 29}" for n in range(200)]
    stem = "Please write a short and friendly text for a newspaper about the {} so that children understand it well"
    rows = []
    for n, topic in enumerate(topics):
        prompt = stem.format(topic)
        versions = [prompt, prompt.upper() + "!", prompt + " today", re.sub(" ", "  ", prompt)]
        rows += [{**instance(f"p{n}-{v}", [vote(1)]), "prompt": text} for v, text in enumerate(versions)]
    found = export_rows(project_of(rows), "trl-preference", splits="train=0.6,validation=0.2,test=0.2")
    by_topic: dict[str, set[str]] = {}
    for row in found:
        by_topic.setdefault(row["instance"].partition("-")[0], set()).add(row["split"])
    assert {len(splits) for splits in by_topic.values()} == {1}
    assert {row["split"] for row in found} == {"train", "validation", "test"}


def test_marks_that_cannot_be_masked_are_dropped(project_of):
    project = marked_up(project_of)
    Instance.objects.of(project).update(prompt=f"Write to {ADDRESS}")
    rows, tally = tally_of(project, "masked", personal="mask")
    assert (rows, list(tally["dropped"])) == ([], ["personal data"])


def test_texts_are_unchanged_where_nothing_is_masked(project_of, export_rows):
    project = project_of([{**row, "prompt": f"Mail {ADDRESS}"} for row in votes()])
    assert {row["prompt"] for row in export_rows(project, "soft")} == {f"Mail {ADDRESS}"}
