"""Consistency probes: the same instance again in swapped order, marked in the ledger, counted for nobody."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Token
from annotate.actions import reclaim_expired
from annotate.models import Assignment, Seat, Standing
from ledger.actions import NewLabel, write_labels
from ledger.models import Instance, Label, Rater
from ledger.project_settings import change_settings
from ledger.votes import read_votes
from quality.readings import read_aspect
from routing.actions import settle
from routing.loading import load
from tests.makers import Caller, make_annotator, make_answers, make_instances, make_project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("eager_tasks")]


@pytest.fixture
def project():
    project = make_project(overlap=2)
    make_instances(project, 6)
    change_settings(project, {"probes": {"rate": 1.0, "gap": 2}})
    return project


@pytest.fixture
def ann(client, project):
    return Caller(client, make_annotator(project)[2])


def work(caller, strength=1):
    """Does one instance; the task as it was handed out, or None."""
    answer = caller.post("projects/words/next/")
    if answer.status_code == 204:
        return None
    task = answer.json()
    done = caller.post(f"assignments/{task['assignment']}/submit/", {"answers": make_answers(strength)})
    assert done.status_code == 200, done.content
    return task


def test_a_probe_is_the_same_instance_in_swapped_order_and_marked_in_the_ledger(ann):
    tasks = [work(ann) for _ in range(4)]
    assert [task["instance"]["id"] for task in tasks] == ["i0", "i1", "i2", "i0"]
    assert tasks[3]["order"] == tasks[0]["order"][::-1]
    assert set(tasks[3]) == set(tasks[0])
    assert Counter(Label.objects.filter(instance__ref="i0").values_list("repeat", flat=True)) == {0: 4, 1: 4}
    assert not Label.objects.exclude(superseded=None).exists()


def test_never_twice_and_never_soon(ann):
    tasks = []
    while (task := work(ann)) is not None:
        tasks.append(task["instance"]["id"])
    again = Counter(tasks)
    assert sorted(again) == ["i0", "i1", "i2", "i3", "i4", "i5"]
    assert max(again.values()) == 2
    for ref in (ref for ref, times in again.items() if times == 2):
        first, second = (place for place, seen in enumerate(tasks) if seen == ref)
        assert second - first > 2


def test_a_probe_takes_no_seat(ann, project, client):
    for _ in range(4):
        work(ann)
    assert Assignment.objects.get(repeat=1).seat is None
    assert Counter(Seat.objects.filter(instance__ref="i0").values_list("status", flat=True)) == {
        "filled": 1,
        "open": 1,
    }


def test_a_probe_that_was_let_go_comes_back_as_it_was(ann):
    tasks = [work(ann) for _ in range(3)]
    probe = ann.post("projects/words/next/").json()
    past = timezone.now() - timedelta(hours=2)
    Assignment.objects.filter(pk=probe["assignment"]).update(
        leased_at=past, expires_at=past + timedelta(hours=1)
    )
    reclaim_expired(at=timezone.now())
    again = ann.post("projects/words/next/").json()
    assert again["assignment"] != probe["assignment"]
    assert (again["instance"], again["order"]) == (probe["instance"], probe["order"])
    assert again["order"] == tasks[0]["order"][::-1]


def test_self_consistency_is_measured(ann, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        for strength in (1, -1, 1, 2, 1):  # i0 and i1 come again, after i2: alike, then not
            work(ann, strength)
    standing = Standing.objects.get()
    repeated = Label.objects.filter(repeat=1).values("instance").distinct().count()
    assert standing.repeats_n == repeated == 2
    assert (standing.repeats_same, standing.consistency) == (1.0, 0.5)
    assert 0 < standing.repeats_low < 0.5 < standing.repeats_high < 1


def test_a_second_answer_is_no_further_vote_anywhere(project, ann, client):
    """Not among the votes, in agreement, in routing, nor in settling, even where the first was corrected."""
    for _ in range(3):
        work(ann, 1)
    work(ann, -2)  # i0 again, and the other way round
    judge = Rater.objects.create(project=project, kind="judge", name="j")
    overall = project.aspects.select_related("project").get(name="overall")
    verdicts = [
        NewLabel(instance=instance, aspect=overall, value={"strength": 1})
        for instance in Instance.objects.all()
    ]
    write_labels(project=project, rater=judge, labels=verdicts)
    first = Assignment.objects.get(instance__ref="i0", repeat=0)
    user = first.rater.user
    client.force_login(user)
    fields = {f"a{aspect.pk}.strength": "2" for aspect in project.aspects.all()}
    assert client.post(f"/projects/words/work/{first.pk}/correct/", fields).status_code == 302
    i0 = Instance.objects.get(ref="i0").pk

    votes = read_votes(overall)
    assert votes.verdict[(votes.instance == i0) & votes.is_person].tolist() == [1]
    reading = read_aspect(overall)
    assert reading.verdicts[reading.instance[reading.items] == i0].tolist() == [1]
    loaded = load(project)
    here = loaded.table.instances.index(i0)
    assert loaded.people.verdict[loaded.people.pair == here].tolist() == [1]
    settle(project)
    assert project.preferences.live().get(instance=i0, aspect=overall).raters == ["ann@test.local"]
    assert project.preferences.live().get(instance=i0, aspect=overall).chosen == 1


def test_a_probe_is_no_further_voice_of_dynamic_overlap(project, ann):
    change_settings(project, {"overlap": {"min": 2, "max": 4, "stop": 0.75}})
    for _ in range(4):
        work(ann, 1)
    assert Counter(Seat.objects.filter(instance__ref="i0").values_list("status", flat=True)) == {
        "filled": 1,
        "open": 1,
    }


def test_the_ledger_over_http_and_admins_can_tell_them_apart(project, ann, client):
    for _ in range(4):
        work(ann)
    owner = Caller(client, Token.issue(project.owner)[1])
    labels = [row for row in owner.get("projects/words/labels/").json()["labels"] if row["instance"] == "i0"]
    assert len({tuple(row["order"]) for row in labels}) == 2
