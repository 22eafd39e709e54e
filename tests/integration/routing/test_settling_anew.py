"""Settling only what changed gives what settling from nothing gives, whatever happened in between."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Aspect, Instance, Project, Rater
from routing.actions import COMPARED, settle, take_back
from routing.models import Decision, Preference, Settlement
from tests.integration.routing.making import make_project, report, rows

pytestmark = pytest.mark.django_db

SIZE = 6
KINDS = [Rater.Kind.PERSON, Rater.Kind.PERSON, Rater.Kind.JUDGE, Rater.Kind.ADJUDICATOR]
SAY = st.tuples(
    st.just("say"),
    st.integers(0, SIZE - 1),
    st.sampled_from(KINDS),
    st.sampled_from(["x", "y"]),
    st.integers(-1, 1),
    st.integers(0, 1),
)
ROUTE = st.tuples(
    st.just("route"), st.sampled_from(["all_human", "all_ai", "random"]), st.sampled_from(["0", "0.5"])
)
TURN = st.tuples(st.just("turn"), st.integers(0, SIZE - 1), st.sampled_from(Decision.Way.values))
BACK = st.tuples(st.just("take back"))
METHOD = st.tuples(
    st.just("settle"), st.sampled_from(["majority", "dawid_skene", "fused", "majority/human", "majority/ai"])
)


def do(project: Project, act: str, *given: Any) -> None:
    if act == "say":
        at, kind, who, strength, repeat = given
        label = NewLabel(
            instance=Instance.objects.filter(project=project).order_by("pk")[at],
            aspect=Aspect.objects.get(project=project, name="overall"),
            value={"strength": strength},
            repeat=repeat,
        )
        rater = ensure_rater(project, kind=kind, name=f"{kind}-{who}")
        write_labels(project=project, rater=rater, labels=[label])
    elif act == "route":
        report("route", project.slug, "--policy", given[0], "--budget", given[1])
    elif act == "turn":
        decided = Decision.objects.filter(route__project=project, route__replaced=None).order_by("instance")
        if found := list(decided)[given[0] : given[0] + 1]:
            Decision.objects.filter(pk=found[0].pk).update(way=given[1])
    elif act == "take back":
        take_back(project)
    else:
        settle(project, method=given[0])


def standing(project: Project) -> list[tuple[Any, ...]]:
    live = Preference.objects.live().filter(project=project)
    return list(live.order_by("instance", "aspect").values_list("instance", "aspect", *COMPARED))


def from_nothing(project: Project, method: str) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    with transaction.atomic():
        Preference.objects.filter(project=project).delete()
        Settlement.objects.filter(project=project).delete()
        found = settle(project, method=method).counts, standing(project)
        transaction.set_rollback(True)
    return found


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_settling_what_changed_equals_settling_from_nothing(tmp_path: Path, data: st.DataObject) -> None:
    with transaction.atomic():
        project = make_project(tmp_path, "anew", rows(SIZE, people=1)[:3] + rows(SIZE)[3:])
        for act in data.draw(st.lists(SAY | ROUTE | TURN | BACK | METHOD, max_size=8)):
            do(project, *act)
            made = settle(project)
            counts, wanted = from_nothing(project, made.method)
            assert standing(project) == wanted
            assert {**made.counts, "asked": None} == {**counts, "asked": None}
        transaction.set_rollback(True)


def test_an_unlabelled_project_is_settled_in_a_few_statements_and_left_alone_after(tmp_path: Path) -> None:
    bare = [{key: value for key, value in row.items() if key not in ("human", "ai")} for row in rows(300)]
    project = make_project(tmp_path, "bare", [*rows(1), *bare[1:]])
    with CaptureQueriesContext(
        connection,
    ) as first:
        made = settle(project)
    assert (made.counts["preferences"], made.counts["undecided"]) == (1, 299)
    with CaptureQueriesContext(connection) as few:
        settle(project)
    do(project, "say", 7, Rater.Kind.PERSON, "x", 1, 0)
    with CaptureQueriesContext(connection) as one:
        again = settle(project)
    assert (again.counts["preferences"], again.counts["undecided"]) == (2, 298)
    assert Preference.objects.filter(project=project, since=again.number).count() == 1
    assert len(few) <= 8, [
        query["sql"] for query in few
    ]  # method, savepoint, lock, route, labels, instances, last
    assert len(one) <= 30, len(one)
    assert len(first) <= 30, len(first)
