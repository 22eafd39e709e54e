"""Every task type is finished with the keyboard alone, and without scripts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from annotate.models import Assignment
from ledger.actions import add_aspect
from ledger.models import Project
from ledger.task_types import TASK_TYPES
from ledger.templates import AspectSpec
from tests.browser.axe import assert_accessible
from tests.browser.conftest import MakeWork, Record, sign_in
from tests.browser.test_workbench import start

pytestmark = pytest.mark.browser

ONE = "The sky is green. It scatters blue light.\n\nSo it looks blue."
TWO = "Because of Rayleigh scattering. Short waves scatter more."
THREE = "Nobody knows."


@dataclass(frozen=True)
class Case:
    """How a task type is asked, its keys, its clicks without scripts, and what must be in the ledger (by places)."""

    responses: tuple[str | list[dict[str, Any]], ...]  # texts, or the messages of trajectories
    keys: tuple[str, ...]
    plain: Callable[[Page], None]
    value: Callable[[list[int]], dict[str, Any]]
    settings: dict[str, Any]
    task: str = ""  # where the case is not named after it


def record(case: Case) -> Record:
    responses = [
        {"text": given} if isinstance(given, str) else {"text": given[-1]["content"], "messages": given}
        for given in case.responses
    ]
    return {"id": "one", "prompt": "Why is the sky blue?", "responses": responses}


def first_of_each(page: Page) -> None:
    for group in page.get_by_role("radiogroup").all():
        group.locator("input").first.check(force=True)


def write(*texts: str) -> Callable[[Page], None]:
    def fill(page: Page) -> None:
        for area, text in zip(page.locator("textarea").all(), texts, strict=True):
            area.fill(text)

    return fill


def fill_numbers(page: Page) -> None:
    for field in page.locator("input[type=number]").all():
        field.fill("70")


def quote(page: Page) -> None:
    page.get_by_label("Words").first.fill("is green")


def best_and_worst(page: Page) -> None:
    page.get_by_role("radiogroup", name="Best").locator("input").nth(0).check(force=True)
    page.get_by_role("radiogroup", name="Worst").locator("input").nth(1).check(force=True)


def mark(response: int, text: str, words: str, label: str) -> dict[str, Any]:
    start = text.index(words)
    return {"response": response, "start": start, "end": start + len(words), "label": label}


CALLS = [{"function": {"name": "search", "arguments": {"query": "sky blue"}}}]
TRAJECTORY = [
    {"role": "assistant", "content": "I search for it.", "tool_calls": CALLS},
    {"role": "tool", "name": "search", "content": "Rayleigh scattering. " * 100},
    {"role": "assistant", "content": "**Rayleigh** scattering."},
]
SEGMENTS = ("The sky is green.", "It scatters blue light.", "So it looks blue.")
CASES = {
    "pairwise": Case((ONE, TWO), ("1",), first_of_each, lambda o: {"strength": -2 if o[0] == 0 else 2}, {}),
    "joint": Case((ONE, TWO), ("1",), first_of_each, lambda o: {"strength": -2 if o[0] == 0 else 2}, {}),
    "ranking": Case((ONE, TWO), ("1", "1"), first_of_each, lambda o: {"ranks": [1, 1]}, {}),
    "rating": Case((ONE, TWO), ("1", "1"), first_of_each, lambda o: {"ratings": {"0": 1, "1": 1}}, {}),
    "satisfaction": Case((ONE, TWO), ("1", "1"), first_of_each, lambda o: {"ratings": {"0": 1, "1": 1}}, {}),
    "slider": Case((ONE, TWO), ("7", "7"), fill_numbers, lambda o: {"ratings": {"0": 70, "1": 70}}, {}),
    "best_worst": Case(
        (ONE, TWO, THREE), ("1", "2"), best_and_worst, lambda o: {"best": o[0], "worst": o[1], "size": 3}, {}
    ),
    "triplet": Case((ONE, TWO, THREE), ("1",), first_of_each, lambda o: {"alike": sorted(o[:2])}, {}),
    "spans": Case(
        (ONE, ONE),
        ("ArrowRight", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "1"),
        quote,
        lambda o: {"marks": [mark(o[0], ONE, "is green", "factual error")]},
        {},
    ),
    "sentences": Case(
        (ONE, THREE),
        ("1", "1", "1", "1"),
        first_of_each,
        lambda o: {
            "marks": [*(mark(0, ONE, words, "good") for words in SEGMENTS), mark(1, THREE, THREE, "good")]
        },
        {},
    ),
    "steps": Case(
        (ONE, THREE),
        ("1", "1", "1"),
        first_of_each,
        lambda o: {
            "marks": [
                mark(0, ONE, ONE[:41], "right"),
                mark(0, ONE, ONE[43:], "right"),
                mark(1, THREE, THREE, "right"),
            ],
            "first_errors": {},
        },
        {},
    ),
    "trajectory": Case(
        (TRAJECTORY, TRAJECTORY),
        ("1",) * 8,
        first_of_each,
        lambda o: {
            "marks": [
                {"response": response, **place, "label": "right"}
                for response in (0, 1)
                for place in ({"message": 0}, {"message": 0, "call": 0}, {"message": 1}, {"message": 2})
            ],
            "first_errors": {},
        },
        {},
        "steps",
    ),
    "edit": Case(
        (THREE, THREE),
        ("Tab", "Control+End", " ", "yet", "."),
        lambda page: page.locator("textarea").first.fill("Nobody knows. yet."),
        lambda o: {
            "edits": {
                str(o[0]): {
                    "text": "Nobody knows. yet.",
                    "diff": [["=", "Nobody knows."], ["+", " yet."]],
                    "distance": 2,
                }
            }
        },
        {},
    ),
    "text": Case(
        (ONE, TWO), ("Tab", "Because", " ", "so"), write("Because so"), lambda o: {"text": "Because so"}, {}
    ),
}


def make(case: Case, name: str, make_work: MakeWork) -> Project:
    project = make_work("blank", [record(case)])
    add_aspect(
        project, AspectSpec("overall", case.task or name, case.settings, description="What do you say?")
    )
    return project


def test_every_asked_task_type_is_tried() -> None:
    assert {case.task or name for name, case in CASES.items()} == {
        name for name in TASK_TYPES if any(TASK_TYPES.load(name).fits(n) for n in range(1, 5))
    }


@pytest.mark.parametrize("name", CASES)
def test_by_keyboard(name: str, ann: Callable[[], Page], make_work: MakeWork, live_server: Any) -> None:
    case = CASES[name]
    project = make(case, name, make_work)
    page = start(ann(), live_server, project)
    page.wait_for_timeout(300)
    if case.keys[0] == "Tab":
        page.locator(".aspect .name").first.focus()
    for key in case.keys:
        page.keyboard.type(key) if key.islower() or key == "Because" else page.keyboard.press(key)
    assert_accessible(page, name)
    page.keyboard.press("Control+Enter" if "Tab" in case.keys else "Enter")
    expect(page.locator("h1")).to_have_text("Nothing left to label here")
    assert project.labels.get().value == case.value(Assignment.objects.get().order)
    page.keyboard.press("b")
    expect(page.locator(".prompt")).to_contain_text("correcting earlier work")
    page.wait_for_timeout(300)
    expect(page.locator(".aspect")).to_have_attribute("data-answered", "")


@pytest.mark.parametrize("name", CASES)
def test_without_scripts(name: str, browser: Browser, make_work: MakeWork, live_server: Any) -> None:
    case = CASES[name]
    project = make(case, name, make_work)
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, live_server.url, "ann@example.org")
    page = context.new_page()
    page.goto(f"{live_server.url}/projects/bread/work/")
    page.get_by_role("button", name="Submit").click()
    assert page.locator(".aspect .error:visible").count() == 1 and not project.labels.exists()
    case.plain(page)
    page.get_by_role("button", name="Submit").click()
    assert "Nothing left to label here" in page.content()
    assert project.labels.get().value == case.value(Assignment.objects.get().order)
    page.get_by_role("link", name="Back to what I did").click()
    page.get_by_role("button", name="Submit").click()
    live = project.labels.live().get()
    assert live.value == case.value(Assignment.objects.get().order) and live.replaces is not None
    context.close()


def test_a_trajectory_is_judged_step_by_step(
    ann: Callable[[], Page], make_work: MakeWork, live_server: Any
) -> None:
    """The step at hand stands out in its pane; the first wrong one is told; a long result of a tool is folded."""
    project = make(CASES["trajectory"], "trajectory", make_work)
    page = start(ann(), live_server, project)
    pane = page.locator(".pane").first
    expect(pane.locator(".turn > small")).to_have_text(
        ["Assistant", "Tool call: search", "Result of search", "Assistant"]
    )
    expect(pane.locator(".call pre")).to_contain_text('"query": "sky blue"')
    expect(pane.locator(".tool .answer")).to_be_hidden()
    expect(pane.locator(".seg[data-here]")).to_have_attribute("data-start", "m0")
    for key in ("1", "2", "3", "2"):
        page.keyboard.press(key)
    expect(page.locator(".pane").nth(1).locator(".seg[data-here]")).to_have_attribute("data-start", "m0")
    said = [segment.get_attribute("data-said") for segment in pane.locator(".seg").all()]
    assert said == ["right", "wrong · first error", "neutral", "wrong"]
    for key in ("1", "1", "1", "1", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("h1")).to_have_text("Nothing left to label here")
    assert project.labels.get().value["first_errors"] == {str(Assignment.objects.get().order[0]): 0}
