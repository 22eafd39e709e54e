from pathlib import Path

import pytest

from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Aspect, Instance, Label, Project, Rater
from routing.actions import settle
from routing.models import Preference, Settlement
from tests.integration.routing.making import make_project, report, rows

pytestmark = pytest.mark.django_db


def live(project: Project, ref: str) -> Preference:
    return Preference.objects.live().get(project=project, instance__ref=ref)


def say(
    project: Project,
    ref: str,
    who: str,
    strength: int,
    *,
    kind: Rater.Kind = Rater.Kind.PERSON,
    repeat: int = 0,
) -> None:
    label = NewLabel(
        instance=Instance.objects.get(project=project, ref=ref),
        aspect=Aspect.objects.get(project=project, name="overall"),
        value={"strength": strength},
        repeat=repeat,
    )
    write_labels(project=project, rater=ensure_rater(project, kind=kind, name=who), labels=[label])


def test_without_a_route_people_settle_where_there_are_any_else_the_judge(tmp_path: Path) -> None:
    project = make_project(tmp_path, "plain", rows(3, people=3)[:1] + rows(3)[1:])
    assert report("consensus", "plain") == {"preferences": 3, "ties": 0, "undecided": 0}
    human, judged = live(project, "q000"), live(project, "q001")
    assert (human.source, human.chosen, human.rejected, human.raters) == ("human", 0, 1, ["p0", "p1", "p2"])
    assert (judged.source, judged.chosen, judged.raters, judged.agreement) == ("ai", 1, ["alpha"], 1.0)


def test_on_a_routed_project_the_route_says_whose_labels_count(tmp_path: Path) -> None:
    project = make_project(tmp_path, "routed", rows(4, people=1))
    report("route", "routed", "--policy", "all_ai", "--budget", "0")
    assert report("consensus", "routed")["preferences"] == 4
    assert {p.source for p in Preference.objects.live().filter(project=project)} == {"ai"}
    report("route", "routed", "--policy", "all_human", "--budget", "1")
    report("consensus", "routed")
    assert {p.source for p in Preference.objects.live().filter(project=project)} == {"human"}
    assert (live(project, "q000").chosen, live(project, "q000").route) == (0, "human")


def test_a_human_route_without_its_label_is_undecided(tmp_path: Path) -> None:
    make_project(tmp_path, "waiting", rows(4))
    report("route", "waiting", "--policy", "all_human", "--budget", "0.5")
    assert report("consensus", "waiting") == {"preferences": 2, "ties": 0, "undecided": 2}


def test_people_who_are_split_leave_it_undecided_and_ties_are_ties(tmp_path: Path) -> None:
    project = make_project(tmp_path, "split", rows(2))
    say(project, "q000", "ann", 1)
    say(project, "q000", "bob", -1)
    say(project, "q001", "ann", 0)
    assert report("consensus", "split") == {"preferences": 0, "ties": 1, "undecided": 1}
    assert live(project, "q000").outcome == Preference.Outcome.UNDECIDED
    assert live(project, "q001").margin == 0


def test_a_repeated_presentation_is_no_further_voice(tmp_path: Path) -> None:
    project = make_project(tmp_path, "repeat", rows(1))
    say(project, "q000", "ann", 1)
    say(project, "q000", "ann", -1, repeat=1)
    settle(project)
    assert live(project, "q000").chosen == 1
    assert len(live(project, "q000").labels) == 1


def test_an_adjudication_overrules_the_people(tmp_path: Path) -> None:
    project = make_project(tmp_path, "ruled", rows(1))
    for who in ("ann", "bob", "cem"):
        say(project, "q000", who, 1)
    say(project, "q000", "chief", -1, kind=Rater.Kind.ADJUDICATOR)
    settle(project)
    found = live(project, "q000")
    assert (found.chosen, found.raters, found.margin, found.source) == (0, ["chief"], 1.0, "human")


def test_settling_again_writes_nothing_and_a_change_keeps_the_earlier_state(tmp_path: Path) -> None:
    project = make_project(tmp_path, "twice", rows(3))
    first = settle(project)
    assert settle(project) == first
    say(project, "q001", "ann", -1)
    second = settle(project)
    assert second.number == first.number + 1
    assert Preference.objects.filter(project=project).count() == 4
    then, now = (Preference.objects.at(state).get(instance__ref="q001") for state in (first, second))
    assert (then.source, then.chosen) == ("ai", 1)
    assert (now.source, now.chosen) == ("human", 0)
    assert Settlement.objects.filter(project=project).count() == 2


def test_an_unknown_method_is_refused_with_the_nearest(tmp_path: Path) -> None:
    make_project(tmp_path, "method", rows(1))
    with pytest.raises(Exception, match="Did you mean 'majority'"):
        report("consensus", "method", "--method", "majorty")


def test_dawid_skene_settles_too(tmp_path: Path) -> None:
    make_project(tmp_path, "skilled", rows(12, people=3))
    assert report("consensus", "skilled", "--method", "dawid_skene")["preferences"] == 12


def test_ratings_settle_to_means_and_the_best_and_worst_response(tmp_path: Path) -> None:
    scores = {"r1": [4, 3], "r2": [1, 2], "r3": [2, 2]}
    row = {
        "id": "rated",
        "prompt": "Rate",
        "responses": [{"id": key, "text": key} for key in scores],
        "human": [
            {
                "annotator": f"p{p}",
                "task": "rating",
                "aspect": "usefulness",
                "response": key,
                "value": given[p],
                "scale": [0, 4],
                "kind": "expert",
            }
            for key, given in scores.items()
            for p in range(2)
        ],
        "ai": [],
        "meta": {},
    }
    project = make_project(tmp_path, "rated", [row])
    assert report("consensus", "rated")["preferences"] == 1
    found = live(project, "rated")
    assert found.value == {"ratings": {"0": 3.5, "1": 1.5, "2": 2.0}}
    assert (found.chosen, found.rejected, found.margin, found.agreement) == (0, 1, 2.0, 1.0)


def contested(tmp_path: Path) -> Project:
    """Forty pairs; one person spoke on half of them, and the judge alpha says the opposite on every eighth."""
    made = rows(40, people=1)
    for place, row in enumerate(made):
        row["ai"] = [{**said, "value": row["human"][0]["value"]} for said in row["ai"]]
        if place % 8 == 0:
            row["ai"] = [{**said, "value": -said["value"]} for said in row["ai"]]
        if place % 2:
            row["human"] = []
    return make_project(tmp_path, "contested", made)


def test_fused_weighs_people_and_judges_together(tmp_path: Path) -> None:
    project = contested(tmp_path)
    report("consensus", "contested", "--method", "fused")
    both, one, against = (live(project, ref) for ref in ("q002", "q001", "q008"))
    assert (both.source, one.source, against.source) == ("fused", "ai", "fused")
    assert (both.method, len(both.labels), both.agreement) == ("fused", 2, 1.0)
    sure = {
        found.instance.ref: max(found.probability, 1 - found.probability) for found in (both, one, against)
    }
    # the person outweighs a judge that errs in a quarter
    assert sure["q002"] > max(sure["q008"], sure["q001"]) and min(sure.values()) > 0.5
    (person,) = Label.objects.filter(project=project, instance__ref="q008").by_people()
    assert against.chosen == int(person.value["strength"] > 0)
    assert 0 < against.margin < both.margin
    assert sum(both.value["shares"]) == pytest.approx(1, abs=1e-5)
    assert both.probability == pytest.approx(both.value["shares"][2] + both.value["shares"][1] / 2, abs=1e-5)


def test_fused_follows_no_route_and_an_adjudication_is_final(tmp_path: Path) -> None:
    project = contested(tmp_path)
    report("route", "contested", "--policy", "all_ai", "--budget", "0")
    say(project, "q008", "chief", 1, kind=Rater.Kind.ADJUDICATOR)
    report("consensus", "contested", "--method", "fused")
    assert (live(project, "q002").source, live(project, "q002").route) == ("fused", "ai")
    ruled = live(project, "q008")
    assert (ruled.source, ruled.chosen, ruled.raters) == ("human", 1, ["chief"])


@pytest.mark.parametrize(("whose", "counts"), [("human", {20: "human"}), ("ai", {40: "ai"})])
def test_one_kind_of_label_alone(whose: str, counts: dict[int, str], tmp_path: Path) -> None:
    project = contested(tmp_path)
    report("consensus", "contested", "--method", f"majority/{whose}")
    decided = Preference.objects.live().filter(project=project).exclude(chosen=None)
    assert {decided.count(): whose} == counts
    assert {found.source for found in decided} == {whose}
    with pytest.raises(Exception, match="There is no kind of label named 'al'"):
        report("consensus", "contested", "--method", "majority/al")


def test_an_asked_method_stands_until_the_projects_own_is_asked_for_again(tmp_path: Path) -> None:
    project = contested(tmp_path)
    report("consensus", "contested", "--method", "fused")
    say(project, "q001", "late", 1)
    assert settle(project).method == "fused"
    report("consensus", "contested")
    assert settle(project).method == "majority"
