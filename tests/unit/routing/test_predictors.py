"""HyPER's performance predictors: each learns what its form can hold, and says how sure it is."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.reasons import causes
from ledger.project_settings import InvalidSetting, clean_settings
from routing.features.tags import tag_names, tags
from routing.policies import POLICIES
from routing.policies.base import Ranking
from routing.policies.hyper import LOWER, Hyper
from routing.predictors import PREDICTORS
from routing.replay import policy_rng
from routing.table import Known
from tests.unit.routing.making import make_table

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", PREDICTORS.names())
def test_every_predictor_ranks_new_mixes(name: str) -> None:
    features = RNG.normal(size=(300, 4))
    accuracy = 0.6 + 0.05 * features[:, 0] + 0.01 * features[:, 1]
    predictor = PREDICTORS.load(name)().fit(features[:200], accuracy[:200])
    mean, deviation = predictor.predict(features[200:])
    assert np.corrcoef(mean, accuracy[200:])[0, 1] > 0.9
    assert mean.shape == deviation.shape == (100,)
    assert (deviation >= 0).all()


def test_only_the_linear_one_cannot_hold_a_product() -> None:
    features = RNG.normal(size=(300, 3))
    accuracy = features[:, 0] * features[:, 1]
    found = {}
    for name in PREDICTORS.names():
        mean, _ = PREDICTORS.load(name)().fit(features[:200], accuracy[:200]).predict(features[200:])
        found[name] = np.corrcoef(mean, accuracy[200:])[0, 1]
    assert abs(found.pop("linear")) < 0.3
    assert min(found.values()) > 0.5


def test_least_squares_is_the_plain_fit() -> None:
    features, weights = RNG.normal(size=(50, 3)), np.array([1.0, -2.0, 0.5])
    accuracy = features @ weights + 0.3
    centred = features - features.mean(axis=0)
    mean, _ = PREDICTORS.load("linear")().fit(features, accuracy).predict(features)
    np.testing.assert_allclose(mean, accuracy.mean() + centred @ weights, atol=1e-6)


def test_ridges_interval_covers_new_mixes() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(500, 4))
    accuracy = 0.6 + 0.05 * features[:, 0] + rng.normal(scale=0.02, size=500)
    mean, deviation = PREDICTORS.load("ridge")().fit(features[:250], accuracy[:250]).predict(features[250:])
    below = accuracy[250:] < mean - LOWER * deviation  # one in twenty
    assert 0.02 <= below.mean() <= 0.09


def ranked(policy: str, **options: str) -> tuple[Hyper, Known, Ranking]:
    """A HyPER policy that knows half of the labels, under this setting `hyper`."""
    table, people = make_table(prompts=30)
    asked = np.flatnonzero(people.rater == 0)[: table.size // 2]
    known = Known(people.pair[asked], people.rater[asked], people.verdict[asked])
    hyper = POLICIES.load(policy)()
    told = replace(table, hyper=options, cache={})
    return hyper, known, hyper.rank(told, known, cap=table.size, rng=policy_rng(policy, 0))


@pytest.mark.parametrize("policy", ["hyper", "hyper_fixed"])
@pytest.mark.parametrize("selection", ["simulated", "top_k"])
def test_a_mix_or_the_largest_gains_are_asked(policy: str, selection: str) -> None:
    hyper, known, ranking = ranked(policy, selection=selection)
    assert hyper.predictor is not None
    assert np.isfinite(ranking.gain).all()
    assert ranking.gain.std() > 0
    if selection == "top_k":
        np.testing.assert_array_equal(ranking.ordering, ranking.gain)
    else:
        assert (ranking.ordering[known.instance] >= 1).all()  # what was asked is in every mix


@pytest.mark.parametrize("policy", ["hyper", "hyper_fixed"])
def test_the_project_chooses_the_predictor(policy: str) -> None:
    usual = {"hyper": "quadratic", "hyper_fixed": "ridge"}[policy]
    assert type(ranked(policy)[0].predictor) is PREDICTORS.load(usual)
    for name in PREDICTORS.names():
        assert type(ranked(policy, predictor=name)[0].predictor) is PREDICTORS.load(name)


def test_the_setting_knows_every_predictor() -> None:
    for name in PREDICTORS.names():
        assert clean_settings({"hyper": {"predictor": name}}) == {"hyper": {"predictor": name}}
    with pytest.raises(InvalidSetting, match="hyper.predictor must be one of linear"):
        clean_settings({"hyper": {"predictor": "cubic"}})


@pytest.mark.parametrize("policy", ["hyper", "hyper_fixed"])
def test_a_reason_names_the_tags_that_speak_most_for_a_person(policy: str) -> None:
    table, _ = make_table(prompts=30)
    hyper, known, ranking = ranked(policy)
    names = tag_names(table)
    assert len(set(names)) == len(names) == tags(table).shape[1] == len(hyper.worth)
    best = int(np.argmax(ranking.gain))
    (said,) = hyper.explain(table, known, ranking, np.array([best]))
    held = [
        (worth, name) for worth, name, flag in zip(hyper.worth, names, tags(table)[best], strict=True) if flag
    ]
    expected = [name for worth, name in sorted(held, reverse=True)[:3] if worth > 0]
    assert ranking.gain[best] > 0 and expected
    assert causes(said.text) == expected


def test_the_names_of_the_ninety_flags_are_distinct_and_read_as_causes() -> None:
    table, _ = make_table(prompts=60, models=2)
    names = tag_names(replace(table, tags=np.full((60, 63), 0.3), cache={}))
    assert len(set(names)) == 90
    assert causes(f"raises: {', '.join(names)}.") == names
