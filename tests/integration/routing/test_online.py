import json
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.cache import cache

from annotate.models import Seat
from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Aspect, Instance, Project, Rater
from ledger.project_settings import change_settings
from routing.actions import decide_arrivals, refresh
from routing.arrivals import read_decider
from routing.loading import load
from routing.models import Decision, Route
from routing.planning import Request, plan
from routing.receivers import enough_news
from tests.integration.routing.making import make_project, report, rows

pytestmark = pytest.mark.django_db


def say(project: Project, ref: str, strength: int) -> None:
    label = NewLabel(
        instance=Instance.objects.get(project=project, ref=ref),
        aspect=Aspect.objects.get(project=project, name="overall"),
        value={"strength": strength},
    )
    rater = ensure_rater(project, kind=Rater.Kind.PERSON, name="ann")
    write_labels(project=project, rater=rater, labels=[label])


def ways(project: Project) -> dict[str, str]:
    live = Route.objects.live().get(project=project)
    return dict(live.decisions.values_list("instance__ref", "way"))


def test_without_news_looking_again_changes_nothing(tmp_path: Path) -> None:
    project = make_project(tmp_path, "calm", rows(30, judges=("alpha", "beta")))
    for policy in ("random", "uncertainty", "defer"):
        report("route", "calm", "--policy", policy, "--budget", "0.3", "--seed", "5")
        before = ways(project)
        assert refresh(project) == 0
        assert ways(project) == before


def test_new_labels_change_decisions_and_each_change_is_logged(tmp_path: Path) -> None:
    project = make_project(tmp_path, "learn", rows(40, judges=("alpha", "beta")))
    report("route", "learn", "--policy", "defer", "--budget", "0.4", "--audit", "0.25", "--seed", "5")
    before = ways(project)
    audited = set(Decision.objects.filter(audit=True).values_list("instance__ref", flat=True))
    for ref in [ref for ref, way in before.items() if way == "human"][:8]:
        say(project, ref, -1)
    changed = refresh(project)
    after = ways(project)
    different = {ref for ref in before if before[ref] != after[ref]}
    assert changed == len(different)
    logged = Decision.objects.filter(features__has_key="log").values_list("instance__ref", flat=True)
    assert set(logged) == different
    assert all(after[ref] == "human" for ref in audited)
    assert sum(way == "human" for way in after.values()) <= 16


def test_new_instances_are_decided_on_and_the_rest_stays(
    tmp_path: Path, eager_tasks: None, django_capture_on_commit_callbacks
) -> None:
    project = make_project(tmp_path, "grow", rows(20))
    report("route", "grow", "--policy", "random", "--budget", "0.5", "--seed", "5")
    before = ways(project)
    cache.delete(f"routing:look:{project.pk}")
    path = tmp_path / "more.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows(40)[20:]))
    with django_capture_on_commit_callbacks(execute=True):
        report("import_instances", "grow", str(path))
    after = ways(project)
    assert len(after) == 40
    assert {ref: after[ref] for ref in before if before[ref] == "human"} == {
        ref: "human" for ref in before if before[ref] == "human"
    }
    assert sum(way == "human" for way in after.values()) == 20
    assert Seat.objects.filter(project=project, status=Seat.Status.OPEN).count() == 20


def arrive(project: Project, tmp_path: Path, found: list[dict]) -> list[int]:
    """Imports further instances; the tasks that this sends wait for a commit that a test never makes."""
    path = tmp_path / f"{found[0]['id']}.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in found))
    report("import_instances", project.slug, str(path))
    refs = [row["id"] for row in found]
    return list(
        Instance.objects.filter(project=project, ref__in=refs).order_by("pk").values_list("pk", flat=True)
    )


def varied(count: int, *, judged: bool = True) -> list[dict]:
    """Instances with texts of all lengths and two judges of different minds."""
    rng = np.random.default_rng(count)
    found = rows(count, judges=("alpha", "beta") if judged else ())
    for row in found:
        for response in row["responses"]:
            response["text"] = " ".join(
                rng.choice(["sun", "- one", "code", "42", "why"], size=rng.integers(1, 60))
            )
        for said in row["ai"]:
            said["value"] = int(rng.integers(-1, 2))
    return found


def test_an_arrival_is_decided_on_at_once_by_what_the_look_learnt(tmp_path: Path) -> None:
    project = make_project(tmp_path, "stream", varied(120))
    report("route", "stream", "--policy", "uncertainty", "--budget", "0.3", "--seed", "5", "--audit", "0")
    live = Route.objects.live().get(project=project)
    decider = read_decider(live)
    assert decider is not None and decider.shadow > 0
    fresh = [row | {"id": f"n{place}"} for place, row in enumerate(varied(121)[:40])]
    unjudged = rows(1, judges=())[0] | {"id": "silent"}
    came = arrive(project, tmp_path, [*fresh, unjudged])
    assert decide_arrivals(project, came) == 40
    assert decide_arrivals(project, came) == 0
    made = {each.instance_id: each for each in live.decisions.filter(instance__in=came)}
    full = plan(project, Request(policy="uncertainty", seed=5, budget=0.3))
    gains = dict(zip(full.loaded.table.instances, full.gain, strict=True))
    errors = [abs(each.gain - gains[pk]) for pk, each in made.items()]
    assert float(np.mean(errors)) < 0.05
    human = [pk for pk, each in made.items() if each.way == "human"]
    assert len(human) > 0 and live.decisions.filter(way="human").count() <= 0.3 * 161
    assert np.mean([gains[pk] for pk in human]) > np.mean([gains[pk] for pk in made if pk not in human])
    assert set(Seat.objects.filter(instance__in=came).values_list("instance", flat=True)) == set(human)
    assert all(each.features["price"] > 0 for each in made.values())


def test_a_decision_on_an_arrival_takes_less_than_50_ms_of_processor_time(tmp_path: Path) -> None:
    project = make_project(tmp_path, "quick", varied(400))
    report("route", "quick", "--policy", "defer", "--budget", "0.3", "--seed", "5")
    came = arrive(project, tmp_path, [row | {"id": f"n{place}"} for place, row in enumerate(varied(9))])
    spent = []
    for pk in came:
        began = time.process_time()
        assert decide_arrivals(project, [pk]) == 1
        spent.append(time.process_time() - began)
    assert sorted(spent)[len(spent) // 2] < 0.05, spent


def test_arrivals_join_the_audit_by_their_chance_and_the_chance_is_kept(tmp_path: Path) -> None:
    project = make_project(tmp_path, "lots", varied(60))
    report("route", "lots", "--policy", "uncertainty", "--budget", "0.5", "--seed", "5", "--audit", "0.3")
    came = arrive(project, tmp_path, [row | {"id": f"n{place}"} for place, row in enumerate(varied(60))])
    refresh(project)
    joined = Decision.objects.filter(instance__in=came, audit=True)
    assert 8 <= joined.count() <= 28
    assert set(joined.values_list("propensity", "way")) == {(0.3, "human")}


def test_five_in_a_hundred_are_drawn_by_lot_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    project = make_project(tmp_path, "audit", varied(100))
    report("route", "audit", "--policy", "defer", "--budget", "0.4", "--seed", "5")
    live = Route.objects.live().get(project=project)
    drawn = live.decisions.filter(audit=True)
    assert drawn.count() == 2
    assert all(each.way == "human" and 0 < each.propensity < 1 for each in drawn)
    report("route", "audit", "--policy", "all_ai", "--budget", "1", "--seed", "5")
    assert not Route.objects.live().get(project=project).decisions.filter(way="human").exists()


def test_a_paced_budget_opens_with_its_schedule_and_logs_its_price(tmp_path: Path) -> None:
    project = make_project(tmp_path, "paced", varied(200))
    change_settings(project, {"pace": {"days": 10}})
    report("route", "paced", "--policy", "uncertainty", "--budget", "0.5", "--seed", "5", "--audit", "0")
    live = Route.objects.live().get(project=project)
    at_first = live.decisions.filter(way="human").count()
    assert at_first == 6  # a twentieth of 100, and what an hour of ten days brings
    for days, expected in ((1, 10 + 5 + 1), (5, 50 + 5 + 1), (20, 100)):
        refresh(project, at=live.created + timedelta(days=days))
        opened = live.decisions.filter(way="human").count()
        assert opened == expected
    live.refresh_from_db()
    log = live.parameters["prices"]
    assert [line["due"] for line in log] == [0.0, 10.0, 50.0, 100.0]
    prices = [line["price"] for line in log]
    assert prices == sorted(prices, reverse=True) and prices[0] > prices[-1]
    assert {line["spent"] for line in log} == {0}


def test_a_route_looks_again_after_so_many_labels(tmp_path: Path) -> None:
    project = make_project(tmp_path, "news", rows(3))
    cache.delete(f"routing:news:{project.pk}")
    change_settings(project, {"refit_every": 10})
    assert [enough_news(project, count) for count in (9, 1, 4, 4, 4, 25)] == [
        False, True, False, False, True, True,
    ]  # fmt: skip


def test_gain_is_weighed_against_what_reading_costs(tmp_path: Path) -> None:
    """Of instances with the same gain those that are read faster come first; without pay the order is the gain's."""
    project = make_project(tmp_path, "weighed", varied(120))
    planned = plan(project, Request(policy="defer", seed=5, budget=0.3))
    price = load(project).table.price
    np.testing.assert_allclose(planned.value, planned.gain / (price / price.mean()))
    change_settings(project, {"hourly_pay": 0})
    unpaid = plan(project, Request(policy="defer", seed=5, budget=0.3))
    np.testing.assert_allclose(unpaid.value, unpaid.gain)
    chosen, otherwise = planned.human & ~planned.audit, unpaid.human & ~unpaid.audit
    assert price[chosen].mean() < price[otherwise].mean()


def test_a_route_says_how_large_a_pilot_should_be(tmp_path: Path) -> None:
    project = make_project(tmp_path, "cold", rows(300))
    found = report("route", "cold", "--policy", "pilot", "--budget", "0.5", "--seed", "3")
    assert found["pilot"] == {"recommended": 169, "labelled": 0, "precision": 0.05}
    change_settings(project, {"precision": 0.1})
    found = report("route", "cold", "--policy", "pilot", "--budget", "0.5", "--seed", "3")
    assert found["pilot"] == {"recommended": 73, "labelled": 0, "precision": 0.1}
    assert (
        Decision.objects.filter(route__replaced=None).values_list("propensity", flat=True).distinct().get()
        == 0.5
    )
