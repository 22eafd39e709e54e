"""Whose labels an export rests on: as the project settles, people's, the judge's, or both fused."""

import pytest

from exports.actions import create_snapshot
from exports.choices import parse_choices
from exports.datasets import open_snapshot
from exports.problems import BadChoice
from routing.actions import settle
from routing.models import Preference
from tests.integration.exports.made_rows import instance, vote

pytestmark = pytest.mark.django_db


def judged(value: int) -> list[dict]:
    return [{"judge": "j", "task": "pairwise", "aspect": "overall", "value": value}]


def mixed() -> list[dict]:
    """Thirty pairs: one person on the even ones; the judge on all, the other way on every tenth."""
    return [
        instance(f"i{n:02}", [vote(1)] if n % 2 == 0 else [], ai=judged(-1 if n % 10 == 0 else 1))
        for n in range(30)
    ]


def shares(rows):
    return {source: sum(row["source"] == source for row in rows) for source in ("human", "ai", "fused")}


def test_labels_of_each_kind(project_of, export_rows):
    project = project_of(mixed())
    found = {
        labels: export_rows(project, "soft", labels=labels) for labels in ("settled", "human", "ai", "fused")
    }
    assert {labels: shares(rows) for labels, rows in found.items()} == {
        "settled": {"human": 15, "ai": 15, "fused": 0},
        "human": {"human": 15, "ai": 0, "fused": 0},
        "ai": {"human": 0, "ai": 30, "fused": 0},
        "fused": {"human": 0, "ai": 15, "fused": 15},
    }
    assert [row["chosen"] for row in found["ai"]].count("Yes.") == 3
    assert [row["chosen"] for row in found["fused"]].count("Yes.") == 0
    chances = {row["instance"]: row["probability"] for row in found["fused"]}
    assert 0.5 < chances["i00"] < chances["i02"] < 1  # the judge against the person, and with
    assert 0.5 < chances["i01"] < chances["i02"]  # the judge alone
    assert {row["raters"][-1] for row in found["fused"]} == {"j"}


def test_an_export_by_other_labels_leaves_the_project_as_it_was(project_of, export_rows):
    project = project_of(mixed())
    settle(project)
    before = dict(Preference.objects.live().filter(project=project).values_list("instance__ref", "source"))
    export_rows(project, "soft", labels="fused")
    after = dict(Preference.objects.live().filter(project=project).values_list("instance__ref", "source"))
    assert after == before
    assert settle(project).method == "majority"


def test_a_snapshot_keeps_whose_labels_it_froze(project_of):
    project = project_of(mixed())
    frozen = create_snapshot(project, version="v1", choices=parse_choices({"labels": "fused"}))
    assert (frozen.rows, frozen.settlement.method) == (30, "fused")
    with pytest.raises(BadChoice, match="keeps the labels"):
        open_snapshot(frozen, {"labels": "ai"})
    with pytest.raises(BadChoice, match="Fused labels are not settled by 'wawa'"):
        create_snapshot(
            project, version="v2", choices=parse_choices({"labels": "fused", "consensus": "wawa"})
        )
