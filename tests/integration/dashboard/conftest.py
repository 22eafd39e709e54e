"""A project with an owner, a reviewer and an annotator, and a client for each."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from accounts.rights import Role
from ledger.actions import NewLabel, add_member, ensure_rater, write_labels
from ledger.models import Instance, Project, Rater
from tests.makers import make_instances, make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(db: None, empty_cache: None) -> Project:
    """Three instances under the template `multipref`."""
    made = make_project()
    make_instances(made, 3)
    return made


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin(project: Project) -> Client:
    """The project's owner, who is no superuser."""
    return client_of(project.owner)


@pytest.fixture
def member(project: Project) -> Callable[..., Client]:
    """`member(Role.REVIEWER)` is a client of a member in that role."""

    def join(role: Role) -> Client:
        return client_of(add_member(project, email=f"{role}@test.local", role=role).user)

    return join


@pytest.fixture
def stranger(project: Project) -> Client:
    return client_of(make_user("stranger@test.local"))


def say(
    project: Project, name: str, strengths: dict[str, int], *, kind: str = Rater.Kind.PERSON, **more
) -> None:
    """Labels of one rater on the aspect `overall`, by the instances' ids."""
    aspect = project.aspects.get(name="overall")
    found = {each.ref: each for each in Instance.objects.filter(project=project, ref__in=strengths)}
    labels = [
        NewLabel(found[ref], aspect, {"strength": strength}, **more) for ref, strength in strengths.items()
    ]
    write_labels(
        project=project, rater=ensure_rater(project, kind=Rater.Kind(kind), name=name), labels=labels
    )
