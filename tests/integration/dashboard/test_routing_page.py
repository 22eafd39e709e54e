"""What stands beside a route: the pilot, whom to ask, prices, what a replay shows."""

from dashboard.forecasts import REPLAYED, replay_forecast
from ledger.models import Project, Rater
from tests.integration.dashboard.conftest import say
from tests.makers import make_instances

PATH = "/projects/words/"
ROUTE = {
    "policy": "defer",
    "judge": "gpt",
    "aim": "budget",
    "budget": "60",
    "aspect": "overall",
    "confidence": "0.95",
    "audit": "5",
}


def labelled(project: Project, count: int = 40) -> None:
    """Instances, a judge that always says 1, and three people of different minds."""
    make_instances(project, count)
    say(project, "gpt", {f"i{n}": 1 for n in range(count)}, kind=Rater.Kind.JUDGE)
    for name, odd in (("ann", 4), ("bob", 5), ("eve", 2)):
        say(project, name, {f"i{n}": 1 if n % odd else -1 for n in range(count)})


def test_the_page_says_how_to_begin(project, admin):
    page = admin.get(f"{PATH}routing/")
    found = page.context["advice"]
    assert (found.recommended, found.labelled, found.missing, found.enough) == (3, 0, 3, False)
    assert "Begin with a pilot: 3 instances" in page.content.decode()


def test_the_page_says_whom_to_ask_and_what_a_label_must_bring(project, admin):
    labelled(project)
    admin.post(f"{PATH}routing/start/", ROUTE)
    page = admin.get(f"{PATH}routing/")
    live = page.context["live"]
    assert page.context["advice"].enough
    assert sorted(each.name for each in page.context["choices"]) == ["ann", "bob", "eve"]
    worths = [each.worth for each in page.context["choices"]]
    assert worths == sorted(worths, reverse=True)
    assert page.context["prices"] == live.parameters["prices"] and len(page.context["prices"]) == 1
    assert all(each.ref for each in page.context["reasons"])
    text = page.content.decode()
    assert "Whom to ask" in text and "The shadow price" in text and "such as" in text


def test_the_open_work_is_shared_from_the_page(project, admin):
    labelled(project)
    answer = admin.post(f"{PATH}routing/share/", follow=True)
    assert "Nobody who may label here has labelled yet" in answer.content.decode()


def test_what_a_replay_shows_stands_on_the_page(project, admin):
    labelled(project)
    replay_forecast(project.aspects.get(name="overall"), "defer", "gpt")
    page = admin.get(f"{PATH}routing/")
    findings = page.context["forecast"].findings
    assert findings["regret"]["mean"] >= 0 and findings["differs"]["n"] > 0
    assert len(page.context["calibration"].bars) == len(findings["differs"]["reliability"]["n"])
    assert "What a replay shows" in page.content.decode()


def test_the_predictor_and_the_reward_model_of_a_replay_stand_on_the_page(project, admin):
    labelled(project, 240)  # of which a pilot's tenth is enough to predict from
    admin.post(f"{PATH}routing/start/", ROUTE | {"policy": "hyper_fixed"})
    replay_forecast(project.aspects.get(name="overall"), "hyper_fixed", "gpt")
    page = admin.get(f"{PATH}routing/")
    findings, text = page.context["forecast"].findings, page.content.decode()
    assert [point["budget"] for point in findings["probe"]] == list(REPLAYED)
    assert "A reward model trained on what is settled, held out" in text
    assert f'<td>25 %</td><td class="r">{findings["probe"][3]["mean"]:.2f}</td>' in text
    assert f"Spearman {findings['predictor']['spearman']:.2f} ±" in text
