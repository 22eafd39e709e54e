"""Rights, climbing: anonymous, stranger, annotator, reviewer, admin, at every address of the dashboard."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.rights import Role, allowed
from dashboard.doors import TABS
from dashboard.urls import urlpatterns
from exports.actions import create_snapshot
from exports.choices import Choices
from judges.actions import start_run
from judges.offering import Chosen, spec_from
from judges.specs import add_judge, set_endpoint
from ledger.actions import write_guidelines
from ledger.models import Project, Rater

# what a reviewer sees; all else is the admin's
REVIEWED = {"overview", "instances", "instance", "quality", "flags"}
POSTED = {
    "judge_audit", "judge_try", "judge_drop", "endpoint_drop", "import_start", "import_discard", "member_role",
    "member_status", "archive", "unarchive", "judge_run", "run_steer", "route_start", "route_back", "snapshot",
    "prepare", "notice_seen", "flag_resolve", "share_work",
}  # fmt: skip
OF_PROJECT = sorted(each.name for each in urlpatterns if "slug:slug" in str(each.pattern))


@pytest.fixture
def things(project: Project) -> dict[str, dict]:
    """What the addresses name beyond the project."""
    write_guidelines(project, text="Read.", author=None)
    run = start_run(project=project, judge="length", queued=False)
    own = spec_from("pairwise", name="own", parameters={}, played={"judge": Chosen("length")})
    add_judge(project=project, spec=own, author=None)
    endpoint = set_endpoint(project=project, name="far", url="https://models.example.org/v1")
    create_snapshot(project, version="v1", choices=Choices())
    aspect, member = project.aspects.first(), project.members.get()
    return {
        "instance": {"ref": "i0"},
        "aspect": {"pk": aspect.pk},
        "guideline_version": {"number": 1},
        "member_role": {"pk": member.pk},
        "member_status": {"pk": member.pk},
        "member_work": {"pk": member.pk},
        "notice_seen": {"pk": 1},
        "flag_resolve": {"pk": 1},
        **dict.fromkeys(("judge", "judge_audit", "judge_try"), {"name": "length"}),
        **dict.fromkeys(("judge_change", "judge_drop"), {"name": "own"}),
        **dict.fromkeys(("endpoint", "endpoint_drop"), {"pk": endpoint.pk}),
        "run": {"pk": run.pk},
        "run_steer": {"pk": run.pk, "verb": "cancel"},
        **dict.fromkeys(("import_look", "import_start", "import_discard", "file"), {"pk": 1}),
        **dict.fromkeys(("version", "manifest", "card"), {"name": "v1"}),
    }


def visit(client: Client, name: str, things: dict[str, dict]) -> int:
    path = reverse(f"dashboard:{name}", kwargs={"slug": "words", **things.get(name, {})})
    return (client.post if name in POSTED else client.get)(path).status_code


@pytest.mark.parametrize("name", OF_PROJECT)
def test_a_visitor_signs_in_first(name, things):
    assert visit(Client(), name, things) == 302


@pytest.mark.parametrize("name", OF_PROJECT)
def test_a_stranger_finds_nothing(name, things, stranger):
    assert visit(stranger, name, things) == 404


@pytest.mark.parametrize("name", OF_PROJECT)
def test_an_annotator_may_not(name, things, member):
    assert visit(member(Role.ANNOTATOR), name, things) == 403


@pytest.mark.parametrize("name", OF_PROJECT)
def test_a_reviewer_sees_labels_and_figures_alone(name, things, member):
    assert (visit(member(Role.REVIEWER), name, things) == 200) == (name in REVIEWED)


# What answers an admin otherwise than with a page: it needs more in its address, or sends him to one.
APART = {"import_look", "download", "comparison", "file", "files"}


@pytest.mark.parametrize("name", [name for name in OF_PROJECT if name not in POSTED | APART])
def test_an_admin_may(name, things, member):
    assert visit(member(Role.ADMIN), name, things) == 200


@pytest.mark.parametrize("name", ["archive", "unarchive"])
def test_only_the_owner_archives(name, things, member, admin):
    assert visit(member(Role.ADMIN), name, things) == 403
    assert visit(admin, name, things) == 302


@pytest.mark.parametrize("role", list(Role))
def test_tabs_are_those_that_the_role_may_open(role, project, member):
    client = member(role) if role != Role.OWNER else Client()
    if role == Role.OWNER:
        client.force_login(project.owner)
    page = client.get("/projects/words/").content.decode()
    for tab in TABS:
        link = f'href="{reverse(tab.view, kwargs={"slug": "words"})}"'
        seen = link in page.partition('class="tabs')[2].partition("</nav>")[0]
        assert seen == (allowed(project.owner, role, tab.right) and role != Role.ANNOTATOR), tab.name


def test_a_member_of_another_project_is_a_stranger(project, stranger):
    assert stranger.get("/projects/words/").status_code == 404
    assert "words" not in stranger.get("/projects/").content.decode()


def test_own_pages_need_an_account_only(project, stranger):
    assert Client().get("/account/").status_code == 302
    assert stranger.get("/account/").status_code == 200
    assert Client().get("/projects/").status_code == 302
    assert stranger.get("/new-project/").status_code == 403
    assert not Rater.objects.filter(user__email="stranger@test.local").exists()
