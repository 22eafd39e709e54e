"""A project at a glance: figures, forecast, reasons, judges beside people, next; what it costs to show."""

import time

import pytest
from django.core.cache import cache

from dashboard.facts import facts_of
from dashboard.forecasts import replay_forecast
from dashboard.remembering import remembered, watermark
from ledger.imports.load import import_file
from ledger.models import Rater
from routing.actions import route, settle
from routing.planning import Request
from tests.integration.dashboard.conftest import client_of, say
from tests.makers import import_rows, make_instances, make_project

PATH = "/projects/words/"


def next_words(client) -> list[str]:
    return [str(step.link) for step in client.get(PATH).context["steps"]]


def test_next_follows_the_state(project, admin, empty_cache):
    empty = make_project("empty")
    assert [str(s.link) for s in client_of(empty.owner).get("/projects/empty/").context["steps"]] == [
        "Import"
    ]
    assert next_words(admin) == ["Judge", "Invite"]
    say(project, "gpt", {"i0": 1, "i1": -1, "i2": 1}, kind=Rater.Kind.JUDGE)
    assert next_words(admin) == ["Route", "Invite", "Export"]
    route(project, Request(policy="random", seed=1, budget=0.4))
    assert next_words(admin) == ["Invite", "Export"]
    say(project, "ann", {"i0": 1, "i1": 1, "i2": 1})
    say(project, "bob", {"i0": -1, "i1": -1, "i2": -1})
    settle(project)
    assert "See them" in next_words(admin)
    admin.post(f"{PATH}settings/archive/")
    assert next_words(admin) == ["Open it again"]


def test_a_reviewer_is_told_only_what_a_reviewer_can_do(project, member):
    assert next_words(member("reviewer")) == []


def test_facts_count_instances_once(project):
    say(project, "ann", {"i0": 1, "i1": 1})
    say(project, "bob", {"i0": -1})
    say(project, "gpt", {"i0": 1}, kind=Rater.Kind.JUDGE, order=(0, 1), cost="0.002")
    say(project, "gpt", {"i0": 1}, kind=Rater.Kind.JUDGE, order=(1, 0), cost="0.001")
    facts = facts_of(project)
    assert (facts.instances, facts.fresh, facts.by_people, facts.by_judges) == (3, 3, 2, 1)
    assert float(facts.spent) == pytest.approx(0.003)


def test_the_forecast_says_what_it_needs(project, admin):
    assert "run `judge` first" in admin.get(PATH).context["forecast"].refused
    say(project, "gpt", {"i0": 1}, kind=Rater.Kind.JUDGE)
    say(project, "ann", {"i0": 1})
    assert "1 of the 20" in admin.get(PATH).context["forecast"].refused


def test_a_replay_takes_the_place_of_the_mixture(project, admin):
    """Two people each, so that one's label can be held against the other's."""
    make_labelled(project)
    say(project, "bob", {f"i{n}": 1 if n % 3 else -1 for n in range(30)})
    aspect = project.aspects.get(name="overall")
    assert admin.get(PATH).context["forecast"].policy == ""
    replay_forecast(aspect, "defer", "gpt")
    found = admin.get(PATH).context["forecast"]
    assert (found.policy, found.both, len(found.points)) == ("defer", 30, 7)
    assert found.chance[-1].mean == pytest.approx(1.0) and found.points[0].mean == pytest.approx(
        2 / 3, abs=0.05
    )
    assert "Replayed: what defer would have brought" in admin.get(PATH).content.decode()


def test_without_a_second_voice_the_policy_is_forecast_from_labels_held_out(project, admin):
    make_labelled(project, 60)
    assert admin.get(PATH).context["forecast"].policy == ""
    replay_forecast(project.aspects.get(name="overall"), "defer", "gpt")
    found = admin.get(PATH).context["forecast"]
    assert (found.policy, found.held_out, found.twice, len(found.points), found.both) == (
        "defer",
        True,
        0,
        7,
        60,
    )
    assert found.points[0].low < 2 / 3 < found.points[0].high
    assert "each held out in turn" in admin.get(PATH).content.decode()


def test_labels_that_a_policy_chose_make_no_forecast_of_their_own(project, admin):
    """Thirty instances that uncertainty sent to people: what they show is not what the rest is like."""
    make_instances(project, 60)
    say(project, "gpt", {f"i{n}": 1 for n in range(60)}, kind=Rater.Kind.JUDGE)
    live, _ = route(project, Request(policy="uncertainty", seed=1, budget=0.5))
    chosen = live.decisions.filter(way="human").values_list("instance__ref", flat=True)
    say(project, "ann", dict.fromkeys(chosen, -1))
    replay_forecast(project.aspects.get(name="overall"), "defer", "gpt")
    found = admin.get(PATH).context["forecast"]
    assert (found.both, found.policy, len(found.points)) == (30, "", 11)


@pytest.mark.parametrize("budget", ["101", "-1", "x", "1e9"])
def test_a_budget_outside_0_to_100_is_refused(project, admin, budget):
    make_labelled(project)
    assert admin.get(PATH, {"budget": budget}).status_code == 422


def make_labelled(project, count: int = 30) -> None:
    """Instances that a person and a judge both labelled, of one mind in two of three."""
    make_instances(project, count)
    say(project, "gpt", {f"i{n}": 1 for n in range(count)}, kind=Rater.Kind.JUDGE)
    say(project, "ann", {f"i{n}": 1 if n % 3 else -1 for n in range(count)})


def test_the_slider_asks_for_the_picture_alone(project, admin):
    make_labelled(project)
    part = admin.get(PATH, {"budget": "45"}, headers={"HX-Request": "true"})
    text = part.content.decode()
    assert "<html" not in text and "<svg" in text and "45 %:" in text and "Route at 45 %" in text
    assert "HX-Request" in part["Vary"]
    whole = admin.get(PATH, {"budget": "45"}).content.decode()
    assert "Route at 45 %" in whole and "<noscript>" in whole


def test_a_judge_below_the_baseline_says_so(project, admin):
    longer = [
        {
            "id": f"b{n}",
            "prompt": f"p{n}",
            "responses": [{"text": "short"}, {"text": "much longer " * (n + 2)}],
        }
        for n in range(60)
    ]
    import_rows(project, longer)
    say(project, "ann", {f"b{n}": 1 if n % 4 else -1 for n in range(60)})
    say(project, "contrary", {f"b{n}": -1 if n % 4 else 1 for n in range(60)}, kind=Rater.Kind.JUDGE)
    page = admin.get(PATH).content.decode()
    assert "below the baseline" in page
    assert "contrary agrees with people less than taking the longer response would." in page
    assert "contrary agrees with people less" in admin.get(f"{PATH}routing/").content.decode()


def test_reasons_lead_to_their_instances(project, admin):
    say(project, "gpt", {"i0": 1, "i1": -1, "i2": 1}, kind=Rater.Kind.JUDGE)
    route(project, Request(policy="random", seed=1, budget=0.7))
    why = admin.get(PATH).context["reasons"][0]
    assert (why.sentence, why.instances, why.share) == ("Drawn by lot.", 2, 1.0)
    found = admin.get(f"{PATH}instances/", {"way": "human", "reason": why.skeleton})
    assert len(found.context["rows"]) == 2


# ---------------------------------------------------------------- cost


def test_a_statistic_is_kept_until_a_label_arrives(project):
    calls = []

    def compute():
        calls.append(1)
        return len(calls)

    now = [100.0]
    get = lambda: remembered(project, "x", str(watermark(project)), compute, clock=lambda: now[0])  # noqa: E731
    assert (get(), get()) == (1, 1)
    say(project, "ann", {"i0": 1})
    assert get() == 2
    cache.clear()


def test_while_labels_stream_in_a_stale_figure_stands_for_a_while(project):
    now = [100.0]

    def slow():
        now[0] += 1.0  # a second's work
        return now[0]

    get = lambda mark: remembered(project, "y", mark, slow, clock=lambda: now[0])  # noqa: E731
    first = get("1")
    now[0] += 10
    assert get("2") == first  # 20 seconds' patience for a second's work
    now[0] += 15
    assert get("2") > first


def test_queries_of_the_overview(project, admin, django_assert_num_queries):
    make_labelled(project)
    route(project, Request(policy="random", seed=1, budget=0.4))
    settle(project)
    admin.get(PATH)
    # user, member with project, counts, live route id, watermark (facts), live route with aspect and judge, aspects,
    # watermark (forecast), labels exist, watermark (judges), watermark (people), undecided, the last run,
    # newest snapshot, reasons, running judges, unseen notices, open flags
    with django_assert_num_queries(18):
        admin.get(PATH)


@pytest.mark.slow
def test_the_overview_of_a_real_set_answers_in_300_ms(db, shared_data, empty_cache):
    project = make_project("mt", template="blank")
    import_file(project, shared_data("mtbench"))
    client = client_of(project.owner)
    client.get("/projects/mt/")
    assert min(timed(client) for _ in range(3)) < 0.3


def timed(client) -> float:
    began = time.perf_counter()
    assert client.get("/projects/mt/").status_code == 200
    return time.perf_counter() - began
