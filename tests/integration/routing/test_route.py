from pathlib import Path

import pytest
from django.core.management import CommandError

from annotate.models import Seat
from ledger.models import Label, Project
from routing.actions import take_back
from routing.models import Decision, Route
from routing.policies import POLICIES
from tests.integration.routing.making import make_project, report, rows

pytestmark = pytest.mark.django_db
LIVE = [name for name in POLICIES.names() if name != "oracle"]


def open_instances(project: Project) -> list[str]:
    """The instances that people are handed, in order."""
    seats = Seat.objects.filter(project=project, status=Seat.Status.OPEN).order_by("rank")
    return [seat.instance.ref for seat in seats.select_related("instance")]


@pytest.mark.parametrize("policy", LIVE)
def test_every_policy_routes_within_the_budget(tmp_path: Path, policy: str) -> None:
    project = make_project(tmp_path, "fresh", rows(30))
    found = report("route", "fresh", "--policy", policy, "--budget", "0.2")
    assert found["policy"] == policy
    assert found["human"] <= 6
    assert found["human"] + found["ai"] == 30
    assert found["already_human"] == 0
    assert found["enqueued"] == found["human"] == len(open_instances(project))
    expected = found["expected_agreement"]
    assert 0 <= expected["low"] <= expected["mean"] <= expected["high"] <= 1
    made = Route.objects.live().get(project=project)
    assert made.version
    assert made.decisions.count() == 30
    assert not made.decisions.filter(reason="").exists()


@pytest.mark.parametrize(("policy", "human"), [("all_human", 30), ("all_ai", 0), ("random", 30)])
def test_the_whole_budget(tmp_path: Path, policy: str, human: int) -> None:
    make_project(tmp_path, "whole", rows(30))
    assert report("route", "whole", "--policy", policy, "--budget", "1")["human"] == human


def test_human_work_comes_in_the_order_of_gain(tmp_path: Path) -> None:
    project = make_project(tmp_path, "order", rows(20, judges=("alpha", "beta")))
    report("route", "order", "--policy", "defer", "--budget", "0.5")
    ranked = Decision.objects.filter(route__project=project, way="human").order_by("rank")
    assert open_instances(project) == [decision.instance.ref for decision in ranked]
    gains = [decision.gain for decision in ranked]
    assert gains == sorted(gains, reverse=True)


def test_labels_that_exist_count_against_the_budget_and_are_not_asked_again(tmp_path: Path) -> None:
    found = rows(20)
    labelled = rows(20, people=1)
    project = make_project(tmp_path, "partly", labelled[:5] + found[5:])
    result = report("route", "partly", "--policy", "random", "--budget", "0.5")
    assert (result["human"], result["already_human"], result["enqueued"]) == (10, 5, 5)
    assert set(open_instances(project)).isdisjoint({"q000", "q001", "q002", "q003", "q004"})
    less = report("route", "partly", "--policy", "random", "--budget", "0.1")
    assert (less["human"], less["already_human"], less["enqueued"]) == (2, 2, 0)


def test_a_new_route_replaces_the_open_work_and_leaves_labels_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path, "again", rows(20, people=1))
    before = list(Label.objects.order_by("pk").values())
    report("route", "again", "--policy", "random", "--budget", "0.4")
    report("route", "again", "--policy", "all_ai", "--budget", "0.4")
    assert open_instances(project) == []
    assert Route.objects.filter(project=project).count() == 2
    assert Route.objects.live().get(project=project).policy == "all_ai"
    assert list(Label.objects.order_by("pk").values()) == before


def test_a_route_that_is_taken_back_opens_everything_again(tmp_path: Path) -> None:
    project = make_project(tmp_path, "back", rows(6))
    report("route", "back", "--policy", "all_ai", "--budget", "0")
    assert open_instances(project) == []
    assert take_back(project) is not None
    assert len(open_instances(project)) == 6
    assert take_back(project) is None


def test_a_dry_run_reports_and_changes_nothing(tmp_path: Path) -> None:
    project = make_project(tmp_path, "dry", rows(10))
    before = open_instances(project)
    found = report("route", "dry", "--policy", "random", "--budget", "0.3", "--dry-run")
    assert found["human"] == 3
    assert open_instances(project) == before
    assert not Route.objects.exists()


def test_the_same_seed_routes_the_same_instances(tmp_path: Path) -> None:
    project = make_project(tmp_path, "seeded", rows(30, judges=("alpha", "beta")))
    chosen = []
    for _ in range(2):
        report("route", "seeded", "--policy", "defer", "--budget", "0.3", "--seed", "7")
        chosen.append(open_instances(project))
    assert chosen[0] == chosen[1]
    assert Route.objects.live().get(project=project).seed == 7


def test_the_audit_is_drawn_by_lot_and_its_propensity_logged(tmp_path: Path) -> None:
    project = make_project(tmp_path, "audit", rows(40))
    report("route", "audit", "--policy", "length_gap", "--budget", "0.5", "--audit", "0.2", "--seed", "1")
    audited = Decision.objects.filter(route__project=project, audit=True)
    assert audited.count() == 4
    rest = Decision.objects.filter(route__project=project, way="ai").first()
    assert rest is not None
    for decision in (*audited, rest):
        assert decision.propensity == pytest.approx(4 / 24, abs=1e-4)


def test_a_promise_first_asks_for_its_audit_then_goes_on_with_it(tmp_path: Path) -> None:
    found = rows(260, people=1)
    for row in found:
        row["human"][0]["value"] = 1
    bare = [{**row, "human": []} for row in found]
    project = make_project(tmp_path, "promise", bare)
    first = report("route", "promise", "--policy", "guarantee", "--target-agreement", "0.8")
    assert first["promise"]["waiting"] == 200 == first["enqueued"]
    lots = Route.objects.live().get(project=project).parameters["lots"]
    second = report("route", "promise", "--policy", "guarantee", "--target-agreement", "0.8", "--seed", "99")
    assert second["human"] == 200
    assert Route.objects.live().get(project=project).parameters["lots"] == lots

    make_project(tmp_path, "kept", found)
    kept = report("route", "kept", "--policy", "guarantee", "--target-agreement", "0.8")
    assert kept["promise"]["kept"] is True
    assert kept["ai"] == kept["promise"]["accepted"] == 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--policy", "randm", "--budget", "0.1"),
            "There is no policy named 'randm'. Did you mean 'random'?",
        ),
        (("--policy", "random", "--budget", "1.5"), "The budget must be a share in 0…1, not 1.5."),
        (("--policy", "random", "--budget", "-0.1"), "The budget must be a share in 0…1, not -0.1."),
        (("--policy", "random", "--budget", "nan"), "The budget must be a share in 0…1, not nan."),
        (
            ("--policy", "oracle", "--budget", "0.1"),
            "'oracle' knows the answers, so it exists in replay only.",
        ),
        (
            ("--policy", "random", "--budget", "0.1", "--judge", "alfa"),
            "There is no judge named 'alfa'. Did you mean 'alpha'?",
        ),
        (
            ("--policy", "random", "--budget", "0.1", "--aspect", "overal"),
            "There is no aspect named 'overal'. Did you mean 'overall'?",
        ),
        (
            ("--policy", "guarantee", "--target-agreement", "1.2"),
            "The target agreement must lie between 0 and 1, not 1.2.",
        ),
    ],
)
def test_what_cannot_be_routed_is_refused_and_nothing_changes(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    project = make_project(tmp_path, "refused", rows(10))
    before = open_instances(project)
    with pytest.raises(CommandError) as refusal:
        report("route", "refused", *arguments)
    assert str(refusal.value) == message
    assert open_instances(project) == before
    assert not Route.objects.exists()


def test_an_aspect_without_judge_labels_says_what_to_do(tmp_path: Path) -> None:
    make_project(tmp_path, "unjudged", rows(4, people=1, judges=()))
    with pytest.raises(
        CommandError, match="No judge has labelled the aspect 'overall' of 'unjudged': run `judge` first"
    ):
        report("route", "unjudged", "--policy", "random", "--budget", "0.5")


def test_prices_of_zero_and_constant_texts_route_all_the_same(tmp_path: Path) -> None:
    found = rows(12)
    for row in found:
        row["prompt"] = "Same"
        for response in row["responses"]:
            response["text"] = "same"
    project = make_project(tmp_path, "flat", found)
    project.settings["hourly_pay"] = 0
    project.save()
    for policy in LIVE:
        assert report("route", "flat", "--policy", policy, "--budget", "0.5")["human"] <= 6
