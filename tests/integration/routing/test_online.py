import json
from pathlib import Path

import pytest
from django.core.cache import cache

from annotate.models import Seat
from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Aspect, Instance, Project, Rater
from routing.actions import refresh
from routing.models import Decision, Route
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
