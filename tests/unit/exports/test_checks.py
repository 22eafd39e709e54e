"""The check before training: what the probe finds in data whose answer is known."""

import random

import numpy as np
import pytest

from exports.checks.probing import grouped, leakage, probe, proportion
from exports.checks.samples import Sample, drawn, samples

GOOD, BAD = "clear correct helpful".split(), "muddy mistake hurtful".split()  # as long as the good ones


def encode(texts):
    """Counts of ten words, unit length: an encoder whose axes are known."""
    words = GOOD + BAD + ["question", "pad", "one", "two"]
    rows = np.array([[text.split().count(word) for word in words] for text in texts], dtype=np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def pairs(count, *, flipped=0.0, by_length=False, split=""):
    draw = random.Random(7)
    made = []
    for n in range(count):
        size = draw.randint(2, 6)
        good = " ".join(draw.choices(GOOD, k=size)) + (" pad" * 4 if by_length else "")
        bad = " ".join(draw.choices(GOOD if by_length else BAD, k=size))
        chosen, rejected = (bad, good) if draw.random() < flipped else (good, bad)
        prompt = f"question {n * 7919} {'abcdefgh'[n % 8] * 3} {n * 104729}"
        made.append(Sample(prompt, chosen, rejected, f"g{n}", split, (("source", "human"),)))
    return made


def test_it_learns_what_can_be_learnt():
    report = probe(pairs(300), encode, seconds=30)
    assert report["accuracy"]["share"] > 0.97
    assert report["slices"]["source=human"]["n"] == 300
    assert report["noise"]["estimate"] < 0.05


def test_flipped_labels_are_seen_as_noise():
    report = probe(pairs(600, flipped=0.2), encode, seconds=30)
    assert report["accuracy"]["share"] == pytest.approx(0.8, abs=0.05)
    assert report["noise"]["estimate"] == pytest.approx(0.2, abs=0.06)


def test_length_is_told_apart():
    by_length = probe(pairs(300, by_length=True), encode, seconds=30)
    assert by_length["length"]["accuracy"]["share"] > 0.95
    assert by_length["length"]["share_of_gain"] > 0.8
    by_words = probe(pairs(300), encode, seconds=30)
    assert by_words["length"]["share_of_gain"] < 0.4


def test_few_pairs_are_said_to_be_few():
    report = probe(pairs(8), encode, seconds=30)
    assert "accuracy" not in report
    assert report["reason"] == "8 pairs are too few to learn from"


def test_a_prompt_in_two_splits_is_a_leak():
    train, test = pairs(20, split="train"), pairs(6, split="test")
    found = leakage([*train, *test], grouped([*train, *test]))
    assert (found["against"], found["pairs"], found["share"]) == ("train", 6, 1.0)
    assert leakage(train, grouped(train)) is None


def test_samples_read_every_envelope():
    chat = [{"role": "user", "content": "Q"}]
    reply = [{"role": "assistant", "content": "A"}]
    rows = [
        {"prompt": "Q", "chosen": "A", "rejected": "B", "source": "ai"},
        {"prompt": chat, "chosen": reply, "rejected": reply, "split": "test"},
        {"chosen": chat + reply, "rejected": chat + reply},
        {"prompt": "Q", "completion": "A", "label": True},
    ]
    found = list(samples(rows))
    assert [(pair.prompt, pair.chosen, pair.split) for pair in found] == [
        ("Q", "A", ""),
        ("Q", "A", "test"),
        ("Q", "A", ""),
    ]
    assert found[0].slices == (("source", "ai"),)


def test_drawing_is_the_same_every_time():
    some = pairs(50)
    assert drawn(some, most=10, seed=1) == drawn(reversed(some), most=10, seed=1)
    assert len(drawn(some, most=10, seed=1)) == 10


def test_wilsons_interval():
    """Wilson 1927 for 8 of 10: the figures that textbooks give."""
    found = proportion(np.array([True] * 8 + [False] * 2))
    assert (round(found["low"], 3), round(found["high"], 3), found["n"]) == (0.490, 0.943, 10)
