"""Parameters with which a run would end in the middle are refused when the judge is made."""

import pytest

from judges.methods import METHODS
from web.problems import Invalid


@pytest.mark.parametrize(
    ("method", "parameters", "said"),
    [
        ("pairwise", {"tournament": "knockout"}, "'round_robin', 'ring'"),
        ("pairwise", {"tournament": "ring", "reach": 0}, "reach"),
        ("vision", {"tournament": "knockout"}, "tournament"),
        ("generative", {"samples": 0}, "between 1 and 64"),
        ("generative", {"temperature": -0.1}, "temperature"),
        ("self-reference", {"answer_tokens": 0}, "answer_tokens"),
        ("debate", {"rounds": 0}, "rounds"),
        ("reward", {"temperature": 0.0}, "temperature"),
        ("jury", {"combine": "loudest"}, "combine"),
        ("density-ratio", {"scale": 0.0}, "scale"),
        ("follow-up", {"pleased": ()}, "at least one pleased"),
        ("follow-up", {"displeased": ()}, "displeased"),
        ("implicit-reward", {"beta": -1.0}, "beta"),
        ("principles", {"principles": ("a", "b"), "weights": (1.0,)}, "one weight"),
        ("principles", {"principles": ("a", "b"), "weights": (1.0, 0.0)}, "above zero"),
        ("verifier", {"kind": "spelling"}, "kind"),
        ("verifier", {"seconds": 0.0}, "seconds"),
        ("verifier", {"megabytes": 1}, "megabytes"),
    ],
)
def test_what_could_not_run_is_refused_by_its_name(method, parameters, said):
    with pytest.raises(Invalid, match=said):
        METHODS.load(method)(**parameters)


@pytest.mark.parametrize("name", METHODS.names())
def test_every_method_can_be_made_as_it_is(name):
    assert METHODS.load(name)().name == name
