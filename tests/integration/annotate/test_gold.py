"""Gold: mixed in at its rate, beyond the overlap, scored, and told to the admins when somebody fails it."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Token
from annotate.actions import reclaim_expired, update_standing
from annotate.models import Assignment, Notice, Seat, Standing
from annotate.notices import see_notice, unseen_notices
from ledger.actions import add_member, set_member_status
from ledger.models import Instance, Label, Member, Rater
from ledger.project_settings import change_settings
from tests.makers import Caller, make_annotator, make_answers, make_instances, make_project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("eager_tasks")]

EVERY = {"rate": 1.0, "threshold": 0.7, "after": 3}  # gold whenever there is some


@pytest.fixture
def project():
    project = make_project()
    make_instances(project, 12)
    return project


@pytest.fixture
def owner(client, project):
    return Caller(client, Token.issue(project.owner)[1])


@pytest.fixture
def ann(client, project):
    return Caller(client, make_annotator(project)[2])


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    """A block whose tasks run at its end."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def know(owner, numbers, strength=2, **more):
    rows = [{"instance": f"i{n}", "answers": {"overall": {"strength": strength}}, **more} for n in numbers]
    answer = owner.post("projects/words/gold/", {"gold": rows})
    assert answer.status_code == 200, answer.content
    return answer.json()


def work(caller, strength=1):
    """Does one instance; its id, or None where there is none."""
    answer = caller.post("projects/words/next/")
    if answer.status_code == 204:
        return None
    task = answer.json()
    done = caller.post(f"assignments/{task['assignment']}/submit/", {"answers": make_answers(strength)})
    assert done.status_code == 200, done.content
    return task["instance"]["id"]


def test_gold_answers_are_labels_by_a_rater_of_kind_gold(project, owner, ann):
    assert know(owner, [3, 5], explanation="Paris is the capital.") == {"instances": 2, "labels": 2}
    label = Label.objects.get(instance__ref="i3")
    assert (label.rater.kind, label.value, label.rationale) == (
        "gold",
        {"strength": 2},
        "Paris is the capital.",
    )
    know(owner, [3], strength=-2)
    assert Label.objects.live().get(instance__ref="i3").value == {"strength": -2}
    row = {"instance": "i3", "answers": None}
    assert owner.post("projects/words/gold/", row).json() == {"instances": 1, "labels": 1}
    assert not Label.objects.live().filter(instance__ref="i3").exists()
    assert ann.post("projects/words/gold/", row).status_code == 403


@pytest.mark.parametrize(
    ("row", "status", "said"),
    [
        ({"instance": "nowhere", "answers": {}}, 404, "There is no instance 'nowhere' in words."),
        ({"instance": "i1", "answers": {"style": {"strength": 1}}}, 422, "not asked about ['style']"),
        ({"instance": "i1", "answers": {"overall": {"strength": 9}}}, 422, "strength must be"),
        ({"instance": "i1", "answers": {}}, 422, "There is no answer."),
        ({"instance": "i1", "answers": [1]}, 422, "answers must be an object"),
    ],
)
def test_bad_gold_is_refused_whole(owner, row, status, said):
    good = {"instance": "i0", "answers": {"overall": {"strength": 1}}}
    refused = owner.post("projects/words/gold/", {"gold": [good, row]})
    assert refused.status_code == status
    assert said in refused.json()["detail"]
    assert not Label.objects.exists()


def test_gold_goes_to_everyone_beyond_the_overlap_and_ordinary_work_does_not(project, owner, client):
    know(owner, [8, 9])
    change_settings(project, {"gold": EVERY})
    had = Counter()
    for name in ("a", "b", "c"):
        caller = Caller(client, make_annotator(project, f"{name}@test.local")[2])
        seen = [work(caller) for _ in range(4)]
        assert set(seen[:2]) == {"i8", "i9"}
        assert len(set(seen)) == 4
        had.update(seen)
    assert {ref: n for ref, n in had.items() if n > 1} == {"i8": 3, "i9": 3}
    assert list(Seat.objects.filter(instance__ref__in=("i8", "i9")).values_list("slot", "status")) == [
        (0, "filled"),
        (0, "filled"),
    ]


def test_no_gold_without_a_rate(project, owner, ann):
    know(owner, [8, 9])
    assert [work(ann) for _ in range(3)] == ["i0", "i1", "i2"]


def test_the_rate_is_kept(project, owner, ann):
    make_instances(project, 120)
    know(owner, range(60, 120))
    change_settings(project, {"gold": {"rate": 0.3}})
    taken = [work(ann) for _ in range(60)]
    gold = sum(int(ref[1:]) >= 60 for ref in taken)
    assert 6 <= gold <= 32, "60 draws at 0.3: 18 ± 14, four standard deviations"


def test_no_gold_where_no_work_is_left(project, owner, ann, client):
    know(owner, [0, 1, 2])
    ben = Caller(client, make_annotator(project, "ben@test.local")[2])
    while work(ben):
        pass
    change_settings(project, {"gold": EVERY})
    assert work(ann) is None


def test_gold_that_was_let_go_comes_back_with_its_draft(project, owner, client):
    user, rater, token = make_annotator(project)
    ann = Caller(client, token)
    know(owner, range(4, 12))
    Seat.objects.filter(instance__ref__in=[f"i{n}" for n in range(4, 12)]).delete()
    change_settings(project, {"gold": EVERY})
    first = ann.post("projects/words/next/").json()
    assert Assignment.objects.get().seat is None
    client.force_login(user)
    client.post(f"/projects/words/work/{first['assignment']}/draft/", {"a1.strength": "1"})
    past = timezone.now() - timedelta(hours=2)
    Assignment.objects.update(leased_at=past, expires_at=past + timedelta(hours=1))
    reclaim_expired(at=timezone.now())
    again = ann.post("projects/words/next/").json()
    assert (again["instance"], again["order"]) == (first["instance"], first["order"])
    assert Assignment.objects.get(pk=again["assignment"]).draft == {"fields": {"a1.strength": ["1"]}}


def test_a_seat_that_is_let_go_is_filled_by_whoever_answered_without_one(project, owner, client):
    know(owner, [5])
    change_settings(project, {"gold": EVERY})
    a, b = (Caller(client, make_annotator(project, f"{name}@test.local")[2]) for name in "ab")
    held = a.post("projects/words/next/").json()
    assert (held["instance"]["id"], work(b)) == ("i5", "i5")
    assert Assignment.objects.get(status="submitted").seat is None
    a.post(f"assignments/{held['assignment']}/skip/")
    assert Seat.objects.get(instance__ref="i5").status == "filled"
    assert Assignment.objects.get(status="submitted").seat.instance.ref == "i5"


def test_standing_counts_instances_and_says_how_sure_it_is(project, owner, ann, commit):
    know(owner, [7, 8, 9, 10])
    change_settings(project, {"gold": {"rate": 1.0}})
    with commit():
        for strength in (1, 2, -1, 0):
            work(ann, strength)
    standing = Standing.objects.get()
    assert (standing.gold_n, standing.gold_met, standing.gold_accuracy) == (4, 2, 0.5)
    assert (round(standing.gold_low, 3), round(standing.gold_high, 3)) == (0.15, 0.85)
    update_standing(standing.rater_id, at=timezone.now())
    assert Standing.objects.get().gold_n == 4


def test_a_known_answer_that_changes_changes_the_standing(project, owner, ann, commit):
    know(owner, [7])
    change_settings(project, {"gold": {"rate": 1.0}})
    with commit():
        work(ann, -1)
    assert Standing.objects.get().gold_met == 0
    with commit():
        know(owner, [7], strength=-1)
    assert Standing.objects.get().gold_met == 1
    with commit():
        owner.post("projects/words/gold/", {"instance": "i7", "answers": None})
    assert Standing.objects.get().gold_n == 0


def test_who_falls_under_the_threshold_is_paused_with_a_message_and_the_admins_are_told(
    project, owner, ann, client, commit
):
    add_member(project, email="admin@test.local", role="admin")
    know(owner, range(6, 12))
    change_settings(project, {"gold": EVERY})
    for expected in (0, 0, 1):
        with commit():
            work(ann, -1)
        assert Notice.objects.count() == expected
    member = Member.objects.get(user__email="ann@test.local")
    assert member.status == "paused"
    refused = ann.post("projects/words/next/")
    assert (refused.status_code, refused.json()["detail"]) == (403, member.reason)
    assert "Your work here is paused" in member.reason
    client.force_login(member.user)
    page = client.get("/projects/words/work/")
    assert (page.status_code, "Your work here is paused" in page.content.decode()) == (403, True)
    (notice,) = unseen_notices(project)
    assert notice.text == (
        "ann@test.local is paused: 0 of 3 known answers met (0%; 95 % interval 0% to 56%)."
    )
    assert sorted(message.to[0] for message in mail.outbox) == ["admin@test.local", "owner@test.local"]
    see_notice(project, notice.pk, at=timezone.now())
    assert not unseen_notices(project)


def test_whoever_is_let_go_on_is_judged_anew(project, owner, ann, commit):
    know(owner, range(4, 12))
    change_settings(project, {"gold": EVERY})
    with commit():
        for _ in range(3):
            work(ann, -1)
    member = Member.objects.select_related("project").get(user__email="ann@test.local")
    set_member_status(member, Member.Status.ACTIVE)
    assert Standing.objects.get().gold_n == 0
    with commit():
        for _ in range(3):
            work(ann, 1)
    standing = Standing.objects.get()
    assert (standing.gold_n, standing.gold_met) == (3, 3)
    member.refresh_from_db()
    assert member.status == "active"


def test_reviewers_are_measured_and_not_paused(project, owner, client, commit):
    user = add_member(project, email="rev@test.local", role="reviewer").user
    rev = Caller(client, Token.issue(user)[1])
    know(owner, range(6, 12))
    change_settings(project, {"gold": EVERY})
    with commit():
        for _ in range(4):
            work(rev, -1)
    assert Standing.objects.get().gold_n == 4
    assert Member.objects.get(user=user).status == "active"
    assert not Notice.objects.exists()


def test_gold_counts_for_nobody_else(project, owner, ann):
    """Known answers are neither votes nor voices."""
    from ledger.votes import read_votes

    know(owner, [0])
    work(ann, 1)
    votes = read_votes(project.aspects.select_related("project").get(name="overall"))
    assert list(votes.verdict) == [1]
    assert Rater.objects.get(kind="gold").pk not in set(votes.rater.tolist())
    assert Instance.objects.get(ref="i0").seats.count() == 1
