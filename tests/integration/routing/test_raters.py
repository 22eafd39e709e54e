"""Whom to ask: errors by skill over pay, and the open work shared out by them."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from accounts.rights import Role
from ledger.actions import NewLabel, add_member, person_for, write_labels
from ledger.models import Instance, Label, Project
from ledger.project_settings import change_member_settings, change_settings
from routing.actions import share_work
from routing.loading import load
from routing.pay import expected_pay, meets, pay_of_member
from routing.planning import Request, owner_prices, plan, whole_prices
from routing.raters import Choice, choices, expected_errors, shares
from routing.table import Known
from tests.integration.routing.making import make_project, report, rows

pytestmark = pytest.mark.django_db

WRONG = {"good": 0, "solid": 0, "fair": 5, "poor": 2}  # one label in so many is wrong; 0: none


def strength(name: str, number: int) -> int:
    truth = 1 if number % 2 else -1
    return -truth if WRONG[name] and number % WRONG[name] == 0 else truth


def made(tmp_path: Path) -> Project:
    """Sixty instances whose truth alternates; the judge is right in half; four people of different skill and pay."""
    project = make_project(tmp_path, "skilled", rows(80), overlap=3)
    aspect = project.aspects.get()
    labelled = list(Instance.objects.filter(project=project).order_by("pk")[:60])
    for name in WRONG:
        member = add_member(project, email=f"{name}@test.local", role=Role.ANNOTATOR)
        rater = person_for(member.user, project)
        labels = [
            NewLabel(
                instance=each, aspect=aspect, value={"strength": strength(name, place)}, duration_ms=60_000
            )
            for place, each in enumerate(labelled)
        ]
        write_labels(project=project, rater=rater, labels=labels)
    return project


def short(choice: Choice) -> str:
    return choice.name.split("@")[0]


def pay(project: Project, name: str, amount: float) -> None:
    change_member_settings(project.members.get(user__email=f"{name}@test.local"), {"hourly_pay": amount})


def test_an_error_is_what_the_others_say_drawn_towards_everybodys() -> None:
    """Ten items; 0 and 1 always agree; 2 differs on all: where both others agree, 0 and 1 face a tie with 2."""
    items, raters = np.tile(np.arange(10), 3), np.repeat([0, 1, 2], 10)
    verdicts = np.r_[np.ones(20, dtype=int), -np.ones(10, dtype=int)]
    error, compared, low, high = expected_errors(Known(items, raters, verdicts), 10, 3)
    assert compared.tolist() == [0, 0, 10]
    everybody = 1.4 / 12
    assert error[2] == pytest.approx(1 - 10 * everybody / 20)
    assert error[0] == pytest.approx(1 - everybody)
    assert (low[0], high[0]) == (0.0, 1.0) and low[2] > 0.7


def test_labels_that_are_worth_most_for_their_money_come_first(tmp_path: Path) -> None:
    project = made(tmp_path)
    found = {short(each): each for each in choices(load(project))}
    assert found["good"].error < found["fair"].error < found["poor"].error
    assert found["good"].seconds == 60 and found["good"].price == pytest.approx(18 / 60)
    assert [short(each) for each in choices(load(project))] == ["good", "solid", "fair", "poor"]
    pay(project, "good", 180.0)
    again = choices(load(project))
    assert [short(each) for each in again][:2] == ["solid", "fair"]
    assert next(each for each in again if short(each) == "good").worth == pytest.approx(
        found["good"].worth / 10
    )


def test_the_open_work_is_shared_by_worth_and_none_goes_where_there_is_none(tmp_path: Path) -> None:
    project = made(tmp_path)
    report("route", "skilled", "--policy", "all_human", "--budget", "1", "--seed", "1")
    found = choices(load(project))
    part = shares(found)
    assert sum(part.values()) == pytest.approx(1.0)
    worth = {short(each): each for each in found}
    assert worth["poor"].worth < worth["fair"].worth
    given = share_work(project)
    assert len(given) == 4
    quotas = {
        member.user.email.split("@")[0]: member.settings["quota"]["total"]
        for member in project.members.filter(role=Role.ANNOTATOR).select_related("user")
    }
    assert quotas["good"] == quotas["solid"] > quotas["fair"] > quotas["poor"] >= 1
    assert sum(quotas.values()) - 1 == 75  # twenty instances with three places each, and a quarter to spare


def test_pay_is_the_members_own_else_their_groups_else_the_projects(tmp_path: Path) -> None:
    project = made(tmp_path)
    change_settings(project, {"hourly_pay": 10, "groups": {"law": ["domain:law"]}, "group_pay": {"law": 40}})
    good = project.members.get(user__email="good@test.local")
    change_member_settings(good, {"groups": ["law"]})
    assert [pay_of_member(project, member) for member in (good, None)] == [40.0, 10.0]
    assert expected_pay(project) == pytest.approx(17.5)
    pay(project, "good", 25.0)
    assert expected_pay(project) == pytest.approx(13.75)


def test_an_instance_that_needs_a_skill_costs_what_those_who_have_it_are_paid(tmp_path: Path) -> None:
    found = rows(6)
    for place, row in enumerate(found):
        row["meta"] = {"domain": "law" if place < 2 else "cooking"}
        row["responses"] = [{"text": "same words here"}, {"text": "same words there"}]
    project = make_project(tmp_path, "domains", found)
    lawyer = add_member(project, email="lawyer@test.local", role=Role.ANNOTATOR)
    add_member(project, email="anyone@test.local", role=Role.ANNOTATOR)
    change_member_settings(lawyer, {"skills": ["domain:law"], "hourly_pay": 90})
    rule = {"when": {"domain": ["law"]}, "need": ["domain:law"]}
    change_settings(project, {"hourly_pay": 30, "skill_rules": [rule]})
    prices = owner_prices(load(project))
    assert prices[0] / prices[2] == pytest.approx(90 / 60)  # the mean of both is 60
    assert meets({"domain": ["law", "tax"]}, rule["when"]) and not meets({}, rule["when"])


def test_a_person_costs_more_where_the_judges_label_is_still_to_be_bought(tmp_path: Path) -> None:
    """The judge has labelled 12 of 20 instances, for 0.5 each."""
    project = make_project(tmp_path, "bought", rows(20, judged=12))
    judge = project.raters.get(name="alpha")
    labels = [
        NewLabel(label.instance, label.aspect, label.value, order=label.order, cost=Decimal("0.5"))
        for label in Label.objects.live().filter(rater=judge).select_related("instance", "aspect")
    ]
    write_labels(project=project, rater=judge, labels=labels)
    planned = plan(project, Request(policy="defer", seed=1, budget=0.5))
    people = owner_prices(planned.loaded)
    missing = np.arange(20) >= 12
    whole = people + 0.5 * missing
    np.testing.assert_allclose(whole_prices(planned.loaded), whole)
    np.testing.assert_allclose(planned.value, planned.gain / (whole / whole.mean()))
    assert planned.report()["judge_cost"] == 8 * 0.5
    assert planned.cost == pytest.approx(people[planned.human].sum())  # what people cost, without the judge
    change_settings(project, {"hourly_pay": 0})
    np.testing.assert_array_equal(whole_prices(load(project)), np.ones(20))
