from pathlib import Path

import numpy as np
import pytest

from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Instance, Project, Rater
from routing.expectation import audited_share, expected_agreement
from routing.loading import load
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
