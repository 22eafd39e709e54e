"""Rows packed for a GPU, as far as a processor can run them: nothing wasted, nothing changed, planned ahead."""

import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from judges.backends import transformers
from judges.backends.prefixes import pack, shared, walk
from judges.backends.transformers import PACKED_TOKENS, TransformersBackend, ahead
from judges.items import Item, Message, Question
from judges.methods import drive
from judges.methods.pairwise import Pairwise
from judges.problems import LabelsCollide
from judges.requests import Failure, LabelRequest, LikelihoodRequest

ROOT = Path(__file__).resolve().parents[3]


def sequences(rng, *, prompts, prompt=130, answer=200):
    """Token ids of pairs in both orders: one instruction, prompts, answers of 60 to 140 % of the usual length."""

    def ids(n):
        return [rng.randrange(1000) for _ in range(n)]

    instruction, made = ids(37), []
    for _ in range(prompts):
        asked = ids(round(prompt * rng.uniform(0.3, 2)))
        a, b = (ids(round(answer * rng.uniform(0.6, 1.4))) for _ in range(2))
        made += [[*instruction, *asked, *one, *other, 5, 6, 7] for one, other in ((a, b), (b, a))]
    return made


def least(asked):
    """The tokens that have to be computed at all: the nodes of the prefix tree."""
    ordered = sorted(asked)
    return sum(len(one) - (shared(ordered[at - 1], one) if at else 0) for at, one in enumerate(ordered))


@pytest.mark.parametrize(("prompts", "answer"), [(60, 200), (120, 60), (30, 700)])
def test_packed_rows_compute_at_most_a_tenth_more_than_the_prefix_tree(prompts, answer):
    asked = sequences(random.Random(answer), prompts=prompts, answer=answer)
    rows = list(pack(asked, PACKED_TOKENS))
    computed = sum(len(row.ids) for row in rows)  # a row is as long as its tokens: there is no padding
    assert least(asked) <= computed <= 1.1 * least(asked)
    assert max(len(row.ids) for row in rows) <= PACKED_TOKENS
    assert sum(len(one) for one in asked) > computed  # what sharing saves
    padded = sum(8 * max(map(len, asked[at : at + 8])) for at in range(0, len(asked), 8))
    assert padded > 1.1 * sum(map(len, asked))  # batches of eight as they come would waste more than a tenth


def test_every_token_of_a_row_sees_its_own_beginning_and_nothing_else():
    rng = random.Random(3)
    asked = sequences(rng, prompts=6, prompt=9, answer=14)
    found = {}
    for row in pack(asked, 120):
        mask = row.mask()
        for index, places in row.places.items():
            found[index] = [int(row.ids[place]) for place in places]
            assert row.positions[places].tolist() == list(range(len(places)))
            for depth, place in enumerate(places):
                assert set(mask[place].nonzero()[0].tolist()) == set(places[: depth + 1].tolist())
    assert found == dict(enumerate(asked))


def test_a_walk_keeps_only_what_is_shared_and_never_hides_a_wanted_position():
    asked = [[1, 2, 3, 4], [1, 2, 3], [1, 2, 9], [1, 2, 3, 4]]
    wanted = [3, 1, 2, 0]
    for step, before in zip(walk(asked, wanted), [None, *walk(asked, wanted)], strict=False):
        assert step.keep <= wanted[step.index]
        if before is not None:
            assert asked[before.index][: step.keep] == asked[step.index][: step.keep]


def words(rng, n):
    return " ".join(rng.choice(("river", "stone", "seven", "why", "under", "light")) for _ in range(n))


def test_packed_and_walked_judges_give_the_same_verdicts_over_many_lengths(smollm2, monkeypatch):
    rng = random.Random(8)
    items = [
        Item(k, (Message("user", words(rng, rng.randint(2, 12))),), (words(rng, 3 + 9 * k), words(rng, 14)))
        for k in range(4)
    ]
    items.append(replace(items[0], id=9, responses=(*items[0].responses, words(rng, 6))))
    questions = [Question("overall", "pairwise", steps=3)] * 4 + [Question("overall", "ranking")]
    monkeypatch.setattr(transformers, "PACKED_TOKENS", 400)
    monkeypatch.setattr(transformers, "PLANNED_AT_ONCE", 3)

    def judged():
        steps = [
            Pairwise().steps(item, question, smollm2.limits())
            for item, question in zip(items, questions, strict=True)
        ]
        return [outcome for said in drive(steps, smollm2.answer) for outcome in said]

    walked = judged()
    monkeypatch.setattr(smollm2, "packed", True)
    packed = judged()
    assert len(packed) == 9
    for one, other in zip(walked, packed, strict=True):
        assert one.order == other.order
        if "ranks" in one.value:
            assert one.value == other.value
            assert one.detail["scores"] == pytest.approx(other.detail["scores"], abs=1e-3)
        else:
            assert one.value["strength"] == other.value["strength"]
            assert one.detail["log_odds"] == pytest.approx(other.detail["log_odds"], abs=1e-3)
            assert one.detail["mass"] == pytest.approx(other.detail["mass"], abs=1e-3)


def test_packed_likelihoods_repeats_and_too_long_texts(smollm2, monkeypatch):
    hi = (Message("user", "What is the capital of France?"),)
    asks = [
        LikelihoodRequest(hi, "It is Paris."),
        LabelRequest((Message("user", "word " * 9000),), (" A", " B")),
        LikelihoodRequest(hi, "It is Lyon, I think."),
        LikelihoodRequest(hi, "It is Paris."),
    ]
    walked = smollm2.answer(asks)
    monkeypatch.setattr(smollm2, "packed", True)
    packed = smollm2.answer(asks)
    for at in (0, 2, 3):
        assert packed[at].total == pytest.approx(walked[at].total, abs=1e-3)
        assert packed[at].tokens == walked[at].tokens
    assert isinstance(packed[1], Failure)
    assert packed[3].total == packed[0].total
    assert packed[3].usage.read == 0


def test_rows_are_made_by_another_thread_ahead_of_the_model():
    made, mine = [], threading.get_ident()

    def rows():
        for k in range(6):
            made.append((k, threading.get_ident()))
            yield k

    reader = ahead(rows(), 3)
    assert next(reader) == 0
    until = time.monotonic() + 5
    while len(made) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    assert [k for k, _ in made] == [0, 1, 2, 3]  # three ahead of the one that is being computed, and no more
    assert mine not in {thread for _, thread in made}
    assert list(reader) == [1, 2, 3, 4, 5]


def test_what_goes_wrong_in_planning_reaches_the_caller(smollm2, monkeypatch):
    monkeypatch.setattr(smollm2, "packed", True)
    with pytest.raises(LabelsCollide):
        smollm2.answer([LabelRequest((Message("user", "Hi"),), (" A", " A"))])


def test_the_bench_of_the_gpu_runs_end_to_end_on_tiny_random_weights(smollm2, tmp_path):
    assert isinstance(smollm2, TransformersBackend)  # the tokenizer is there
    ran = subprocess.run(
        [sys.executable, ROOT / "bench" / "judges.py", "--table", "--random", "tiny", str(tmp_path), "--rounds", "1"],
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    rows = [line.split("|")[1:-1] for line in ran.stdout.splitlines() if line.startswith("| ")][2:]
    assert [(int(row[0]), int(row[1])) for row in rows] == [(20, 1), (20, 4), (60, 1), (60, 4)]
    assert all(float(row[3]) > 0 and 0 < float(row[5].split()[0]) < 1 for row in rows)
    assert float(rows[1][2]) < float(rows[0][2])  # four pairs share the instruction
