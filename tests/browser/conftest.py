"""A project with work in it, and a page on which its annotator has signed in."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import BrowserContext, Page

from accounts.models import User
from ledger.actions import add_member, create_project
from ledger.imports.load import import_stream
from ledger.models import Project, Rater
from routing.actions import route
from routing.planning import Request
from tests.integration.dashboard.conftest import say

pytestmark = pytest.mark.browser

Record = dict[str, Any]
MakeWork = Callable[..., Project]


def pair(number: int, **extra: Any) -> Record:
    """An instance of two responses whose models have telling names."""
    return {
        "id": f"pair-{number}",
        "prompt": f"Why is bread dense? ({number})",
        "responses": [
            {"text": f"It was **over-proofed**. Shorten the bulk. ({number})", "model": "secret-model-alpha"},
            {"text": "Many causes.\n\n- starter\n- oven\n- flour", "model": "secret-model-beta"},
        ],
        "metadata": {"source": "secret-source"},
        **extra,
    }


def many(number: int, size: int = 3) -> Record:
    texts = [f"Answer {chr(65 + place)}" for place in range(size)]
    return {
        "id": f"many-{number}",
        "prompt": "Name a language.",
        "responses": [{"text": text} for text in texts],
    }


@pytest.fixture
def make_work(transactional_db: None) -> MakeWork:
    """`make_work("multipref", [records])` is a project in which ann@example.org labels."""

    def make(template: str, records: list[Record], *, slug: str = "bread", overlap: int = 1) -> Project:
        cache.clear()
        owner = User.objects.by_email("owner@example.org") or User.objects.create_user(
            "owner@example.org", "x"
        )
        project = create_project(slug=slug, template=template, owner=owner, name="Bread", overlap=overlap)
        add_member(project, email="ann@example.org")
        body = "\n".join(json.dumps(record) for record in records).encode()
        report = import_stream(project, io.BytesIO(body), name="records.jsonl")
        assert not report.errors, report.errors
        return project

    return make


def sign_in(context: BrowserContext, url: str, email: str) -> None:
    """A session's cookie, without the detour over the sign-in page."""
    client = Client()
    client.force_login(User.objects.get(email=email))
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}])


@pytest.fixture
def ann(context: BrowserContext, live_server: Any, make_work: MakeWork) -> Callable[[], Page]:
    """`ann()` is a page on which ann@example.org has signed in; script errors fail the test."""
    pages: list[Page] = []
    errors: list[str] = []

    def open_page() -> Page:
        sign_in(context, live_server.url, "ann@example.org")
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: collect(message.type, message.text, errors))
        pages.append(page)
        return page

    yield open_page
    assert not errors, errors


def collect(kind: str, text: str, errors: list[str]) -> None:
    if kind == "error" and "Content Security Policy" in text:
        errors.append(text)


def label_and_route(project: Project) -> None:
    """Has two people and a judge label thirty pairs, and routes them; the owner becomes staff."""
    User.objects.filter(pk=project.owner_id).update(is_staff=True)
    say(project, "ann", {f"pair-{n}": 1 if n % 3 else -1 for n in range(30)})
    say(project, "bob", {f"pair-{n}": 1 if n % 4 else 0 for n in range(30)})
    say(project, "gpt", {f"pair-{n}": 1 for n in range(30)}, kind=Rater.Kind.JUDGE, order=(0, 1))
    route(project, Request(policy="random", seed=1, budget=0.3))


@pytest.fixture
def owner(context: BrowserContext, live_server: Any, bread: Project) -> Iterator[Page]:
    """A page on which the owner of the module's `bread` has signed in; refused styles and scripts fail the test."""
    errors: list[str] = []
    sign_in(context, live_server.url, "owner@example.org")
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: collect(message.type, message.text, errors))
    yield page
    assert not errors, errors
