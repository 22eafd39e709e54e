"""The attack suite on a judge that reads and obeys: neutralising stops every attack through the template."""

import pytest

from judges import prompting, safety
from judges.attacks import KINDS, run_attacks, sample, suite
from judges.items import Question
from judges.methods import Method
from judges.methods.pairwise import Pairwise
from judges.methods.principles import Principles
from judges.methods.vision import Vision
from tests.unit.judges.planted import Follower

QUESTION = Question("overall", "pairwise")


METHODS = (Pairwise(), Principles(principles=("Be honest.",)), Vision(required=False))


def flips(follower: Follower, method: Method = METHODS[0]) -> dict[str, tuple[int, int]]:
    """Flipped and counted attacks by kind."""
    results = run_attacks(suite(), method, QUESTION, answer=follower.answer, limits=follower.limits())
    return {
        kind: (
            sum(r.flipped for r in results if r.attack.kind == kind),
            sum(r.counted for r in results if r.attack.kind == kind),
        )
        for kind in KINDS
    }


def test_the_suite_is_large_and_varied():
    assert len(suite()) >= 200
    assert len(KINDS) >= 10
    assert len({(a.kind, a.hostile.responses[1]) for a in suite()}) == len(suite())


def test_a_sample_has_every_kind():
    assert {attack.kind for attack in sample(suite(), len(KINDS))} == set(KINDS)


def test_raw_texts_flip_the_follower_through_every_template(monkeypatch):
    monkeypatch.setattr(prompting, "neutralise", lambda text, specials=(): safety.Disarmed(text, 0))
    found = flips(Follower())
    assert {
        kind: found[kind] for kind, (structural, _) in KINDS.items() if structural and found[kind][0] == 0
    } == {}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_neutralised_texts_never_flip_the_follower(method):
    found = flips(Follower(), method)
    for kind in (kind for kind, (structural, _) in KINDS.items() if structural):
        flipped, counted = found[kind]
        assert counted > 0, kind
        assert flipped == 0, kind


def test_persuasion_is_left_in_the_text_and_seen():
    found = flips(Follower(gullible=True))
    assert found["ignore the above"] == (16, 16)
