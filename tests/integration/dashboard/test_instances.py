"""Search, filters, pages; one instance with every label, its route and its preference."""

import time
from html import unescape

import pytest
from django.db import connection

from annotate.actions import submit_annotation
from dashboard.search import as_tsquery, index_missing
from ledger.models import Instance, Label, Rater
from routing.actions import route, settle
from routing.planning import Request
from tests.integration.dashboard.conftest import say
from tests.makers import import_rows, lease_next, make_annotator, make_answers, make_instances, make_row

PATH = "/projects/words/instances/"


def refs(client, **query):
    return [row.ref for row in client.get(PATH, query).context["rows"]]


# ---------------------------------------------------------------- search


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("prime", "'prime':*"),
        ('prime "largest number" -even', "'prime':* & ('largest' <-> 'number') & !('even':*)"),
        ("it's", "('it':* <-> 's':*)"),
        ("素数", "'素数':*"),
        ("') | drop:*", "'drop':*"),
        ("!&|", ""),
    ],
)
def test_what_is_typed_becomes_a_query(typed, query):
    assert as_tsquery(typed) == query


def test_search_finds_ids_prompts_and_responses(project, admin):
    rows = [
        {
            "id": "tides",
            "prompt": "Why do tides rise?",
            "responses": [{"text": "The moon."}, {"text": "Wind."}],
        },
        {
            "id": "chat",
            "prompt": [{"role": "user", "content": "Gravity?"}],
            "responses": [{"text": "a"}, {"text": "b"}],
        },
    ]
    import_rows(project, rows)
    assert refs(admin, q="moon") == ["tides"]
    assert refs(admin, q="TIDE") == ["tides"]
    assert refs(admin, q='"tides rise"') == ["tides"]
    assert refs(admin, q='"rise tides"') == []
    assert refs(admin, q="gravity") == ["chat"]
    assert refs(admin, q="question -2") == ["i0", "i1"]
    assert refs(admin, q="'; drop table") == []


def test_search_indexes_what_is_missing_once(project):
    assert index_missing(project) == 3
    assert index_missing(project) == 0
    make_instances(project, 5)
    assert index_missing(project, limit=1) == 1
    assert index_missing(project) == 1


def test_a_text_beyond_a_tsvector_is_found_by_its_beginning(project, admin):
    long = "beginning " + " ".join(f"word{number}" for number in range(200_000)) + " ending"
    import_rows(project, [{"id": "long", "prompt": long, "responses": [{"text": long}, {"text": "b"}]}])
    assert refs(admin, q="beginning") == ["long"]


# ---------------------------------------------------------------- filters


def test_filters_by_who_labelled(project, admin):
    say(project, "ann", {"i0": -1, "i1": 1})
    say(project, "gpt", {"i1": 1, "i2": -1}, kind=Rater.Kind.JUDGE)
    assert refs(admin, labelled="people") == ["i0", "i1"]
    assert refs(admin, labelled="judges") == ["i1", "i2"]
    assert refs(admin, labelled="both") == ["i1"]
    assert refs(admin, labelled="no-person") == ["i2"]
    assert refs(admin, labelled="people", aspect="helpful") == []
    assert refs(admin, aspect="overall") == ["i0", "i1", "i2"]
    assert refs(admin, labelled="nobody") == []
    assert refs(admin, ids="i2, i0") == ["i0", "i2"]


def test_filters_by_disagreement(project, admin):
    say(project, "ann", {"i0": -1, "i1": 1})
    say(project, "bob", {"i0": 1, "i1": 2})
    say(project, "gpt", {"i0": 1, "i1": -1}, kind=Rater.Kind.JUDGE, order=(0, 1))
    say(project, "gpt", {"i0": 1, "i1": 0}, kind=Rater.Kind.JUDGE, order=(1, 0))
    assert refs(admin, disagreement="people") == ["i0"]
    assert refs(admin, disagreement="against") == ["i1"]
    assert refs(admin, disagreement="flips") == ["i1"]
    assert refs(admin, disagreement="judges") == ["i1"]
    settle(project)
    assert refs(admin, disagreement="undecided") == ["i0", "i2"]


def test_filters_by_route_and_reason(project, admin):
    say(project, "gpt", {"i0": 1, "i1": -1, "i2": 1}, kind=Rater.Kind.JUDGE)
    assert refs(admin, way="none") == ["i0", "i1", "i2"]
    made, _planned = route(project, Request(policy="random", seed=1, budget=0.4))
    human = made.decisions.get(way="human").instance.ref
    assert refs(admin, way="human") == [human]
    assert refs(admin, way="none") == []
    assert refs(admin, way="human", reason="Drawn by lot.") == [human]
    assert refs(admin, reason="something else") == []


@pytest.mark.parametrize(
    "query", [{"labelled": "password"}, {"way": "__class__"}, {"page": "x"}, {"aspect": "no"}]
)
def test_an_unknown_choice_narrows_nothing(project, admin, query):
    assert len(refs(admin, **query)) == 3


# ---------------------------------------------------------------- one instance


def test_an_instance_shows_every_label_and_what_was_corrected(project, admin):
    user, _rater, _secret = make_annotator(project)
    lease = lease_next(project, _rater)
    submit_annotation(assignment_id=lease.pk, user_id=user.pk, answers=make_answers(-2), duration_ms=4200)
    ref = lease.instance.ref
    say(project, "gpt", {ref: 1}, kind=Rater.Kind.JUDGE, order=(1, 0), version="f00dcafe9")
    say(project, "gpt", {ref: -1}, kind=Rater.Kind.JUDGE, order=(1, 0), version="beefcafe9")
    settle(project)
    page = admin.get(f"{PATH}{ref}/").content.decode()
    for text in (
        "1 much better",
        "4.2 s",
        "v1",
        "beefcafe",
        "1 corrected label",
        "f00dcafe",
        "response 1 preferred",
    ):
        assert text in page, text
    assert page.count("counted") == 4  # each aspect's preference rests on the person's label
    assert '<td class="num">2, 1</td>' in page


def test_an_id_with_slashes_and_markup_is_found_and_escaped(project, admin):
    ref = "a/b?<script>alert(1)</script>&é"
    import_rows(project, [make_row(9, responses=2) | {"id": ref, "prompt": "<script>x</script>"}])
    page = admin.get(PATH).content.decode()
    assert "<script>alert" not in page and "<script>x" not in page
    link = unescape(
        next(part.split('"')[0] for part in page.split('href="') if part.startswith(f"{PATH}a/b"))
    )
    assert admin.get(link).status_code == 200


def test_an_unknown_instance_is_404(project, admin):
    assert admin.get(f"{PATH}nothing/").status_code == 404


# ---------------------------------------------------------------- cost


def test_queries_of_the_list(project, admin, django_assert_num_queries):
    say(project, "ann", {"i0": -1, "i1": 1})
    say(project, "gpt", {"i0": -1, "i1": 1, "i2": 0}, kind=Rater.Kind.JUDGE)
    route(project, Request(policy="random", seed=1, budget=0.4))
    settle(project)
    # user, member with project, aspects, count, a page of rows, raters by kind, decisions, preferences,
    # running judges
    with django_assert_num_queries(9):
        admin.get(PATH, {"labelled": "judges"})


def test_queries_of_an_instance_do_not_grow_with_its_labels(project, admin, django_assert_num_queries):
    for number in range(20):
        say(project, f"ann{number}", {"i0": -1})
    # user, member with project, instance, responses, aspects, before, after, labels with raters, preferences,
    # decision, earlier decisions, flags, running judges
    with django_assert_num_queries(13):
        admin.get(f"{PATH}i0/")


@pytest.mark.slow
def test_ten_thousand_instances_answer_in_150_ms(project, admin):
    import_rows(project, [make_row(number) for number in range(3, 10_000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert Instance.objects.filter(project=project).count() == 10_000
    for query in ({}, {"page": "200"}, {"labelled": "no-person"}, {"disagreement": "people"}):
        admin.get(PATH, query)
        spent = min(timed(admin, query) for _ in range(3))
        assert spent < 0.15, f"{query}: {spent * 1000:.0f} ms"
    assert Label.objects.count() == 0


def timed(client, query) -> float:
    began = time.perf_counter()
    assert client.get(PATH, query).status_code == 200
    return time.perf_counter() - began
