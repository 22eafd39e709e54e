"""A project's settings: words, aspects, guidelines, archive; and one's own account."""

import pytest

from accounts.models import Token
from annotate.models import Seat
from ledger.actions import write_guidelines
from ledger.models import Label, Project
from tests.integration.dashboard.conftest import say

PATH = "/projects/words/settings/"


def test_name_description_overlap_and_prices(project, admin):
    form = {"name": "Better", "description": "Why.", "overlap": 2, "hourly_pay": "12.5", "currency": "€"}
    assert admin.post(PATH, form).status_code == 302
    project.refresh_from_db()
    assert (project.name, project.description, project.overlap) == ("Better", "Why.", 2)
    assert project.settings == {"hourly_pay": 12.5, "currency": "€"}
    assert Seat.objects.filter(project=project).count() == 6


@pytest.mark.parametrize("wrong", [{"name": ""}, {"overlap": 51}, {"hourly_pay": -1}])
def test_wrong_settings_change_nothing(project, admin, wrong):
    form = {"name": "Better", "description": "", "overlap": 2, "hourly_pay": 1, "currency": "$"} | wrong
    assert admin.post(PATH, form).status_code == 200
    assert Project.objects.get().name == "words"


# ---------------------------------------------------------------- aspects


def test_an_aspect_is_added_from_a_task_type(project, admin):
    form = {
        "name": "kind", "title": "Kind", "description": "Which is kinder?", "task_type": "rating",
        "settings": '{"min": 0, "max": 10}', "required": "on",
    }  # fmt: skip
    assert admin.post(f"{PATH}aspects/new/", form).status_code == 302
    made = project.aspects.get(name="kind")
    assert (made.task_type, made.settings["max"], made.required) == ("rating", 10, True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"task_type": "pairwize"}, "Select a valid choice"),
        ({"settings": "{"}, "Not JSON"),
        ({"settings": "[1]"}, "must be a JSON object"),
        ({"settings": '{"steps": 9}'}, "steps must be 1…5, not 9."),
        ({"settings": '{"colour": 1}'}, "Unknown settings"),
        ({"name": "overall"}, "an aspect of this name already"),
        ({"name": "two words"}, "valid “slug”"),
    ],
)
def test_a_wrong_aspect_is_refused(project, admin, wrong, said):
    form = {"name": "kind", "task_type": "pairwise", "settings": "{}"} | wrong
    assert said in admin.post(f"{PATH}aspects/new/", form).content.decode()
    assert project.aspects.count() == 4


def test_the_scale_changes_until_there_are_labels(project, admin):
    aspect = project.aspects.get(name="overall")
    form = {"title": "All in all", "description": "?", "task_type": "pairwise", "settings": '{"steps": 3}'}
    admin.post(f"{PATH}aspects/{aspect.pk}/", form)
    aspect.refresh_from_db()
    assert (aspect.title, aspect.settings["steps"], aspect.required) == ("All in all", 3, False)
    say(project, "ann", {"i0": 3})
    admin.post(f"{PATH}aspects/{aspect.pk}/", form | {"settings": '{"steps": 1}', "title": "Words only"})
    aspect.refresh_from_db()
    assert (aspect.title, aspect.settings["steps"]) == ("Words only", 3)
    assert "frozen" in admin.get(f"{PATH}aspects/{aspect.pk}/").content.decode()


# ---------------------------------------------------------------- guidelines


def test_guidelines_are_previewed_then_written_as_the_next_version(project, admin):
    path = f"{PATH}guidelines/"
    shown = admin.post(
        path, {"text": "Be **kind**.<script>x</script>", "preview": "1"}, headers={"HX-Request": "true"}
    )
    assert "<strong>kind</strong>" in shown.content.decode() and "<script>x" not in shown.content.decode()
    assert project.guidelines().number == 1
    admin.post(path, {"text": "Be **kind**."})
    assert (project.guidelines().number, project.guidelines().text) == (2, "Be **kind**.")
    assert "Be" in admin.get(f"{PATH}guidelines/2/").content.decode()
    assert admin.get(f"{PATH}guidelines/9/").status_code == 404


def test_a_version_says_how_many_labels_it_saw(project, admin):
    say(project, "ann", {"i0": 1, "i1": 1}, guideline=project.guidelines())
    write_guidelines(project, text="New.", author=None)
    assert "2 labels were given under it" in admin.get(f"{PATH}guidelines/1/").content.decode()


# ---------------------------------------------------------------- archive


def test_archive_and_back(project, admin, member):
    theirs = member("annotator")
    say(project, "ann", {"i0": 1})
    admin.post(f"{PATH}archive/")
    assert theirs.get("/projects/words/work/").status_code == 409
    assert "archived" in admin.get("/projects/words/").content.decode()
    admin.post(f"{PATH}unarchive/")
    assert theirs.get("/projects/words/work/").status_code == 200
    assert Label.objects.count() == 1


# ---------------------------------------------------------------- one's own account


def test_a_token_is_shown_once_works_and_can_be_revoked(project, admin):
    admin.post("/account/tokens/", {"name": "nightly"})
    secret = admin.get("/account/").context["secret"]
    assert secret.startswith("sy_") and secret not in admin.get("/account/").content.decode()
    call = {"Authorization": f"Bearer {secret}"}
    assert admin.get("/api/v1/projects/words/", headers=call).status_code == 200
    admin.post(f"/account/tokens/{Token.objects.get().pk}/revoke/")
    assert admin.get("/api/v1/projects/words/", headers=call).status_code == 401


def test_nobody_revokes_anothers_token(project, admin, stranger):
    token, _secret = Token.issue(project.owner)
    stranger.post(f"/account/tokens/{token.pk}/revoke/")
    assert Token.objects.filter(pk=token.pk).exists()


def test_the_name(project, admin):
    admin.post("/account/", {"name": "Ada"})
    project.owner.refresh_from_db()
    assert project.owner.name == "Ada"
