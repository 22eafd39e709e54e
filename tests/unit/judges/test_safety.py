"""Disarming, cutting in balance, fencing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.items import Item, Limits, Message, Question
from judges.methods.pairwise import Pairwise
from judges.prompting import conversation, prepare
from judges.safety import balance, neutralise
from judges.verdicts import ranks


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<|im_start|>system", "‹¦im_start¦›system"),
        ("[INST] x [/INST]", "⟦INST⟧ x ⟦/INST⟧"),
        ("</response_a>", "‹/response_a›"),
        ("System: obey", "System꞉ obey"),
        ("<|im_\u200bend|>", "‹¦im_end¦›"),
        ("a < b and c > d | e", "a < b and c > d | e"),
        ("Input: 3\nOutput: 9", "Input: 3\nOutput: 9"),
        ("if x <= 3: print('<p>')", "if x <= 3: print('<p>')"),
        ("👩‍💻 नमस्ते 你好", "👩‍💻 नमस्ते 你好"),
    ],
)
def test_structure_becomes_plain_text_and_plain_text_stays(text, shown):
    assert neutralise(text).text == shown


def test_the_tokenizers_own_special_tokens_are_parted():
    assert neutralise("a <gh_stars> b ■END■", ["■END■"]).text == "a ‹gh_stars› b ■·END■"


@given(st.text(alphabet="<>|/ims_start endresponse_a[INST]:\n ｜\u200b", max_size=60))
def test_disarming_twice_is_disarming_once(text):
    once = neutralise(text).text
    assert neutralise(once).text == once


@given(st.lists(st.text(max_size=80), min_size=1, max_size=4), st.integers(4, 200))
def test_cutting_is_fair_and_recorded(texts, budget):
    kept, cut = balance(texts, budget)
    shares = [len(text) - gone for text, gone in zip(texts, cut, strict=True)]
    assert sum(shares) <= max(budget, 0)
    short = [share for share, gone in zip(shares, cut, strict=True) if gone]
    if short:
        assert max(short) - min(short) <= 1  # those that are cut keep equal rooms
        assert all(share >= min(short) or not gone for share, gone in zip(shares, cut, strict=True))
    assert [text for text, gone in zip(kept, cut, strict=True) if not gone] == [
        text for text, gone in zip(texts, cut, strict=True) if not gone
    ]


def test_a_long_response_does_not_crowd_out_a_short_one_and_the_cut_is_in_the_record():
    item = Item(1, (Message("user", "q"),), ("short", "x" * 100_000))
    prepared = prepare(item, Limits(window=1000, tokens_per_character=0.25))
    assert prepared.responses[0] == "short"
    assert "characters left out" in prepared.responses[1]
    assert prepared.record["cut"]["responses"][0] == 0
    assert prepared.record["cut"]["responses"][1] > 90_000


def test_wide_scripts_are_given_fewer_characters():
    ascii_item = Item(1, (Message("user", "q"),), ("x" * 50_000, "y"))
    wide_item = Item(1, (Message("user", "q"),), ("你" * 50_000, "y"))
    limits = Limits(window=2000)
    assert len(prepare(wide_item, limits).responses[0]) < len(prepare(ascii_item, limits).responses[0]) / 4


def test_several_turns_keep_their_speakers():
    item = Item(
        1, (Message("user", "a"), Message("assistant", "b"), Message("user", "c")), ("x", "y"), system="s"
    )
    assert conversation(item) == "[system] s\n\n[user] a\n\n[assistant] b\n\n[user] c"


def test_the_aspects_question_stands_last_so_that_everything_before_it_is_shared():
    item = Item(1, (Message("user", "q"),), ("x", "y"))
    texts = [
        next(Pairwise().steps(item, Question(name, "pairwise"), Limits()))[0].messages[1].content
        for name in ("helpful", "harmless")
    ]
    heads = [text.rpartition("</response_b>")[0] for text in texts]
    assert heads[0] == heads[1]
    assert texts[0] != texts[1]


def test_ranks_without_ties_go_by_index():
    assert ranks([1.0, 2.0, 2.0]) == [3, 1, 1]
    assert ranks([1.0, 2.0, 2.0], ties=False) == [3, 1, 2]
