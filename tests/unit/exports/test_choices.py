"""The choices: read from texts, checked, refused with the nearest name."""

import pytest

from exports.choices import Choices, parse_choices
from exports.problems import BadChoice


def test_texts_become_typed_values():
    given = {
        "ties": "soft",
        "min-margin": "0.5",
        "pairs_per_prompt": "3",
        "deduplicate": "on",
        "where": "domain=code",
    }
    choices = parse_choices(given)
    assert choices.changed() == {
        "ties": "soft",
        "min_margin": 0.5,
        "pairs_per_prompt": 3,
        "deduplicate": True,
        "where": "domain=code",
    }
    assert choices.conditions() == {"domain": "code"}
    assert parse_choices(choices.as_dict()) == choices


def test_splits_are_shares_that_add_up():
    assert parse_choices({"splits": "train=0.8, test=0.2"}).split_shares() == {"train": 0.8, "test": 0.2}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tie": "soft"}, "There is no choice named 'tie'. Did you mean 'ties'?"),
        ({"ties": "sofft"}, "ties cannot be 'sofft'. Did you mean 'soft'?"),
        ({"min_agreement": "1.5"}, "min_agreement must be between 0 and 1, not 1.5."),
        ({"min_margin": "-1"}, "min_margin must be at least 0, not -1.0."),
        ({"min_margin": "nan"}, "min_margin must be a number, not NaN."),
        ({"min_margin": "much"}, "min_margin must be a number, not 'much'."),
        ({"max_tokens": "1.5"}, "max_tokens must be a whole number, not '1.5'."),
        ({"deduplicate": "perhaps"}, "deduplicate must be true or false, not 'perhaps'."),
        ({"splits": "train=0.5,test=0.4"}, "The splits' shares add up to 0.9, not to 1."),
        ({"splits": "train"}, "splits must read name=value,name=value, not 'train'."),
        ({"splits": "train=x"}, "A split's share must be a number, not 'x'."),
        ({"splits": "train=2"}, "A split's share must lie in (0, 1], not 2."),
        ({"where": "domain"}, "where must read name=value,name=value, not 'domain'."),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(
        BadChoice, match="^" + message.replace("(", r"\(").replace("]", r"\]").replace("?", r"\?")
    ):
        parse_choices(given)


def test_the_defaults_are_the_contract():
    defaults = Choices()
    assert (defaults.ties, defaults.undecided, defaults.prompt, defaults.source) == (
        "drop",
        "drop",
        "explicit",
        "any",
    )


def test_a_path_is_for_the_command_line():
    with pytest.raises(BadChoice, match="a path is for the command line"):
        parse_choices({"tokenizer": "/etc"})
    assert parse_choices({"tokenizer": "/etc"}, paths=True).tokenizer == "/etc"
