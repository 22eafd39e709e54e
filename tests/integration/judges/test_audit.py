"""The audit finds planted faults with their size inside the interval, and mends what can be mended."""

import json
import math
import random
import zlib
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from judges.attacks import BY_TOOL, KINDS
from judges.audit import count_triples, recorded
from judges.backends.checks import ChecksBackend
from judges.calibrating import repaired_probabilities
from judges.catalog import CATALOG
from judges.items import Limits
from judges.live import consistency, live
from judges.models import JudgeAudit
from judges.offering import Chosen, spec_from
from judges.requests import LabelScores, Texts
from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Rater
from tests.integration.judges.making import make_instance, make_pairs, make_project, say

pytestmark = pytest.mark.django_db


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def judge_says(project, name, answers):
    """Labels of a judge: {instance: [(order, P(response 1 preferred)), …]}."""
    aspect = project.aspects.get(name="overall")
    rater = ensure_rater(project, kind=Rater.Kind.JUDGE, name=name)
    labels = [
        NewLabel(instance, aspect, {"strength": 1 if p > 0.5 else -1, "probability": p}, order=order)
        for instance, views in answers.items()
        for order, p in views
    ]
    write_labels(project=project, rater=rater, labels=labels)
    return rater


def report_of(project, name):
    return recorded(project, name, project.aspects.get(name="overall"))


def test_a_length_biased_judge_is_shown_with_its_slope_inside_the_interval():
    rng, slope = random.Random(5), 1.3
    project = make_project()
    answers = {}
    for k in range(400):
        lengths = [rng.randrange(20, 400) for _ in range(2)]
        one = make_instance(project, f"i{k}", *("x" * n for n in lengths))
        p = sigmoid(slope * (math.log2(lengths[1] + 1) - math.log2(lengths[0] + 1)))
        answers[one] = [((0, 1), 0.9 if rng.random() < p else 0.1)]
    judge_says(project, "longish", answers)
    say(project, "ann", {one: rng.choice((-1, 1)) for one in answers})
    found = report_of(project, "longish")["slopes"]
    assert found["length"]["low"] < slope < found["length"]["high"]
    assert found["length"]["high"] - found["length"]["low"] < 1.0
    assert found["length_of_people"]["low"] < 0 < found["length_of_people"]["high"]


def test_a_position_bias_is_measured_before_and_gone_after_averaging():
    rng, bias = random.Random(6), 2.5
    project = make_project()
    answers, verdicts = {}, {}
    for one in make_pairs(project, 300):
        z = rng.gauss(0, 1.5)
        answers[one] = [((0, 1), sigmoid(z - bias)), ((1, 0), sigmoid(z + bias))]
        verdicts[one] = 1 if rng.random() < sigmoid(z) else -1
    judge_says(project, "leaning", answers)
    say(project, "ann", verdicts)
    found = report_of(project, "leaning")
    assert found["position"]["first_shown"]["low"] > 0.85
    assert found["position"]["log_odds"]["low"] < bias < found["position"]["log_odds"]["high"] + 1e-6
    assert found["position"]["after"]["low"] < 0.5 < found["position"]["after"]["high"]
    assert found["position"]["flips"]["value"] > 0.7
    assert found["agreement"]["averaged"]["value"] > 0.65


@pytest.mark.slow
def test_a_miscalibrated_judge_is_repaired_on_labels_held_out():
    rng = random.Random(7)
    project = make_project()
    answers, said = {}, {f"ann{n}": {} for n in range(5)}
    for k in range(500):
        one = make_instance(project, f"i{k}", "a", "b")
        p = rng.random()
        answers[one] = [((0, 1), sigmoid(3 * math.log(p / (1 - p)) + 0.8))]
        for person in said.values():
            person[one] = 1 if rng.random() < p else -1
    rater = judge_says(project, "sure", answers)
    for name, verdicts in said.items():
        say(project, name, verdicts)
    found = report_of(project, "sure")["calibration"]
    assert found["n"] == 2500
    assert found["raw"]["ece_debiased"] > 0.1
    assert found["repaired"]["ece_debiased"] < 0.05
    assert found["raw"]["slope"]["high"] < 0.5
    assert found["repaired"]["brier"] < found["raw"]["brier"]
    mended = repaired_probabilities(project.aspects.get(), rater.pk)
    assert mended.calibrator == "isotonic"
    assert abs(mended.probability - 0.5).mean() < abs(mended.raw - 0.5).mean()


def test_self_preference_is_the_difference_from_people():
    project = make_project()
    answers, verdicts = {}, {}
    for k in range(40):
        one = make_instance(project, f"i{k}", "ours", "theirs", models=("small-model", "other"))
        answers[one] = [((0, 1), 0.1 if k < 30 else 0.9)]
        verdicts[one] = -1 if k < 20 else 1
    judge_says(project, "Small Model", answers)
    say(project, "ann", verdicts)
    found = report_of(project, "Small Model")["self_preference"]
    assert (found["judge"], found["people"]) == (0.75, 0.5)
    assert found["dbg"]["value"] == pytest.approx(0.25)
    assert found["dbg"]["low"] > 0


def test_circles_are_counted_among_decided_triples():
    assert count_triples([("a", "b"), ("b", "c"), ("a", "c")]) == (1, 0)
    assert count_triples([("a", "b"), ("b", "c"), ("c", "a")]) == (1, 1)
    assert count_triples([("a", "b"), ("b", "c")]) == (0, 0)
    project = make_project()
    pairs = [("x", "y"), ("y", "z"), ("z", "x")]
    made = [make_instance(project, f"{a}{b}", a, b, prompt="same?") for a, b in pairs]
    judge_says(project, "round", {one: [((0, 1), 0.9)] for one in made})
    say(project, "ann", dict.fromkeys(made, 1))
    assert report_of(project, "round")["transitivity"] == {
        "triples": 1, "circles": {"value": 1.0, "n": 1, "low": pytest.approx(0.2065, abs=1e-3), "high": 1.0},
    }  # fmt: skip


def test_the_command_keeps_its_report_and_refuses_unknown_judges():
    project = make_project()
    pairs = make_pairs(project, 6)
    judge_says(project, "imported", {one: [((0, 1), 0.8)] for one in pairs})
    say(project, "ann", dict.fromkeys(pairs, 1))
    out = StringIO()
    call_command("audit_judge", "judged", "--judge", "imported", "--json", "-", stdout=out)
    assert json.loads(out.getvalue())["agreement"]["raw"]["value"] == 1.0
    assert JudgeAudit.objects.latest_of(project).get().report["judge"] == "imported"
    with pytest.raises(CommandError, match="imported"):
        call_command("audit_judge", "judged", "--judge", "importet")
    call_command("audit_judge", "judged", "--judge", "imported", stdout=StringIO())
    assert JudgeAudit.objects.latest_of(project).count() == 1


def test_a_live_audit_attacks_the_judge(capsys):
    project = make_project()
    pairs = make_pairs(project, 6)
    say(project, "ann", dict.fromkeys(pairs, 1))
    call_command("judge", "judged", "--judge", "length", "--sync", stdout=StringIO(), stderr=StringIO())
    out = StringIO()
    call_command("audit_judge", "judged", "--judge", "length", "--json", "-", stdout=out)
    found = json.loads(out.getvalue())
    assert found["consistency"]["resampled"]["value"] == 1.0
    assert found["attacks"]["attacks"] == len(KINDS)
    assert found["attacks"]["flips"]["value"] > 0.5  # whatever is added makes a response longer


@pytest.fixture
def audited():
    """The whole audit of a judge of two people's instances: (the report, what the command said)."""
    rng, project, verdicts = random.Random(4), make_project(), {}
    for k in range(120):
        texts = (
            f"Answer {k}." + " more" * rng.randrange(9),
            f"# Title\n- **{k}**" + " more" * rng.randrange(9),
        )
        one = make_instance(project, f"i{k}", *texts, prompt=f"q{k // 2}", models=("length", "other"))
        one.metadata = {"domain": "maths" if k % 2 else "letters"}
        one.save()
        verdicts[one] = rng.choice((-1, 1))
    for person in ("ann", "bob"):
        say(project, person, {one: v if rng.random() < 0.8 else -v for one, v in verdicts.items()})
    call_command("judge", "judged", "--judge", "length", "--sync", stdout=StringIO(), stderr=StringIO())
    words, attacks = StringIO(), str(3 * len(KINDS))
    call_command(
        "audit_judge", "judged", "--judge", "length", "--live", "20", "--attacks", attacks, stdout=words
    )
    return JudgeAudit.objects.latest_of(project).get().report, words.getvalue()


def whole(estimate):
    """A figure within its interval, and of how many."""
    inside = estimate["low"] <= estimate["value"] <= estimate["high"]
    return set(estimate) == {"value", "n", "low", "high"} and inside


def test_an_audit_sets_agreement_and_biases_in_their_intervals(audited):
    found, _ = audited
    for name in ("raw", "no_ties", "kappa", "averaged", "people", "longer", "gap_to_longer"):
        assert whole(found["agreement"][name]), name
    assert found["agreement"]["standing"] in {"above", "below", "unclear", "few"}
    slices = [(one["column"], one["value"]) for one in found["slices"]]
    assert slices[:2] == [("domain", "letters"), ("domain", "maths")]
    assert {column for column, _ in slices[2:]} == {"length"}
    assert all(whole(one["raw"]) and whole(one["kappa"]) for one in found["slices"])
    assert whole(found["position"]["first_shown"]) and whole(found["position"]["after"])
    for name in ("length", "length_of_people", "length_given_style", "lists", "headers", "bold"):
        assert whole(found["slopes"][name]), name
    assert whole(found["self_preference"]["dbg"])


def test_an_audit_tells_calibration_consistency_attacks_and_work(audited):
    found, _ = audited
    for name in ("raw", "repaired"):
        assert {"ece", "ece_debiased", "brier", "slope", "intercept"} == set(found["calibration"][name])
    assert found["calibration"]["calibrator"] == "platt" and len(found["calibration"]["bins"]["n"]) > 3
    assert {"resampled", "paraphrased"} == set(found["consistency"])
    assert {"triples", "circles"} == set(found["transitivity"])
    assert found["attacks"]["attacks"] == 3 * len(KINDS)
    # what a tool answers makes a response the longer one before any payload: nothing is left to flip
    assert set(found["attacks"]["kinds"]) == set(KINDS) - BY_TOOL
    assert {"cost_an_instance", "seconds_an_instance", "pairs_per_second", "failures"} <= set(found["work"])


def test_the_command_says_every_part_of_the_audit(audited):
    _, words = audited
    for word in ("kappa", "longer", "first shown", "slope of bold", "prefers its own", "circles", "repaired",
                 "resampled it stands", "paraphrased it stands", "attacks flip", "pairs a second"):  # fmt: skip
        assert word in words, word


class Coin:
    """Writes the verdict that its seed's coin says, where it samples; the same one where it does not."""

    def answer(self, requests):
        return [
            Texts(tuple(f"Verdict: {self.letter(one, at)}" for at in range(one.samples))) for one in requests
        ]

    def letter(self, request, at):
        key = f"{request.messages[-1].content}{request.seed if request.temperature else ''}{at}"
        return "A" if zlib.crc32(key.encode()) % 2 else "B"

    def limits(self):
        return Limits()


@pytest.mark.parametrize(("temperature", "low", "high"), [(0.0, 1.0, 1.0), (0.7, 0.2, 0.8)])
def test_a_second_draw_is_another_draw(temperature, low, high):
    """A coin stands by its verdict where nothing is sampled, and about as often as not where it is."""
    project = make_project()
    make_pairs(project, 60)
    parameters = {"samples": 1, "temperature": temperature}
    spec = spec_from(
        "generative", name="coin", parameters=parameters, played={"judge": Chosen("transformers", "m")}
    )
    coin = Coin()
    found = consistency(project, spec, project.aspects.get(), coin.answer, coin, 60)["resampled"]
    assert low <= found["value"] <= high and found["n"] == 60


def test_people_stand_beside_the_judge_on_the_instances_that_it_has_judged():
    project = make_project()
    pairs = make_pairs(project, 40)
    for person in ("ann", "bob"):
        turned = {one: 1 if person == "ann" or k < 20 else -1 for k, one in enumerate(pairs)}
        say(project, person, turned)
    judge_says(project, "half", {one: [((0, 1), 0.8)] for one in pairs[:20]})
    people = report_of(project, "half")["agreement"]["people"]
    assert (people["value"], people["n"]) == (1.0, 20)  # over all forty it would be a half


def test_slices_by_the_gap_in_length_tell_where_a_judge_goes_wrong():
    project = make_project()
    lengths = {"x" * 100: 1, "x" * 110: 1, "x" * 150: 1, "x" * 400: -1}
    answers, verdicts = {}, {}
    for k in range(80):
        text, verdict = list(lengths.items())[k % 4]
        one = make_instance(project, f"i{k}", "x" * 100, text, prompt=f"q{k}")
        answers[one], verdicts[one] = [((0, 1), 0.9)], verdict
    judge_says(project, "longish", answers)
    say(project, "ann", verdicts)
    found = {one["value"]: one["raw"] for one in report_of(project, "longish")["slices"]}
    assert {name: (one["value"], one["n"]) for name, one in found.items()} == {
        "alike": (1.0, 40), "longer by a quarter or more": (1.0, 20), "twice as long or more": (0.0, 20),
    }  # fmt: skip


class Wavering:
    """Prefers the first response in one wording, the second in any other; grades by the wording's length."""

    def __init__(self):
        self.known, self.heard = set(), set()

    def answer(self, requests):
        self.heard |= {one.messages[0].content + asked_of(one) for one in requests}
        self.known = self.known or set(self.heard)
        return [self.said(one) for one in requests]

    def said(self, request):
        as_before = request.messages[0].content + asked_of(request) in self.known
        better = [text.startswith("A longer") or len(text) < 5 for text in request.shown]
        odds = [0.0 if right == as_before else -3.0 for right in better]
        if len(request.labels) == 2:
            return LabelScores(tuple(odds), mass=1.0)
        return LabelScores(tuple(odds[0] * (5 - k) for k in range(len(request.labels))), mass=1.0)

    def limits(self):
        return Limits()


def asked_of(request):
    return request.messages[-1].content.rpartition(">\n\n")[2]


@pytest.mark.parametrize(
    ("method", "kind"),
    [("pairwise", "pairwise"), ("principles", "pairwise"), ("rubric", "rating"), ("rubric", "ranking")],
)
def test_other_words_turn_a_judge_that_rests_on_the_words(method, kind):
    """Whatever the method and the task type: each wording is another, and every verdict is turned by it."""
    project = make_project(overall=kind)
    make_pairs(project, 12)
    parameters = {"principles": ("Be brief.",)} if method == "principles" else {}
    spec = spec_from(method, name="any", parameters=parameters, played={"judge": Chosen("transformers", "m")})
    wavering = Wavering()
    found = consistency(project, spec, project.aspects.get(), wavering.answer, wavering, 12)
    assert (found["resampled"]["value"], found["resampled"]["n"]) == (1.0, 12)
    assert (found["paraphrased"]["value"], found["paraphrased"]["n"]) == (0.0, 24)
    assert len(wavering.heard) == 3


def test_a_judge_without_words_is_not_asked_in_others():
    project = make_project()
    make_pairs(project, 4)
    checker = ChecksBackend()
    found = consistency(project, CATALOG["verifier"], project.aspects.get(), checker.answer, checker, 4)
    assert set(found) == {"resampled"}


def test_a_verifier_is_attacked_where_a_request_has_an_answer_that_can_be_checked():
    project = make_project()
    overall = project.aspects.get(name="overall")
    found = live(project, "verifier", overall, instances=0, attacks=5 * len(KINDS))["attacks"]
    assert 0 < found["unjudged"] < found["attacks"]
    assert found["flips"]["n"] == found["attacks"] - found["unjudged"]
    assert found["flips"]["value"] == 0  # an outcome does not read what it is told


def test_a_probe_is_attacked_with_texts_that_no_ledger_holds(weights):
    rng, project = random.Random(8), make_project()
    said = {}
    for k in range(60):
        texts = [
            " ".join(rng.choices(("bread", "rises", "slowly", "in", "a", "bowl"), k=n)) for n in (12, 48)
        ]
        longer = rng.choice((0, 1))
        one = make_instance(project, f"i{k}", *(texts if longer else texts[::-1]), prompt=f"Question {k}?")
        said[one] = 1 if longer else -1
    say(project, "ann", said)
    overall = project.aspects.get(name="overall")
    found = live(project, "probe-minilm", overall, instances=0, attacks=len(KINDS))["attacks"]
    assert (found["attacks"], found["unjudged"]) == (len(KINDS), 0)
    assert 0 < found["flips"]["n"] <= len(KINDS)
    assert not project.labels.filter(rater__name="probe-minilm").exists()
