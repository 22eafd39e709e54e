from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import orjson
import pytest

from routing.findings import Findings, calibration, enough, first_reach
from routing.mixes import probe_right
from routing.plots import rounded, write_report
from routing.policies.defer import Defer
from routing.policies.guarantee import Guarantee
from routing.policies.hyper import FRESH, Hyper
from routing.policies.oracle import NO_GOLD, Oracle
from routing.promise import Promise
from routing.replay import Draw, Run, Scores, State, replay, replayable, report_of, world
from routing.table import Known
from tests.unit.routing.making import make_table

BUDGETS = [0.0, 0.5, 1.0]


def test_the_share_that_is_enough_lies_between_two_budgets() -> None:
    asked = np.array([0.0, 0.4, 0.8])
    assert first_reach(np.array([0.5, 0.7, 0.9]), asked, 0.8) == pytest.approx(0.6)
    assert first_reach(np.array([0.5, 0.7, 0.9]), asked, 0.5) == 0.0
    assert first_reach(np.array([0.5, 0.7, 0.9]), asked, 0.95) == float("inf")


def test_where_it_is_never_enough_there_is_no_share() -> None:
    curve = np.array([[0.5, 0.7, 0.9]] * 3 + [[0.5, 0.6, 0.7]] * 3)
    found = enough(curve, np.array([0.0, 0.5, 1.0]), np.full(6, 0.8))
    assert found == {"mean": pytest.approx(0.75), "low": pytest.approx(0.75), "high": None}


def test_calibration_of_planted_chances() -> None:
    """Ten at 0.2 of which three differ, ten at 0.9 of which all do."""
    chance = np.r_[np.full(10, 0.2), np.full(10, 0.9)]
    happened = np.r_[np.ones(3), np.zeros(7), np.ones(10)]
    found = calibration(np.stack([chance, happened]))
    assert found["n"] == 20 and found["rate"] == pytest.approx(0.65)
    assert found["brier"] == pytest.approx((3 * 0.64 + 7 * 0.04 + 10 * 0.01) / 20)
    bins = found["reliability"]
    assert np.average(bins["observed"], weights=bins["n"]) == pytest.approx(0.65)


def planted(routed: list[bool], differs: list[float]) -> tuple[Run, object]:
    table, _ = make_table(prompts=1, models=3)
    table.verdict[0] = [1, 1, -1]
    gold = np.array([1, -1, NO_GOLD])
    drawn = Draw(label=np.array([1, -1, 1]), rater=np.zeros(3, dtype=int), gold=gold)
    state = State(routed=np.array(routed), settled=np.array([1, 1, -1]), differs=np.array(differs))
    return Run("defer", 0, drawn, [state], Defer()), table


def test_the_chance_is_held_against_those_whom_nobody_asked() -> None:
    run, table = planted([True, False, False], [0.9, 0.8, 0.5])
    findings = Findings([0.5])
    findings.add(run, table)
    said = np.concatenate(findings.said["defer"], axis=1)
    assert said.tolist() == [[0.8, 0.5], [1.0, 1.0]]
    assert findings.asked["defer"] == [[pytest.approx(1 / 3)]]


def test_regret_and_the_share_that_is_enough_follow_from_the_curves() -> None:
    table, said = replayable(*make_table(prompts=8))
    scores, findings = Scores(BUDGETS, {}, {}), Findings(BUDGETS)
    for run in replay(table, said, policies=["all_human", "oracle"], budgets=BUDGETS, seeds=2):
        scores.add(run, table.prompt, len(table.prompts))
        findings.add(run, table)
    curves = scores.curves(rng=np.random.default_rng(0))
    report, found = report_of(curves, BUDGETS), findings.report(curves, seed=0)
    areas = {name: each["area"] for name, each in report["policies"].items()}
    assert found["all_human"]["regret"]["mean"] == pytest.approx(areas["oracle"] - areas["all_human"])
    assert found["oracle"]["regret"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert found["all_human"]["asked"] == pytest.approx([0.0, 0.5, 1.0])
    assert found["oracle"]["enough"]["mean"] < 0.5


@pytest.mark.parametrize(("target", "broken"), [(0.5, 0), (0.7, 1)])
def test_a_promise_is_held_against_fresh_people(target: float, broken: int) -> None:
    """Two of the three accepted verdicts are what a person says."""
    table, _ = make_table(prompts=1, models=3)
    table.verdict[0] = [1, 1, -1]
    policy = Guarantee(target=target)
    policy.made = Promise(target, 0.95, accepted=np.ones(3, dtype=bool), audited=0, agreed=0, needed=None)
    drawn = Draw(label=np.array([1, -1, -1]), rater=np.zeros(3, dtype=int), gold=np.full(3, NO_GOLD))
    state = State(routed=np.zeros(3, dtype=bool), settled=table.ai)
    findings = Findings([0.5])
    findings.add(Run("guarantee", 0, drawn, [state], policy), table)
    found = findings.of_policy("guarantee", {"guarantee": np.ones((3, 1))}, {})["promise"]
    assert found == {
        "target": target, "replays": 1, "made": 1, "broken": broken, "realised": pytest.approx(2 / 3),
    }  # fmt: skip


class Foretold:
    """A predictor that knows the truth, or its contrary."""

    def __init__(self, truth: np.ndarray, sign: float) -> None:
        self.truth, self.sign = truth, sign

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.sign * self.truth, np.zeros(len(self.truth))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_predictor_is_checked_on_mixes_that_it_never_saw(sign: float) -> None:
    table, people = make_table(prompts=20)
    drawn = world(people, table.size, seed=0)
    rows = np.arange(table.size)
    known = Known(instance=rows, rater=drawn.rater, verdict=drawn.label)
    policy = Hyper()
    policy.predictor = policy.train(table, known, rng=np.random.default_rng(0))
    mixes, truth = policy.candidates(table, FRESH, rng=np.random.default_rng(7))
    assert mixes.shape[0] == FRESH and truth.std() > 0
    policy.predictor = Foretold(truth, sign)
    assert policy.rank_correlation(table, rng=np.random.default_rng(7)) == pytest.approx(sign)
    assert Hyper().rank_correlation(table, rng=np.random.default_rng(7)) is None


def test_a_probe_is_tested_on_decided_gold_only_and_never_on_its_own_prompts() -> None:
    table, people = make_table(prompts=30, noise=0.2)
    drawn = world(people, table.size, seed=0)
    right, tested = probe_right(table, drawn.label[None, :], drawn.gold, drawn.gold != NO_GOLD)
    assert (tested == ((drawn.gold != NO_GOLD) & (drawn.gold != 0))).all()
    assert not right[:, ~tested].any()


def test_pictures_and_figures_are_written(tmp_path: Path) -> None:
    table, said = replayable(*make_table(prompts=12))
    scores, findings = Scores(BUDGETS, {}, {}), Findings(BUDGETS, deep=True)
    names = ["random", "defer", Oracle.name]
    for run in replay(table, said, policies=names, budgets=BUDGETS, seeds=2):
        scores.add(run, table.prompt, len(table.prompts))
        findings.add(run, table)
    curves = scores.curves(rng=np.random.default_rng(0))
    report = report_of(curves, BUDGETS) | {"findings": findings.report(curves, seed=0)}
    files = write_report(report, tmp_path / "out")
    assert files == ["calibration-defer.svg", "curves.svg", "probe.svg", "report.json"]
    assert orjson.loads((tmp_path / "out" / "report.json").read_bytes()) == orjson.loads(
        orjson.dumps(report, option=orjson.OPT_SERIALIZE_NUMPY)
    )
    drawn = ElementTree.parse(tmp_path / "out" / "curves.svg").getroot()
    texts = [each.text for each in drawn.iter() if each.tag.endswith("text")]
    assert set(names) <= set(texts)
    probe = report["findings"]["defer"]["probe"]
    assert [point["budget"] for point in probe] == BUDGETS
    assert all(point["low"] <= point["mean"] <= point["high"] for point in probe)


def test_scales_end_at_round_values() -> None:
    assert rounded(0.71, 0.83) == (0.7, 0.85)
    assert rounded(0.7, 0.7) == (0.7, 0.75)
