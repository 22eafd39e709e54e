"""The annotator's pages, through the door that people use: plain forms, answers posted back, redirects."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from annotate.models import Assignment
from ledger.actions import add_member, set_member_status
from ledger.models import Label, Member
from tests.makers import import_rows, make_annotator, make_instances, make_project, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def project():
    project = make_project(template="helpsteer2-preference")
    make_instances(project, 3)
    return project


@pytest.fixture
def ann(client, project):
    client.force_login(make_annotator(project)[0])
    return client


def work(client, project):
    return client.get(f"/projects/{project.slug}/work/")


def field(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())[1]


def answer(page, project, strength="1", **extra):
    aspect = project.aspects.get()
    return {f"a{aspect.pk}.strength": strength, "key": field(page, "key"), **extra}


def action(page):
    return re.search(r'id="dock" method="post" action="([^"]+)"', page.content.decode())[1]


# ---------------------------------------------------------------- who may come in


def test_a_stranger_is_sent_to_sign_in_and_back(client, project):
    answer = work(client, project)
    assert (answer.status_code, answer.url) == (
        302,
        f"/accounts/sign-in/?next=/projects/{project.slug}/work/",
    )


def test_who_is_no_member_learns_nothing(client, project):
    client.force_login(make_user("eve@example.org"))
    assert work(client, project).status_code == 404


def test_who_is_paused_is_told_why(client, project):
    user = make_annotator(project)[0]
    set_member_status(Member.objects.get(user=user), Member.Status.PAUSED, reason="Too fast, please read.")
    client.force_login(user)
    page = work(client, project)
    assert page.status_code == 403 and b"Too fast, please read." in page.content
    assert not Assignment.objects.exists()


def test_an_assignment_of_somebody_else_is_not_found(ann, project):
    page = work(ann, project)
    add_member(project, email="bob@example.org")
    ann.force_login(User.objects.get(email="bob@example.org"))
    assert ann.post(action(page), answer(page, project)).status_code == 404
    assert ann.post(action(page).replace("submit", "draft"), {}).status_code == 404
    assert not Label.objects.exists()


# ---------------------------------------------------------------- submit


def test_submitting_writes_a_label_and_shows_its_receipt(ann, project):
    page = work(ann, project)
    gone = ann.post(action(page), answer(page, project, "2", duration_ms="1234"))
    label = Label.objects.get()
    assert gone.status_code == 302 and gone.url.startswith(f"/projects/{project.slug}/work/?done=")
    assert (label.value["strength"], label.duration_ms) == (2, 1234)
    assert label.order == Assignment.objects.get(status="submitted").order
    shown = ann.get(gone.url)
    assert b"Submitted" in shown.content and b'data-do="undo"' in shown.content


def test_htmx_gets_the_next_screen_in_place(ann, project):
    page = work(ann, project)
    swapped = ann.post(action(page), answer(page, project), **HTMX)
    assert swapped.status_code == 200 and swapped.content.lstrip().startswith(b'<div id="work"')
    assert "HX-Request" in swapped["Vary"] and Label.objects.count() == 1


def test_submitting_and_showing_what_is_next_takes_ten_statements(ann, project, statements):
    page = work(ann, project)
    page = ann.post(action(page), answer(page, project), **HTMX)  # a first one, so that what is remembered is
    fields = answer(page, project)
    statements.clear()
    assert action(ann.post(action(page), fields, **HTMX))
    # user, desk, work, mine, labels, finish, idempotency key; then lease, work, counts
    assert len(statements) == 10, statements


@pytest.mark.parametrize("strength", ["", "9", "left"])
def test_a_wrong_answer_writes_nothing_and_keeps_what_was_entered(ann, project, strength):
    page = work(ann, project)
    aspect = project.aspects.get()
    refused = ann.post(
        action(page), answer(page, project, strength, **{f"a{aspect.pk}.comment": "because <b>"})
    )
    assert refused.status_code == 422 and b"because &lt;b&gt;" in refused.content
    assert b'class="error" role="alert"' in refused.content
    assert not Label.objects.exists()


def test_the_same_form_twice_is_one_submission(ann, project):
    page = work(ann, project)
    once, again = (ann.post(action(page), answer(page, project)) for _time in range(2))
    assert once.status_code == again.status_code == 302
    assert Label.objects.count() == 1


def test_another_answer_under_the_same_key_is_offered_as_a_correction(ann, project):
    page = work(ann, project)
    ann.post(action(page), answer(page, project, "1"))
    told = ann.post(action(page), answer(page, project, "-1"))
    assert told.status_code == 409 and b"submitted already" in told.content
    assert Label.objects.get().value == {"strength": 1}
    ann.post(action(told), answer(told, project, "-1"))
    old, new = Label.objects.order_by("pk")
    assert old.superseded and new.value == {"strength": -1} and new.replaces == old


def test_an_expired_lease_keeps_the_answers_as_a_draft(ann, project):
    page = work(ann, project)
    long_ago = timezone.now() - timedelta(days=1)
    Assignment.objects.update(leased_at=long_ago, expires_at=long_ago + timedelta(minutes=1))
    gone = ann.post(action(page), answer(page, project, "3"))
    assert gone.status_code == 409 and b"went back into the queue" in gone.content
    assert not Label.objects.exists()
    assert b'value="3" data-choice checked' in work(ann, project).content


# ---------------------------------------------------------------- drafts, skip, flag, back


def test_a_draft_is_filled_in_again(ann, project):
    page = work(ann, project)
    assert ann.post(action(page).replace("submit", "draft"), answer(page, project, "-2")).status_code == 204
    assert b'value="-2" data-choice checked' in work(ann, project).content
    assert set(Assignment.objects.get().draft["fields"]) == {f"a{project.aspects.get().pk}.strength"}


def test_skip_and_flag_give_the_instance_to_others(ann, project):
    for verb, name in (("skip", "skip_reason"), ("flag", "flag_reason")):
        page = work(ann, project)
        ann.post(action(page).replace("submit", verb), {name: "broken or cut off"})
    reasons = list(
        Assignment.objects.filter(status="skipped").order_by("pk").values_list("reason", flat=True)
    )
    assert reasons == ["broken or cut off", "flag: broken or cut off"]
    assert ann.post(action(page).replace("submit", "skip"), {}).status_code == 302  # gone already: no harm


@pytest.mark.parametrize("query", ["done=²-abc-1", f"done={'9' * 30}-{'a' * 16}-1", "done=1-xyz-1"])
def test_a_receipt_that_nobody_was_given_is_not_shown(ann, project, query):
    answer = ann.get(f"/projects/{project.slug}/work/?{query}")
    assert answer.status_code == 200
    assert "receipt" not in answer.context


@pytest.mark.parametrize("text", ["²", "9" * 30, "-1"])
def test_back_from_nowhere_goes_to_the_last(ann, project, text):
    assert ann.get(f"/projects/{project.slug}/work/back/?from={text}").status_code == 302


def test_back_walks_through_earlier_work(ann, project):
    for strength in ("1", "2"):
        page = work(ann, project)
        ann.post(action(page), answer(page, project, strength))
    first, second = Assignment.objects.filter(status="submitted").order_by("ended_at")
    here = f"/projects/{project.slug}/work"
    work(ann, project)
    held = Assignment.objects.get(status="leased")
    assert ann.get(f"{here}/back/?from={held.pk}").url == f"{here}/{second.pk}/"
    assert ann.get(f"{here}/back/?from={second.pk}").url == f"{here}/{first.pk}/"
    assert ann.get(f"{here}/back/?from={first.pk}").url == f"{here}/"
    assert "There is nothing before this." in ann.get(f"{here}/").content.decode()
    assert b'value="1" data-choice checked' in ann.get(f"{here}/{first.pk}/").content


def test_required_reading(ann, project):
    project.settings = {"must_read": True}
    project.save()
    project.instances.update(context={"reference": "Forty-two."})
    page = work(ann, project)
    refused = ann.post(action(page), answer(page, project))
    assert refused.status_code == 422 and b"Read what stands beside the prompt" in refused.content
    assert ann.post(action(page), answer(page, project, read="yes")).status_code == 302
    assert Label.objects.count() == 1


# ---------------------------------------------------------------- what is shown


def test_nothing_but_the_texts_is_shown(ann, project):
    page = work(ann, project).content.decode()
    for secret in ("model-0", "model-1", "gold", "probability"):
        assert secret not in page


@pytest.mark.parametrize(
    "texts",
    [
        ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>"],
        ["x" * 2_000_000, "\u202e" * 1000 + "\u200b" * 100_000],
        ["```nolang\n" + "[" * 50_000, "|" * 10_000],
        [f"Answer {number}" for number in range(64)],
        ["", " "],
    ],
)
def test_hostile_and_huge_texts_are_shown(client, texts):
    project = make_project(template="ultrafeedback", slug="hostile")
    import_rows(project, [{"id": "h", "prompt": "<b>x</b>", "responses": [{"text": text} for text in texts]}])
    client.force_login(make_annotator(project)[0])
    page = client.get("/projects/hostile/work/")
    assert page.status_code == 200
    assert b"<script>alert" not in page.content and b"<img src=x" not in page.content
    assert len(page.content) < 3_000_000


def test_every_page_forbids_inline_scripts_and_styles(ann, project):
    page = work(ann, project)
    policy = page["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    html = page.content.decode()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script>", html)


@pytest.mark.parametrize(
    ("language", "words"), [("es", "Instrucciones"), ("zh-hans", "标注指南"), ("ar", "الإرشادات")]
)
def test_the_interface_speaks(ann, project, language, words):
    page = ann.get(f"/projects/{project.slug}/work/", headers={"accept-language": language}).content.decode()
    assert words in page
    assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in page[:200]


# ---------------------------------------------------------------- landing and settings


def test_home(client, project):
    assert client.get("/").status_code == 200
    client.force_login(make_annotator(project)[0])
    assert client.get("/").url == f"/projects/{project.slug}/work/"
    other = make_project(slug="other")
    add_member(other, email="ann@test.local")
    assert b"Your work" in client.get("/").content
    client.force_login(project.owner)
    assert client.get("/").url == "/projects/"


def test_own_settings_are_kept_and_clashes_refused(ann, project):
    page = ann.get("/settings/")
    posted = {name: page.context["form"][name].value() or "auto" for name in page.context["form"].fields}
    posted["advance"] = "complete"
    clash = ann.post("/settings/", posted | {"key_skip": "b"})
    assert clash.status_code == 422 and b"The key b is taken already." in clash.content
    assert ann.post("/settings/", posted | {"key_skip": "1"}).status_code == 422
    saved = ann.post("/settings/", posted | {"key_skip": "x", "theme": "dark", "language": "es"})
    user = User.objects.get(memberships__project=project, memberships__role="annotator")
    assert saved.status_code == 302 and user.preferences["keys"] == {"skip": "x"} and user.language == "es"
    assert saved.cookies["theme"].value == "dark"
    assert b'data-theme="dark"' in ann.get("/settings/").content


@pytest.mark.parametrize(
    "name", ["sign_in", "signed_out", "password_reset", "password_reset_sent", "password_reset_complete"]
)
def test_account_pages(client, name):
    assert client.get(reverse(f"accounts:{name}")).status_code == 200


def test_a_password_is_reset_by_mail(client, project, mailoutbox):
    user = make_user("eve@example.org")
    client.post(reverse("accounts:password_reset"), {"email": user.email})
    link = re.search(r"https?://[^/]+(/accounts/reset/\S+)", mailoutbox[0].body)[1]
    page = client.get(link, follow=True)
    assert page.status_code == 200
    form = page.request["PATH_INFO"]
    done = client.post(
        form, {"new_password1": "correct horse 1", "new_password2": "correct horse 1"}, follow=True
    )
    assert b"Password set" in done.content
    assert client.login(username=user.email, password="correct horse 1")
