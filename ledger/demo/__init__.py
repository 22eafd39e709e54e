"""The demo: people, guidelines and instances written for it (CC0; its models and annotators are imaginary).

`instances.jsonl` holds pairs, `rankings.jsonl` instances of three and four responses. The order of the
responses in the files says nothing about their quality: a hash of the id chose it.
"""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from accounts.actions import DEMO_ADMIN, DEMO_PASSWORD, ensure_user
from accounts.models import User
from ledger.actions import add_member, create_project, write_guidelines
from ledger.demo.guidelines import PAIRS, RANKINGS
from ledger.imports.load import import_file
from ledger.models import Project
from web.problems import Conflict

DESCRIPTION = "A demonstration: its annotators mira, jonas and adaeze and its four models are imaginary."
FOLDER = Path(__file__).resolve().parent
ANNOTATORS = {"ann1@demo.local": "Ann", "ann2@demo.local": "Ben", "ann3@demo.local": "Chi"}


class NotADemo(Conflict):
    code, title = "not-a-demo", "The demo belongs to the embedded mode"


@dataclass(frozen=True, slots=True)
class DemoProject:
    slug: str
    name: str
    template: str
    file: str
    guidelines: str


PROJECTS = (
    DemoProject("demo", "Helpful answers", "multipref", "instances.jsonl", PAIRS),
    DemoProject("demo-ranking", "Best of several", "ranking", "rankings.jsonl", RANKINGS),
)


def load_demo() -> list[Project]:
    """The demo's accounts and projects, made where they are missing; what people did in them is left alone.

    Raises `NotADemo` outside the embedded mode, because everybody knows these passwords.
    """
    if not (settings.DEMO and settings.EMBEDDED):
        raise NotADemo(
            "The demo's accounts have known passwords: they are made only with DEMO on and without DATABASE_URL."
        )
    with transaction.atomic():
        admin = demo_user(DEMO_ADMIN, name="Demo admin", superuser=True)
        for email, name in ANNOTATORS.items():
            demo_user(email, name=name)
        return [load_project(demo, owner=admin) for demo in PROJECTS]


def demo_user(email: str, *, name: str, superuser: bool = False) -> User:
    """The account, with the demo's password where it has none yet."""
    user = ensure_user(email, name=name)
    if not user.has_usable_password():
        user.set_password(DEMO_PASSWORD)
        user.is_staff = user.is_superuser = superuser
        user.name = user.name or name
        user.save()
    return user


def load_project(demo: DemoProject, *, owner: User) -> Project:
    """The project with its instances; guidelines that were edited since are not written over."""
    project = Project.objects.filter(slug=demo.slug).first()
    if project is None:
        project = create_project(slug=demo.slug, template=demo.template, owner=owner, name=demo.name)
        project.description = DESCRIPTION
        project.save(update_fields=["description"])
        write_guidelines(project, text=demo.guidelines, author=owner)
        for email in ANNOTATORS:
            add_member(project, email=email)
    import_file(project, FOLDER / demo.file, schema="switchyard")
    return project
