"""What an annotator's browser never gets: models' names, AI labels, others' labels, gold status, metadata, repeats."""

import re

import pytest
from django.urls import get_resolver

from annotate.actions import set_gold
from annotate.models import Assignment, Seat
from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Instance, Label, Rater
from ledger.project_settings import change_settings
from tests.makers import Caller, import_rows, make_annotator, make_answers, make_project

pytestmark = pytest.mark.django_db

SECRETS = {
    "a model's name": "zebra-70b",
    "a response's id of import": "from-yak",
    "a judge": "owl-judge",
    "a judge's rationale": "because the owl says so",
    "another person": "eve@elsewhere.local",
    "another person's comment": "eve prefers the second",
    "a known answer's explanation": "the key says why",
    "metadata": "found-in-the-attic",
    "gold": "gold",
    "a probe": "probe",
    "a repeat": "repeat",
}


def row(number):
    human = {
        "annotator": "imported-eve",
        "kind": "crowd",
        "task": "pairwise",
        "aspect": "overall",
        "value": 1,
    }
    return {
        "id": f"i{number}",
        "prompt": f"Question {number}?",
        "responses": [
            {"id": f"from-yak-{n}", "text": f"Answer {n} to {number}.", "model": f"zebra-70b-{n}"}
            for n in (0, 1)
        ],
        "human": [human | {"comment": "eve prefers the second"}] if number == 0 else [],
        "ai": [{"judge": "owl-judge", "task": "pairwise", "aspect": "overall", "value": -1}],
        "meta": {"source": "found-in-the-attic"},
    }


@pytest.fixture
def project():
    """Every instance is labelled by a judge and by Eve, and its answer is known."""
    project = make_project(overlap=3)
    import_rows(project, [row(number) for number in range(8)])
    eve = make_annotator(project, "eve@elsewhere.local")[1]
    judge = ensure_rater(project, kind=Rater.Kind.JUDGE, name="owl-judge/second")
    overall = project.aspects.get(name="overall")
    for instance in Instance.objects.filter(project=project).select_related("project"):
        for rater, rationale in ((eve, "eve prefers the second"), (judge, "because the owl says so")):
            label = NewLabel(instance=instance, aspect=overall, value={"strength": 1}, rationale=rationale)
            write_labels(project=project, rater=rater, labels=[label])
        if instance.ref > "i3":
            set_gold(instance, {"overall": {"strength": 2}}, explanation="the key says why")
    return project


def leaks(response):
    """The secrets that an answer carries, in its body or its headers."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    sent = (body.decode(errors="replace") + repr(dict(response.headers))).lower()
    return [what for what, secret in SECRETS.items() if secret in sent]


def pages_of(client, pk):
    """Every page and fragment that an annotator's browser asks for, with everything that it can post."""
    work = "/projects/words/work/"
    fields = {f"a{aspect}.strength": "1" for aspect in Label.objects.values_list("aspect", flat=True)}
    every = {f"a{aspect.pk}.strength": "1" for aspect in Instance.objects.first().project.aspects.all()}
    htmx = {"HX-Request": "true"}
    yield client.get("/", follow=True)
    yield client.get(work)
    yield client.get(work, headers=htmx)
    yield client.get(f"{work}guidelines/")
    yield client.get("/settings/")
    yield client.post(f"{work}{pk}/draft/", fields)
    yield client.post(f"{work}{pk}/heartbeat/")
    yield client.post(f"{work}{pk}/submit/", {})
    yield client.post(f"{work}{pk}/submit/", {}, headers=htmx)
    yield client.post(f"{work}{pk}/submit/", every, headers=htmx)
    yield client.post(f"{work}{pk}/submit/", every)
    yield client.get(f"{work}back/", follow=True)
    yield client.get(f"{work}{pk}/")
    yield client.get(f"{work}{pk}/", headers=htmx)
    yield client.post(f"{work}{pk}/correct/", every, follow=True)
    now = Assignment.objects.get(status="leased").pk
    yield client.post(f"{work}{now}/flag/", {"flag_words": "odd"}, follow=True)
    now = Assignment.objects.get(status="leased").pk
    yield client.post(f"{work}{now}/skip/", {}, headers=htmx)


@pytest.mark.parametrize("mixed", [{}, {"gold": {"rate": 1.0}}, {"probes": {"rate": 1.0, "gap": 1}}])
def test_no_page_and_no_fragment_tells(client, project, mixed):
    user, _, token = make_annotator(project)
    change_settings(project, mixed)
    client.force_login(user)
    caller = Caller(client, token)
    for _ in range(3):
        task = caller.post("projects/words/next/").json()
        caller.post(f"assignments/{task['assignment']}/submit/", {"answers": make_answers()})
    now = caller.post("projects/words/next/").json()["assignment"]
    for response in pages_of(client, now):
        assert response.status_code < 500
        assert leaks(response) == [], response.request["PATH_INFO"]


@pytest.mark.parametrize("mixed", [{}, {"gold": {"rate": 1.0}}, {"probes": {"rate": 1.0, "gap": 1}}])
def test_no_api_answer_tells(client, project, mixed):
    ann = Caller(client, make_annotator(project)[2])
    change_settings(project, mixed)
    for _ in range(4):
        given = ann.post("projects/words/next/")
        pk = given.json()["assignment"]
        answers = [
            given,
            ann.post(f"assignments/{pk}/heartbeat/"),
            ann.post(f"assignments/{pk}/submit/", {"answers": {}}),
            ann.post(f"assignments/{pk}/submit/", {"answers": make_answers()}),
            ann.post(f"assignments/{pk}/submit/", {"answers": make_answers()}),
            ann.post(f"assignments/{pk}/skip/"),
        ]
        assert [leaks(answer) for answer in answers] == [[]] * 6
    for path in ("projects/", "projects/words/"):
        assert leaks(ann.get(path)) == []


TABS = (
    "",
    "instances/",
    "instances/i0/",
    "judges/",
    "routing/",
    "quality/",
    "people/",
    "exports/",
    "settings/",
)


def test_every_other_address_of_the_project_refuses_an_annotator(client, project):
    """The dashboard's pages and the API's, as they are registered: whatever is added is refused or tells nothing."""
    user, _, token = make_annotator(project)
    client.force_login(user)
    caller = Caller(client, token)
    api = next(p for p in get_resolver().url_patterns if str(p.pattern) == "api/v1/")
    paths = [str(p.pattern) for p in api.url_patterns if str(p.pattern).startswith("projects/<slug:slug>/")]
    for path in paths:
        path = path.replace("<slug:slug>", "words").replace("<str:format>", "dpo")
        for answer in (caller.get(path), caller.post(path, {})):
            assert leaks(answer) == [], path
    for tab in (
        "",
        "instances/",
        "instances/i0/",
        "judges/",
        "routing/",
        "quality/",
        "people/",
        "exports/",
        "settings/",
    ):
        refused = client.get(f"/projects/words/{tab}")
        assert refused.status_code == 403, tab
        assert leaks(refused) == [], tab


def skeleton(response):
    """A page or a document without what must differ: numbers, keys, receipts, times."""
    text = re.sub(r'name="(csrfmiddlewaretoken|key)" value="[^"]*"', "", response.content.decode())
    text = re.sub(r"person-\w", "somebody", text)
    return re.sub(r"-?\d+", "0", re.sub(r'"order":\[[\d,]+\]|"expires_at":"[^"]*"', "", text))


def test_gold_and_probes_look_like_any_other_instance(client, project):
    """Byte for byte, but for numbers; the same headers, and as many seats left as before."""
    seen = []
    for name, mixed in (
        ("a", {"quota": {"total": 9}}),
        ("b", {"gold": {"rate": 1.0}}),
        ("c", {"probes": {"rate": 1.0, "gap": 1}}),
    ):
        user, _, token = make_annotator(project, f"person-{name}@test.local")
        caller = Caller(client, token)
        change_settings(project, {"quota": None, "gold": {"rate": 0.0}, "probes": {"rate": 0.0}} | mixed)
        for _ in range(2):
            task = caller.post("projects/words/next/").json()
            caller.post(f"assignments/{task['assignment']}/submit/", {"answers": make_answers()})
        client.force_login(user)
        page, document = client.get("/projects/words/work/"), caller.post("projects/words/next/")
        seen.append((skeleton(page), skeleton(document), sorted(set(page.headers) | set(document.headers))))
    ordinary, gold, probe = Assignment.objects.filter(status="leased").order_by("pk")
    assert (ordinary.repeat, gold.instance.ref > "i3", probe.repeat) == (0, True, 1)
    assert seen[0] == seen[1] == seen[2]
    assert Seat.objects.filter(status="held").count() == 2, "the probe takes no seat"


def test_what_else_a_message_carries_is_not_handed_out(client):
    """Neither in the prompt nor in a response; what is said and called is."""
    project = make_project("turns")
    call = {"type": "function", "function": {"name": "find", "arguments": {"q": "oats"}}}
    turns = [
        {"role": "assistant", "content": None, "tool_calls": [call], "model": "zebra-70b"},
        {"role": "tool", "name": "find", "content": "Two.", "cost": 0.1, "judge": "owl-judge"},
        {"role": "assistant", "content": "Two."},
    ]
    prompt = [{"role": "user", "content": "How many?", "model": "zebra-70b"}]
    texts = [{"text": "Two.", "messages": turns}, {"text": "Three.", "messages": turns}]
    import_rows(project, [{"id": "one", "prompt": prompt, "responses": texts}])
    user, _rater, token = make_annotator(project)
    task = Caller(client, token).post("projects/turns/next/").json()
    assert task["instance"]["prompt"] == [{"role": "user", "content": "How many?"}]
    assert task["instance"]["responses"][0]["messages"] == [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "name": "find", "content": "Two."},
        {"role": "assistant", "content": "Two."},
    ]
    client.force_login(user)
    page = client.get("/projects/turns/work/").content.decode()
    assert "find" in page and not re.search("zebra|owl-judge|cost", page)
