"""Choices over pairs: what each keeps, drops, masks and counts."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from exports.choices import parse_choices
from exports.reading import pick
from exports.records import BOTH_BAD, PREFERRED, TIE, UNDECIDED, Pair
from exports.scrubbing import PERSONAL, SECRETS, found, mask
from exports.seen import FRESH, Seen
from exports.selection import Selector
from exports.splitting import Groups, signature, split_of


def pair(name: str = "i", **more) -> Pair:
    held = {
        "row": f"p/overall/0-1/{name}", "instance": name, "aspect": "overall", "prompt": f"Question {name}?",
        "system": None, "chosen": "Yes.", "rejected": "No.", "chosen_messages": None, "rejected_messages": None,
        "chosen_index": 0, "rejected_index": 1, "chosen_model": "", "rejected_model": "", "outcome": PREFERRED,
        "probability": 1.0, "margin": 1.0, "agreement": 1.0, "source": "human", "raters": ["ann"], "route": "",
        "policy": "", "group": name, "metadata": {},
    }  # fmt: skip
    return Pair(**{**held, **more})


def run(pairs, **given):
    selector = Selector(parse_choices(given), lambda: iter(pairs))
    return list(selector.pairs(pairs)), selector.tally


def names(pairs):
    return [each.instance for each in pairs]


def test_ties_and_undecided_are_dropped_and_counted():
    kept, tally = run(
        [pair("a"), pair("b", outcome=TIE), pair("c", outcome=UNDECIDED), pair("d", outcome=BOTH_BAD)]
    )
    assert names(kept) == ["a"]
    assert tally.as_dict() == {
        "read": 4,
        "kept": 1,
        "dropped": {"both bad": 1, "tie": 1, "undecided": 1},
        "masked": {},
    }


def test_ties_both_ways_are_each_others_mirror():
    (one, other), _ = run([pair("a", outcome=TIE, probability=0.5)], ties="both")
    assert (one.chosen, one.rejected) == (other.rejected, other.chosen)
    assert run([pair("a", outcome=TIE)], ties="soft")[0] == [pair("a", outcome=TIE)]


@pytest.mark.parametrize(
    ("given", "kept", "reason"),
    [
        ({"source": "ai"}, ["b"], "not settled by ai"),
        ({"min_margin": "2"}, ["c"], "margin below 2"),
        ({"min_agreement": "0.9"}, ["a", "c"], "agreement below 0.9"),
        ({"language": "de"}, ["c"], "language is not de"),
        ({"where": "domain=code"}, ["a"], "domain is not code"),
        ({"identical": "drop"}, ["a", "c"], "two equal texts"),
        ({"deduplicate": "1"}, ["a", "b"], "duplicate"),
        ({"pairs_per_prompt": "1"}, ["a", "b"], "over the cap per prompt"),
    ],
)
def test_each_test_drops_what_it_names(given, kept, reason):
    pairs = [
        pair("a", metadata={"domain": "code"}, group="g", prompt="P"),
        pair("b", source="ai", agreement=0.5, chosen="No."),
        pair("c", margin=3.0, metadata={"language": "de"}, group="g", prompt="P"),
    ]
    found_pairs, tally = run(pairs, **given)
    assert (names(found_pairs), list(tally.dropped)) == (kept, [reason])


def test_halves_are_the_easy_and_the_hard_half():
    pairs = [pair(str(n), margin=float(n % 4)) for n in range(12)]
    easy, hard = (names(run(pairs, half=half)[0]) for half in ("easy", "hard"))
    assert len(easy) == len(hard) == 6
    assert set(easy) | set(hard) == set(names(pairs))
    assert min(pairs[int(n)].margin for n in easy) >= max(pairs[int(n)].margin for n in hard)


def test_balancing_length_leaves_as_many_of_either_kind_roughly():
    pairs = [pair(str(n), chosen="Yes, indeed." if n % 5 else "Y.") for n in range(2000)]
    kept, _ = run(pairs, balance="length")
    longer = sum(len(each.chosen) > len(each.rejected) for each in kept)
    assert len(kept) - longer == 400
    assert 330 < longer < 470


def test_secrets_and_personal_data_are_dropped_or_masked_with_counts():
    key = "ghp_" + "a1" * 20
    pairs = [
        pair("a"),
        pair("b", chosen=f"Use {key} now"),
        pair("c", prompt=[{"role": "user", "content": "x@y.org"}]),
    ]
    kept, tally = run(pairs, secrets="drop", personal="mask")
    assert names(kept) == ["a", "c"]
    assert kept[1].prompt == [{"role": "user", "content": "[e-mail address]"}]
    assert (dict(tally.dropped), dict(tally.masked)) == ({"a secret": 1}, {"e-mail address": 1})


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Card 4111 1111 1111 1111, order 4111 1111 1111 1112", ["card number"]),
        ("IBAN DE89 3704 0044 0532 0130 00 and GB00 0000 0000 0000 0000 00", ["IBAN"]),
        ("From 8.8.8.8, not 127.0.0.1, 10.0.0.1 or 999.1.1.1", ["IP address"]),
        ("Call +44 20 7946 0958 or (212) 555-0123", ["phone number", "phone number"]),
        ("version 1.2.3, 2024-01-02, f(x) = 12345678", []),
    ],
)
def test_personal_data_by_shape(text, kinds):
    assert [kind for kind, _ in found(text, PERSONAL)] == kinds


def test_secrets_by_shape():
    text = (
        "postgres://me:hunter22@db/x -----BEGIN RSA PRIVATE KEY----- AKIAABCDEFGHIJKLMNOP xoxb-1234567890-abc"
    )
    assert sorted(kind for kind, _ in found(text, SECRETS)) == [
        "AWS key", "Slack token", "password in a URL", "private key",
    ]  # fmt: skip
    assert mask("no secret here", SECRETS) == ("no secret here", [])


def test_pairs_of_a_ranking():
    scores = {0: 1.0, 1: 3.0, 2: 2.0, 3: 0.0}
    assert pick(scores, "all", place=0.0) == [(1, 2), (1, 0), (1, 3), (2, 0), (2, 3), (0, 3)]
    assert pick(scores, "adjacent", place=0.0) == [(1, 2), (2, 0), (0, 3)]
    assert [pick(scores, "best-random", place=p) for p in (0.0, 0.5, 0.99)] == [[(1, 2)], [(1, 0)], [(1, 3)]]


def test_near_duplicate_prompts_share_a_group_and_a_split():
    base = "Write a short story about a fox who learns to read the letters of the old farmer next door"
    prompts = [
        ("b", base),
        ("a", base.upper() + "!!"),
        ("c", base + " please"),
        ("d", "What is the capital of France?"),
    ]
    groups = Groups(prompts)
    assert groups.of("a") == groups.of("b") == groups.of("c") == "a"
    assert groups.of("d") == "d"
    shares = {"train": 0.5, "test": 0.5}
    assert len({split_of(groups.of(key), shares, seed=3) for key in "abc"}) == 1


def test_splits_have_the_shares_that_were_asked_for():
    shares = {"train": 0.8, "validation": 0.1, "test": 0.1}
    drawn = [split_of(f"p{n}", shares, seed=1) for n in range(5000)]
    assert abs(drawn.count("train") / 5000 - 0.8) < 0.02
    assert {split_of("p1", shares, seed=seed) for seed in range(60)} == set(shares)


def test_signatures_agree_as_far_as_the_prompts_do():
    one, two = signature("a b c d e f g h"), signature("A, b c d e f g h.")
    assert (one == two).all()


def test_long_pairs_are_dropped_by_a_given_tokenizer(tmp_path):
    words = {"Question": 0, "Yes": 1, "No": 2, "[UNK]": 3}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    pairs = [pair("a"), pair("b", rejected="No No No No No")]  # 3 and 2, 3 and 5 tokens
    choices = parse_choices({"max_tokens": 5, "tokenizer": str(tmp_path)}, paths=True)
    selector = Selector(choices, lambda: iter(pairs))
    assert names(selector.pairs(pairs)) == ["a"]
    assert dict(selector.tally.dropped) == {"over 5 tokens": 1}


WORDS = "a fox reads old letters next door at night".split()


def grouped(prompts):
    """The groups by a union over every two prompts that share a band next to each other, all in memory."""
    signatures = np.stack([signature(text) for _, text in prompts])
    parent = list(range(len(prompts)))

    def root(item):
        while parent[item] != item:
            item = parent[item]
        return item

    for start in range(0, signatures.shape[1], 4):
        rows = [tuple(row) for row in signatures[:, start : start + 4]]
        for band in set(rows):
            inside = [n for n, row in enumerate(rows) if row == band]
            for left, right in pairwise(inside):
                if (signatures[left] == signatures[right]).mean() >= 0.6:
                    one, other = sorted((root(left), root(right)))
                    parent[other] = one
    names = {}
    for n, (key, _) in enumerate(prompts):
        names[root(n)] = min(names.get(root(n), key), key)
    return {key: names[root(n)] for n, (key, _) in enumerate(prompts)}


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from("a fox reads old letters next door at night".split()), max_size=9),
        max_size=40,
    )
)
def test_groups_are_those_of_the_definition(texts):
    prompts = [(f"p{n * 7919 % 1000}", " ".join(words)) for n, words in enumerate(texts)]
    groups = Groups(prompts)
    assert {key: groups.of(key) for key, _ in prompts} == (grouped(prompts) if prompts else {})
    assert groups.of("another") == "another"


@given(st.lists(st.integers(0, 3000), max_size=4000))
def test_keys_are_counted_as_a_counter_counts_them(numbers):
    seen, counts = Seen(), Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exports.seen.FRESH", 40)
        for number in numbers:
            counts[number] += 1
            assert seen(f"key {number}") == counts[number]


def test_a_hundred_thousand_keys_take_little_memory():
    seen = Seen()
    assert {seen(str(n)) for n in range(100_000)} == {1}
    assert len(seen.keys) == len(seen.counts) == 100_000 - len(seen.fresh)
    assert (seen.keys.itemsize, seen.counts.itemsize, len(seen.fresh) <= FRESH) == (8, 2, True)
    assert {seen(str(n)) for n in range(100_000)} == {2}
