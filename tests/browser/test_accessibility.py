"""axe-core reports nothing on any page of the annotator's, in light and dark, nor on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from annotate.actions import set_gold
from ledger.project_settings import change_settings
from tests.browser.axe import assert_accessible
from tests.browser.conftest import MakeWork, many, pair
from tests.browser.test_workbench import press, start

pytestmark = pytest.mark.browser

RICH = {
    "prompt": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "First?"},
        {"role": "assistant", "content": "One."},
        {"role": "user", "content": "Then $x^2$?"},
    ],
    "responses": [
        {
            "text": "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
            "```python\ndef f(): return 'x'  # why\n```\n\n> quote"
        },
        {"text": "السماء زرقاء [link](https://example.org) `code` ~~gone~~\n\n1. one\n2. two\n\na\u202eb"},
    ],
    "context": {"reference": "Forty-two.", "rubric": {"1": "bad", "5": "good"}},
    "metadata": {"language": "ar"},
}

STRANGERS = ["/", "/accounts/sign-in/", "/accounts/reset/", "/accounts/reset/sent/", "/accounts/signed-out/"]
INSIDE = [
    "/settings/",
    "/accounts/password/",
    "/projects/bread/work/guidelines/",
    "/projects/none/work/",
    "/projects/bread/work/",
]


@pytest.mark.parametrize("path", STRANGERS)
def test_strangers_pages(path: str, page: Page, live_server: Any, transactional_db: None) -> None:
    page.goto(live_server.url + path)
    assert_accessible(page)


@pytest.mark.parametrize("path", INSIDE)
def test_pages(path: str, ann: Callable[[], Page], make_work: MakeWork, live_server: Any) -> None:
    make_work("multipref", [pair(1, **RICH)])
    page = ann()
    page.goto(live_server.url + path)
    page.wait_for_timeout(500)
    assert_accessible(page)


@pytest.mark.parametrize("template", ["multipref", "ranking", "helpsteer2", "helpsteer2-preference"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_workbench(
    template: str, width: int, ann: Callable[[], Page], make_work: MakeWork, live_server: Any
) -> None:
    project = make_work(template, [many(1, 4) if template == "ranking" else pair(1, **RICH)])
    page = ann()
    page.set_viewport_size({"width": width, "height": 800})
    start(page, live_server, project)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    press(page, "1", "d", "e")
    page.wait_for_timeout(300)
    assert_accessible(page)
    press(page, "g")
    assert_accessible(page, "guidelines open")
    press(page, "g", "s")
    assert_accessible(page, "skip open")


def test_nothing_left(ann: Callable[[], Page], make_work: MakeWork, live_server: Any) -> None:
    make_work("multipref", [])
    page = ann()
    page.goto(f"{live_server.url}/projects/bread/work/")
    assert_accessible(page)


def test_high_contrast(ann: Callable[[], Page], make_work: MakeWork, live_server: Any) -> None:
    project = make_work("multipref", [pair(1, **RICH)])
    page = ann()
    page.context.add_cookies([{"name": "contrast", "value": "more", "url": live_server.url}])
    start(page, live_server, project)
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert_accessible(page)


def test_onboarding(ann: Callable[[], Page], make_work: MakeWork, live_server: Any) -> None:
    """Consent, profile, training and its explanation, in turn."""
    project = make_work("helpsteer2-preference", [pair(1, **RICH), pair(2)])
    set_gold(project.instances.get(ref="pair-1"), {"overall": {"strength": 2}}, explanation="Because.")
    steps = {
        "consent": "You may **stop**.",
        "profile": {"form": "prism"},
        "training": {"instances": ["pair-1"]},
    }
    change_settings(project, {"onboarding": steps})
    page = ann()
    page.goto(f"{live_server.url}/projects/bread/work/")
    assert_accessible(page, "consent")
    page.locator("main input[type=checkbox]").check()
    page.locator("main button.main").click()
    assert_accessible(page, "profile")
    page.get_by_role("button", name="Say nothing and go on").click()
    assert_accessible(page, "training")
    page.get_by_role("radiogroup").first.locator("input").first.check(force=True)
    page.locator("main button.main").click()
    assert_accessible(page, "explanation")
