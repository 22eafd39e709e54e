"""A project's own judges and model servers on the dashboard: added, changed, refused, taken away."""

import json
from dataclasses import replace

import pytest

from judges.actions import start_run
from judges.catalog import CATALOG, from_json
from judges.keys import opened
from judges.methods import METHODS
from judges.models import Endpoint, Judge, JudgeRun
from judges.offering import ENCODERS, EXPLAINING, Chosen, choices_of, offer_of, spec_from
from judges.representations import ENCODERS as REGISTERED
from judges.specs import add_judge, set_endpoint
from tests.integration.dashboard.conftest import client_of
from tests.makers import make_user

PATH = "/projects/words/judges/"
URL = "https://models.example.org/v1"


def filled(method: str, **given: str) -> dict[str, str]:
    """The form of a method as a browser sends it untouched, with what a person adds."""
    body = {"method": method}
    for parameter in offer_of(method).parameters:
        value = parameter.default
        if parameter.kind == "switch":
            body |= {f"p_{parameter.name}": "on"} if value else {}
        elif parameter.kind in ("lines", "numbers"):
            body[f"p_{parameter.name}"] = "\n".join(map(str, value))
        else:
            body[f"p_{parameter.name}"] = "" if parameter.kind == "pairs" else str(value)
    return body | given


ANSWERERS = {
    "probe": {"b_judge": "probe", "m_judge": "minilm"},
    "reward": {"b_judge": "reward-model", "m_judge": "bundled:smollm2"},
    "verifier": {"b_checker": "checks"},
    "vision": {"b_judge": "endpoint:far", "m_judge": "sees"},
    "jury": {"jurors": ["smollm2", "length"]},
}
HERE = {"b_judge": "transformers", "m_judge": "bundled:smollm2"}


@pytest.fixture
def far(project):
    return set_endpoint(project=project, name="far", url=URL, key="sk-1", prices={"read": 1.0})


@pytest.mark.parametrize("method", METHODS.names())
def test_every_method_can_be_added_and_opens_again_as_it_was_filled_in(method, project, far, admin):
    page = admin.get(f"{PATH}new/", {"method": method}).content.decode()
    assert 'name="name"' in page
    form = filled(method, name="mine", **ANSWERERS.get(method, HERE))
    answer = admin.post(f"{PATH}new/", form)
    assert answer.status_code == 302, answer.context["form"].errors
    made = Judge.objects.get(name="mine")
    assert made.author == project.owner
    spec = from_json(made.spec)
    assert set(spec.methods) == METHODS.load(method).task_types
    again = admin.get(f"{PATH}of/mine/change/").content.decode()
    assert "bundled:smollm2" in again or method in ("probe", "verifier", "vision", "jury")
    assert admin.post(f"{PATH}of/mine/change/", form).status_code == 302
    made.refresh_from_db()
    assert from_json(made.spec) == spec


@pytest.mark.parametrize(
    ("method", "given", "said"),
    [
        ("pairwise", {"name": "length", **HERE}, "There is a judge &#x27;length&#x27; already"),
        ("pairwise", {"name": "?", **HERE}, "Letters, digits"),
        ("pairwise", {"name": "x", "b_judge": "transformers"}, "Name the model."),
        ("pairwise", {"name": "x", "b_judge": "endpoint:none", "m_judge": "m"}, "Select a valid choice"),
        ("pairwise", {"name": "x", "b_judge": "llama.cpp", "m_judge": "/etc/passwd"}, "operator can add"),
        ("pairwise", {"name": "x", "b_judge": "transformers", "m_judge": "judges/methods"}, "operator can add"),
        ("vision", {"name": "x", **HERE}, "Select a valid choice"),
        ("follow-up", {"name": "x", "b_judge": "llama.cpp", "m_judge": "m"}, "Select a valid choice"),
        ("jury", {"name": "x", "jurors": ["length"]}, "at least two judges"),
        ("principles", {"name": "x", **HERE, "p_weights": "much"}, "One number a line"),
        ("pairwise", {"name": "x", "b_judge": "length", "rationale": "on"}, "Only a model that writes"),
        ("pairwise", {"name": "x", **HERE, "p_system": ""}, "must not be empty"),
        ("generative", {"name": "x", **HERE, "p_samples": "0"}, "samples must lie between 1 and 64"),
        ("principles", {"name": "x", **HERE, "p_principles": "a", "p_weights": "1\n2"}, "needs one weight"),
    ],
)  # fmt: skip
def test_what_could_not_run_is_refused_with_the_reason(method, given, said, project, admin):
    answer = admin.post(f"{PATH}new/", filled(method, **given))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert said in text
    assert not Judge.objects.exists()


def test_a_probe_reads_what_the_shipped_one_reads_unless_another_is_chosen(project, admin):
    page = admin.get(f"{PATH}new/", {"method": "probe"}).content.decode()
    assert '<option value="smollm2" selected>' in page and '<option value="minilm">' in page
    assert set(ENCODERS) == set(REGISTERED.names())
    admin.post(f"{PATH}new/", filled("probe", name="mine", b_judge="probe", m_judge="smollm2"))
    own, shipped = from_json(Judge.objects.get().spec), CATALOG["probe"]
    assert (own.backends, own.methods) == (shipped.backends, shipped.methods)
    assert Chosen("probe").spec() == shipped.backends["judge"]
    answer = admin.post(f"{PATH}new/", filled("probe", name="other", b_judge="probe", m_judge="bert"))
    assert answer.status_code == 422 and "Select a valid choice" in answer.content.decode()


@pytest.mark.parametrize("method", sorted(set(METHODS.names()) - EXPLAINING))
def test_another_model_may_explain_what_a_judge_that_writes_nothing_says(method, project, far, admin):
    form = filled(method, name="mine", **ANSWERERS.get(method, HERE))
    form |= {"rationale": "on", "b_explainer": "endpoint:far", "m_explainer": "writer"}
    answer = admin.post(f"{PATH}new/", form)
    assert answer.status_code == 302, answer.context["form"].errors
    spec = from_json(Judge.objects.get().spec)
    assert spec.rationale == "explainer"
    assert spec.backends["explainer"].options == {"endpoint": "far", "model": "writer"}
    again = choices_of(spec)
    assert again is not None and again.played["explainer"] == Chosen("endpoint:far", "writer")


def test_an_unknown_method_is_named(project, admin):
    assert "pairwise" in admin.get(f"{PATH}new/", {"method": "pairwis"}).content.decode()


def test_a_rubric_and_principles_of_its_own_are_part_of_the_judge(project, admin):
    own = {"p_criterion": "Is it kind?", "p_levels": "cruel\nfair\nkind", "name": "kind"}
    admin.post(f"{PATH}new/", filled("rubric", **own, **HERE))
    method = from_json(Judge.objects.get().spec).methods["rating"]
    assert (method.parameters["criterion"], method.parameters["levels"]) == (
        "Is it kind?", ["cruel", "fair", "kind"],
    )  # fmt: skip
    admin.post(
        f"{PATH}new/",
        filled("principles", name="just", p_principles="Be honest.\nBe brief.", p_weights="2\n1", **HERE),
    )
    method = from_json(Judge.objects.get(name="just").spec).methods["pairwise"]
    assert method.parameters["principles"] == ["Be honest.", "Be brief."]
    assert method.parameters["weights"] == [2.0, 1.0]


def test_a_changed_prompt_is_another_version_and_the_old_run_keeps_its_own(project, admin):
    admin.post(f"{PATH}new/", filled("pairwise", name="mine", b_judge="length"))
    first = start_run(project=project, judge="mine", queued=False).version
    admin.post(f"{PATH}of/mine/change/", filled("pairwise", b_judge="length", p_system="Judge well."))
    second = start_run(project=project, judge="mine", queued=False).version
    assert first.hash != second.hash
    assert "Judge well." in json.dumps(second.spec) and "Judge well." not in json.dumps(first.spec)
    admin.post(f"{PATH}of/mine/drop/")
    assert not Judge.objects.exists() and JudgeRun.objects.count() == 2


def test_shipped_judges_can_neither_be_changed_nor_taken_away(project, admin):
    assert admin.get(f"{PATH}of/length/change/").status_code == 404
    assert admin.post(f"{PATH}of/length/drop/").status_code == 404


def test_a_run_takes_its_budget_from_the_page(project, far, admin):
    admin.post(f"{PATH}new/", filled("pairwise", name="mine", b_judge="endpoint:far", m_judge="m"))
    page = admin.get(PATH).content.decode()
    assert 'name="budget"' in page and "try it first to see the cost" in page
    admin.post(f"{PATH}run/", {"judge": "mine", "limit": "2", "budget": "0.5"})
    run = JudgeRun.objects.get()
    assert (run.total, float(run.budget)) == (2, 0.5)
    assert "stops before $ 0.50" in admin.get(f"{PATH}runs/{run.pk}/").content.decode()
    answer = admin.post(f"{PATH}run/", {"judge": "mine", "budget": "-1"}, follow=True)
    assert "greater than or equal to 0" in answer.content.decode()
    assert JudgeRun.objects.count() == 1


# ---------------------------------------------------------------- endpoints


SERVER = {
    "url": URL,
    "key": "sk-very-secret",
    "concurrency": "4",
    "rate": "2",
    "read": "0.5",
    "written": "1.5",
}


def test_a_server_is_kept_with_its_key_sealed_and_never_shown(project, admin):
    assert admin.post(f"{PATH}endpoints/", {"name": "far", **SERVER}).status_code == 302
    made = Endpoint.objects.get()
    assert b"secret" not in bytes(made.key) and opened(made.key) == "sk-very-secret"
    assert (made.concurrency, made.rate, made.prices) == (4, 2.0, {"read": 0.5, "written": 1.5})
    for path in (f"{PATH}endpoints/", f"{PATH}endpoints/{made.pk}/", PATH):
        text = admin.get(path).content.decode()
        assert "secret" not in text and bytes(made.key).decode() not in text
    assert "kept, encrypted" in admin.get(f"{PATH}endpoints/").content.decode()


def test_a_refused_form_does_not_send_the_key_back(project, admin):
    answer = admin.post(f"{PATH}endpoints/", {"name": "far", **SERVER, "concurrency": "0"})
    assert answer.status_code == 422 and "secret" not in answer.content.decode()
    assert not Endpoint.objects.exists()


def test_an_empty_key_keeps_the_old_one_and_another_server_never_gets_it(project, far, admin):
    path = f"{PATH}endpoints/{far.pk}/"
    admin.post(path, SERVER | {"key": "", "url": f"{URL}/"})
    far.refresh_from_db()
    assert opened(far.key) == "sk-1"
    admin.post(path, SERVER | {"key": "", "url": "https://elsewhere.example.org/v1"})
    far.refresh_from_db()
    assert far.url == "https://elsewhere.example.org/v1" and opened(far.key) == ""
    admin.post(path, SERVER | {"url": far.url})
    far.refresh_from_db()
    assert opened(far.key) == "sk-very-secret"
    admin.post(path, SERVER | {"url": far.url, "key": "", "forget": "on"})
    far.refresh_from_db()
    assert opened(far.key) == ""


@pytest.mark.parametrize(
    "url",
    ["http://models.example.org/v1", "https://127.0.0.1/v1", "https://[::1]/v1", "https://localhost:8000/v1",
     "https://169.254.169.254/", "https://10.0.0.1/v1", "ftp://x/", "models", "https://user:pw@example.org/v1",
     "https://example.org:99999/v1"],
)  # fmt: skip
def test_private_and_odd_addresses_are_refused_at_sight(url, project, admin, settings):
    settings.PRIVATE_ENDPOINTS = False
    assert admin.post(f"{PATH}endpoints/", {"name": "far", **SERVER, "url": url}).status_code == 422
    assert not Endpoint.objects.exists()


def test_the_operator_may_allow_private_servers(project, admin, settings):
    settings.PRIVATE_ENDPOINTS = True
    form = {"name": "near", **SERVER, "url": "http://127.0.0.1:8000/v1"}
    assert admin.post(f"{PATH}endpoints/", form).status_code == 302


def test_a_server_that_a_judge_calls_stays(project, far, admin):
    admin.post(f"{PATH}new/", filled("pairwise", name="mine", b_judge="endpoint:far", m_judge="m"))
    page = admin.post(f"{PATH}endpoints/{far.pk}/drop/", follow=True).content.decode()
    assert "far is called by mine." in page and Endpoint.objects.exists()
    admin.post(f"{PATH}of/mine/drop/")
    admin.post(f"{PATH}endpoints/{far.pk}/drop/")
    assert not Endpoint.objects.exists()
    assert admin.post(f"{PATH}endpoints/", {"name": "far", **SERVER, "key": ""}).status_code == 302
    assert opened(Endpoint.objects.get().key) == ""


def test_two_servers_have_two_names(project, far, admin):
    answer = admin.post(f"{PATH}endpoints/", {"name": "far", **SERVER})
    assert answer.status_code == 422 and "already" in answer.content.decode()
    far.refresh_from_db()
    assert opened(far.key) == "sk-1"


def test_another_projects_server_is_not_found(project, far, admin):
    from ledger.actions import create_project

    other = client_of(make_user("other@test.local"))
    create_project(slug="theirs", template="blank", owner=make_user("other@test.local"))
    assert other.get(f"/projects/theirs/judges/endpoints/{far.pk}/").status_code == 404
    assert other.post(f"/projects/theirs/judges/endpoints/{far.pk}/drop/").status_code == 404
    form = filled("pairwise", name="thief", b_judge="endpoint:far", m_judge="m")
    assert other.post("/projects/theirs/judges/new/", form).status_code == 422
    assert Endpoint.objects.exists() and not Judge.objects.exists()


def test_archived_projects_are_left_alone(project, admin):
    project.archived = project.created
    project.save()
    assert admin.get(f"{PATH}new/").status_code == 409
    assert admin.post(f"{PATH}endpoints/", {"name": "far", **SERVER}).status_code == 409


# ---------------------------------------------------------------- offering


@pytest.mark.parametrize("method", METHODS.names())
def test_every_parameter_is_explained(method):
    offer = offer_of(method)
    assert offer.about
    assert [one.name for one in offer.parameters if not one.help] == []


def test_a_reference_changes_who_plays(project):
    alone = spec_from(
        "implicit-reward", name="a", parameters={}, played={"judge": Chosen("transformers", "m")}
    )
    assert alone.methods["pairwise"].parameters["own"] is True
    both = spec_from(
        "implicit-reward",
        name="a",
        parameters={},
        played={"judge": Chosen("transformers", "m"), "reference": Chosen("transformers", "n", 512)},
    )
    assert both.methods["pairwise"].parameters["own"] is False
    assert choices_of(both).played["reference"] == Chosen("transformers", "n", 512)


def test_a_jury_of_juries_is_refused(project, admin):
    add_judge(project=project, spec=replace(CATALOG["length"], name="two"), author=None)
    admin.post(f"{PATH}new/", filled("jury", name="first", jurors=["two", "length"]))
    answer = admin.post(f"{PATH}new/", filled("jury", name="second", jurors=["first", "length"]))
    assert "cannot sit in a jury" in answer.content.decode()
