from pathlib import Path

import numpy as np
import pytest

from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Instance, Project, Rater
from routing.actions import refresh
from routing.expectation import audited_share, expected_agreement
from routing.loading import load
from routing.models import Decision, Route
from tests.integration.routing.making import make_project, report, rows

pytestmark = pytest.mark.django_db


def expected(project: Project) -> dict[str, float]:
    loaded = load(project)
    return expected_agreement(loaded, np.zeros(len(loaded.table.instances), dtype=bool), seed=1)


def test_without_any_label_the_interval_is_wide(tmp_path: Path) -> None:
    found = expected(make_project(tmp_path, "bare", rows(30)))
    assert found["high"] - found["low"] > 0.7


def test_labels_narrow_the_interval_around_what_they_show(tmp_path: Path) -> None:
    found = expected(make_project(tmp_path, "shown", rows(300, people=1)))
    assert found["low"] < 2 / 3 < found["high"]
    assert found["high"] - found["low"] < 0.15


def test_a_biased_choice_misleads_the_raw_rate_and_the_audit_mends_it(tmp_path: Path) -> None:
    """People were asked where they differ: the raw rate is 0 there, the audit by lot says two of three."""
    bare, said = rows(300), rows(300, people=1)
    project = make_project(
        tmp_path, "biased", [one if n % 3 == 0 else other for n, (one, other) in enumerate(zip(said, bare))]
    )
    assert expected(project)["high"] < 0.1
    audited = make_project(tmp_path, "audited", said)
    report("route", "audited", "--policy", "all_ai", "--budget", "0")
    assert audited_share(load(audited), np.zeros(300, dtype=bool), rng=np.random.default_rng(0)) is None


def test_the_audit_of_a_random_route_is_used(tmp_path: Path) -> None:
    """Routed by lot before anybody labelled; then the labels come."""
    project = make_project(tmp_path, "lots", rows(200))
    report("route", "lots", "--policy", "random", "--budget", "0.4", "--seed", "3")
    aspect = project.aspects.get()
    chosen = Instance.objects.filter(decisions__route__project=project, decisions__way="human")
    labels = [
        NewLabel(
            instance=instance, aspect=aspect, value={"strength": -1 if int(instance.ref[1:]) % 3 == 0 else 1}
        )
        for instance in chosen
    ]
    write_labels(
        project=project, rater=ensure_rater(project, kind=Rater.Kind.PERSON, name="ann"), labels=labels
    )
    draws = audited_share(load(project), np.zeros(200, dtype=bool), rng=np.random.default_rng(0))
    assert draws is not None
    low, high = np.quantile(draws, (0.025, 0.975))
    assert low < 2 / 3 < high
    assert high - low < 0.25


def test_a_judge_that_is_sure_and_wrong_does_not_raise_the_estimate(tmp_path: Path) -> None:
    """Planted bias: the judge gives 0.99 to what people reject in two of three; only the audit by lot can tell.

    Its own probabilities promise 0.99. Labels that were chosen where it is right promise 1. The estimate must do
    neither, and its interval must hold the truth of one in three.
    """
    found = rows(300)
    for row in found:
        row["ai"][0]["probability"] = 0.99
    project = make_project(tmp_path, "sure", found)
    report("route", "sure", "--policy", "uncertainty", "--budget", "0.5", "--audit", "0.6", "--seed", "3")
    aspect, live = project.aspects.get(), Route.objects.live().get(project=project)
    asked = live.decisions.filter(way="human").select_related("instance")
    labels = [
        NewLabel(instance=each.instance, aspect=aspect, value={"strength": truth(each)}) for each in asked
    ]
    ann = ensure_rater(project, kind=Rater.Kind.PERSON, name="ann")
    write_labels(project=project, rater=ann, labels=labels)
    loaded = load(project)
    heard, people = loaded.people.known().plurality(loaded.table.size)
    assert (people == loaded.table.ai)[heard].mean() > 0.55  # the raw rate, from labels that were chosen
    estimate = expected(project)
    assert estimate["low"] < 1 / 3 < estimate["high"] < 0.5
    shown = Route.objects.live().get(project=project)
    refresh(project)
    shown.refresh_from_db()
    judged = 1 - shown.summary["human"] / 300
    assert shown.expected["mean"] < judged * 0.45 + (1 - judged)


def truth(decision: Decision) -> int:
    """People agree with the judge (1) in one of three; where the policy chose and no lot was drawn, always."""
    return 1 if not decision.audit or decision.instance_id % 3 == 0 else -1
