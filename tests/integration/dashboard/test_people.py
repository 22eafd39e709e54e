"""Invite, give a role, pause, remove, bring back; progress of each."""

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.rights import Role
from annotate.actions import submit_annotation
from dashboard.people import members_of
from ledger.models import Member
from tests.integration.dashboard.conftest import client_of, say
from tests.makers import lease_next, make_annotator, make_answers, make_project

PATH = "/projects/words/people/"


def test_an_invitation_is_mailed_and_its_link_shown_once(project, admin):
    admin.post(PATH, {"email": "New@Test.local", "role": "reviewer"})
    page = admin.get(PATH).content.decode()
    link = page.partition('id="invitation" readonly value="')[2].partition('"')[0]
    assert link.startswith("http://testserver/accounts/reset/")
    assert link in mail.outbox[0].body and mail.outbox[0].to == ["new@test.local"]
    assert 'id="invitation"' not in admin.get(PATH).content.decode()
    assert Member.objects.get(user__email="new@test.local").role == Role.REVIEWER


def test_the_link_sets_a_password(project, admin):
    admin.post(PATH, {"email": "new@test.local", "role": "annotator"})
    link = mail.outbox[0].body.strip().splitlines()[-1].removeprefix("http://testserver")
    visitor = Client()
    form = visitor.get(link, follow=True)
    visitor.post(
        form.request["PATH_INFO"], {"new_password1": "long-and-odd-7", "new_password2": "long-and-odd-7"}
    )
    assert User.objects.get(email="new@test.local").check_password("long-and-odd-7")


def test_whoever_has_a_password_is_led_to_the_front_door(project, admin):
    user, _rater, _secret = make_annotator(project)
    user.set_password("x-long-enough")
    user.save()
    admin.post(PATH, {"email": user.email, "role": "annotator"})
    assert "http://testserver/\n" in mail.outbox[0].body + "\n"


@pytest.mark.parametrize(
    "form", [{"email": "nobody", "role": "annotator"}, {"email": "a@b.co", "role": "owner"}]
)
def test_a_wrong_invitation_is_refused(project, admin, form):
    assert admin.post(PATH, form).status_code == 422
    assert project.members.count() == 1 and not mail.outbox


def test_pause_remove_and_bring_back(project, admin):
    user, _rater, _secret = make_annotator(project)
    theirs = client_of(user)
    member = Member.objects.get(user=user)
    status = f"{PATH}{member.pk}/status/"
    admin.post(status, {"status": "paused", "reason": "Read the guidelines again."})
    answer = theirs.get("/projects/words/work/")
    assert answer.status_code == 403 and "Read the guidelines again." in answer.content.decode()
    admin.post(status, {"status": "removed"})
    assert theirs.get("/projects/words/work/").status_code == 404
    admin.post(status, {"status": "active"})
    assert theirs.get("/projects/words/work/").status_code == 200
    assert admin.post(status, {"status": "gone"}).status_code == 422


def test_roles_change_but_not_the_owners(project, admin):
    user, _rater, _secret = make_annotator(project)
    member, owner = Member.objects.get(user=user), Member.objects.get(role=Role.OWNER)
    admin.post(f"{PATH}{member.pk}/role/", {"role": "reviewer"})
    member.refresh_from_db()
    assert member.role == Role.REVIEWER
    assert admin.post(f"{PATH}{owner.pk}/role/", {"role": "annotator"}).status_code == 409
    assert admin.post(f"{PATH}{member.pk}/role/", {"role": "owner"}).status_code == 422
    assert admin.post(f"{PATH}{owner.pk}/status/", {"status": "removed"}).status_code == 409
    owner.refresh_from_db()
    assert (owner.role, owner.status) == (Role.OWNER, Member.Status.ACTIVE)


def test_a_member_of_another_project_is_out_of_reach(project, admin):
    other = make_project("other").members.get()
    assert admin.post(f"{PATH}{other.pk}/role/", {"role": "admin"}).status_code == 404


def test_progress_of_each(project, admin):
    user, rater, _secret = make_annotator(project)
    lease = lease_next(project, rater)
    submit_annotation(assignment_id=lease.pk, user_id=user.pk, answers=make_answers(-1), duration_ms=8000)
    say(project, "bob", {lease.instance.ref: -2})
    say(project, "eve", {lease.instance.ref: 1})
    person = next(each for each in members_of(project) if each.member.user == user)
    assert person.progress.labelled == 1
    assert person.progress.seconds == pytest.approx(8.0)
    assert (person.progress.compared, person.progress.agreed) == (2, 1)
    page = admin.get(PATH).content.decode()
    assert "0.50" in page and "8 s" in page and "2 people whose labels were imported" in page


def test_queries_do_not_grow_with_the_people(project, admin, django_assert_num_queries):
    for number in range(8):
        make_annotator(project, f"ann{number}@test.local")
    # user, member with project, watermark, three of progress, raters, members with users, imported people,
    # running judges
    with django_assert_num_queries(10):
        admin.get(PATH)
    # the second time the progress is remembered
    with django_assert_num_queries(7):
        admin.get(PATH)
