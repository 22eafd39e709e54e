"""The dashboard in a real browser: accessible in every theme, alive with scripts, whole without them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from judges.actions import run_chunk, start_run
from judges.auditing import audit
from judges.keys import opened
from judges.models import Endpoint, JudgeRun
from judges.offering import Chosen, spec_from
from judges.specs import add_judge, set_endpoint
from ledger.models import Instance, Project
from routing.actions import settle
from routing.models import Route
from tests.browser.axe import assert_accessible
from tests.browser.conftest import MakeWork, label_and_route, pair, sign_in
from tests.makers import make_row

pytestmark = pytest.mark.browser

BASE = "/projects/bread/"
PAGES = [
    "/projects/", "/new-project/", "/account/", BASE, f"{BASE}instances/", f"{BASE}instances/pair-1/",
    f"{BASE}import/", f"{BASE}judges/", f"{BASE}judges/runs/1/",
    f"{BASE}judges/of/gpt/", f"{BASE}judges/of/mine/", f"{BASE}judges/of/mine/change/",
    f"{BASE}judges/new/", f"{BASE}judges/new/?method=rubric", f"{BASE}judges/new/?method=jury",
    f"{BASE}judges/endpoints/", f"{BASE}judges/endpoints/1/", f"{BASE}routing/", f"{BASE}quality/",
    f"{BASE}people/", f"{BASE}flags/?all=1", f"{BASE}settings/distribution/",
    f"{BASE}exports/?preview=1&format=trl-preference", f"{BASE}settings/",
    f"{BASE}settings/aspects/new/", f"{BASE}settings/guidelines/",
]  # fmt: skip


# The elements beyond the right edge, where the page can be scrolled sideways.
TOO_WIDE = """() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const out = (e) => e.getBoundingClientRect().right > root.clientWidth + 1;
    const beyond = [...document.querySelectorAll("body *")].filter(out);
    const told = (e) => `${e.tagName}.${e.className} ${e.textContent.trim().slice(0, 30)}`;
    return [`by ${root.scrollWidth - root.clientWidth} px`, ...beyond.reverse().map(told)];
}"""


@pytest.fixture
def bread(make_work: MakeWork) -> Project:
    """Thirty instances that people and judges labelled, routed and settled; a run under way."""
    project = make_work("multipref", [pair(number) for number in range(30)])
    label_and_route(project)
    settle(project)
    return project


def test_every_page_is_accessible_and_fits_a_phone(bread: Project, owner: Page, live_server: Any) -> None:
    run = start_run(project=bread, judge="length", queued=False)
    audit(project=bread, judge="gpt", aspect="overall")
    server = set_endpoint(project=bread, name="far", url="https://models.example.org/v1", key="sk")
    played = {"judge": Chosen("endpoint:far", "large")}
    mine = spec_from("principles", name="mine", parameters={"principles": ["Be kind."]}, played=played)
    add_judge(project=bread, spec=mine, author=None)
    for path in PAGES:
        owner.set_viewport_size({"width": 1280, "height": 800})
        path = path.replace("/runs/1/", f"/runs/{run.pk}/").replace(
            "/endpoints/1/", f"/endpoints/{server.pk}/"
        )
        owner.goto(live_server.url + path)
        assert_accessible(owner, path)
        owner.set_viewport_size({"width": 360, "height": 740})
        wide = owner.evaluate(TOO_WIDE)
        assert not wide, f"{path} is wider than a phone: {wide}"


def test_the_slider_moves_the_forecast(owner: Page, live_server: Any) -> None:
    owner.goto(live_server.url + BASE)
    slider = owner.locator("#budget")
    slider.focus()
    for _ in range(5):
        owner.keyboard.press("ArrowRight")
    expect(owner.get_by_role("link", name="Route at 35 %")).to_be_visible()
    expect(slider).to_be_focused()
    owner.get_by_role("link", name="Route at 35 %").click()
    expect(owner.locator("#budget-value")).to_have_text("35 %")


def test_a_judges_progress_moves_by_itself(bread: Project, owner: Page, live_server: Any) -> None:
    run = start_run(project=bread, judge="length", queued=False)
    chunks = list(run.chunks.all())
    owner.goto(f"{live_server.url}{BASE}judges/")
    expect(owner.get_by_text(f"0 of {run.total}")).to_be_visible()
    for chunk in chunks:
        run_chunk(chunk.pk, at=timezone.now())
    expect(owner.get_by_text(f"{run.total} of {run.total}")).to_be_visible(timeout=5000)
    expect(owner.locator(".run .chip")).to_have_text("Done")


def test_guidelines_are_previewed_while_typing(owner: Page, live_server: Any) -> None:
    owner.goto(f"{live_server.url}{BASE}settings/guidelines/")
    owner.fill("textarea", "Be **bold**.")
    expect(owner.locator("#preview").get_by_text("bold", exact=True)).to_be_visible()


@pytest.fixture
def plain(browser: Browser, live_server: Any, bread: Project) -> Iterator[Page]:
    """The owner's page in a browser without scripts."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    sign_in(context, live_server.url, "owner@example.org")
    yield context.new_page()
    context.close()


def test_the_whole_set_up_works_without_scripts(plain: Page, live_server: Any, tmp_path: Path) -> None:
    """A project from a template, a file, a route taken back, a snapshot and a download."""
    plain.goto(live_server.url + "/new-project/")
    plain.fill("#id_name", "Plain")
    plain.get_by_label("HelpSteer2-Preference").check()
    plain.get_by_role("button", name="Make the project").click()
    plain.get_by_role("link", name="Import").click()
    labels = [{"annotator": "ann", "task": "pairwise", "aspect": "overall", "value": 1}]
    verdicts = [{"judge": "gpt", "task": "pairwise", "aspect": "overall", "value": -1}]
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"\n".join(orjson.dumps(make_row(n, human=labels, ai=verdicts)) for n in range(25)))
    plain.set_input_files("#id_file", rows)
    plain.get_by_role("button", name="Look at it").click()
    expect(plain.get_by_text("25 rows in all.")).to_be_visible()
    plain.get_by_role("button", name="Import", exact=True).click()
    expect(plain.get_by_text("New instances")).to_be_visible()
    assert Instance.objects.filter(project__slug="plain").count() == 25

    plain.goto(live_server.url + "/projects/plain/")
    plain.locator("#budget").fill("40")
    plain.get_by_role("button", name="Show").click()
    plain.get_by_role("link", name="Route at 40 %").click()
    plain.get_by_label("Policy").select_option("random")
    plain.get_by_role("button", name="Look at it first").click()
    expect(plain.get_by_text("What it would do")).to_be_visible()
    assert "csrf" not in plain.url  # addresses are logged
    plain.get_by_role("button", name="Route like this").click()
    assert Route.objects.live().get(project__slug="plain").budget == 0.4
    plain.get_by_role("button", name="Take it back").click()
    assert not Route.objects.live().filter(project__slug="plain").exists()

    plain.get_by_role("link", name="Exports").click()
    plain.get_by_label("Name", exact=True).fill("v1")
    plain.get_by_role("button", name="Freeze").click()
    with plain.expect_download() as found:
        plain.get_by_role("link", name="Download v1").click()
    assert len(found.value.path().read_bytes().splitlines()) == 25


def test_a_judge_is_set_up_run_and_steered_without_scripts(
    plain: Page, bread: Project, live_server: Any
) -> None:
    """A server with its key, a judge that calls it, its prompt; a run under a budget, paused, resumed, ended."""
    plain.goto(f"{live_server.url}{BASE}judges/")
    plain.get_by_role("link", name="Model servers").click()
    plain.get_by_label("Name").fill("far")
    plain.get_by_label("Address").fill("https://models.example.org/v1")
    plain.get_by_label("Key").fill("sk-secret")
    plain.get_by_label("Price of a million tokens read").fill("2")
    plain.get_by_role("button", name="Add it").click()
    expect(plain.get_by_text("kept, encrypted")).to_be_visible()
    assert opened(Endpoint.objects.get().key) == "sk-secret" and "sk-secret" not in plain.content()

    plain.goto(f"{live_server.url}{BASE}judges/")
    plain.get_by_role("link", name="Add a judge").click()
    plain.get_by_label("principles", exact=False).first.check()
    plain.get_by_role("button", name="Go on").click()
    plain.get_by_label("Name").fill("just")
    plain.get_by_label("Where it runs").select_option("endpoint:far")
    plain.get_by_label("Model").fill("large")
    plain.get_by_label("Principles").fill("Be honest.\nBe kind.")
    plain.get_by_label("Combine").select_option("worst")
    plain.get_by_role("button", name="Add it").click()
    expect(plain.get_by_text("just stands. Try it before you run it.")).to_be_visible()
    expect(plain.get_by_role("button", name="Ask about five")).to_be_visible()

    plain.goto(f"{live_server.url}{BASE}judges/")
    card = plain.locator("article", has=plain.get_by_role("heading", name="just"))
    card.get_by_label("At most this many").fill("4")
    card.get_by_label("Stop before it costs").fill("0.25")
    card.get_by_role("button", name="Run").click()
    run = JudgeRun.objects.get()
    assert (run.total, float(run.budget), run.status) == (4, 0.25, "running")
    expect(card.get_by_text("stops before $ 0.25")).to_be_visible()
    for button, status in (("Pause", "paused"), ("Resume", "running"), ("Cancel", "cancelled")):
        plain.get_by_role("button", name=button).click()
        run.refresh_from_db()
        assert run.status == status


def test_an_upload_is_searched_and_opened_with_the_keyboard(owner: Page, live_server: Any) -> None:
    owner.goto(f"{live_server.url}{BASE}instances/")
    owner.get_by_label("Search").fill("starter -17")
    owner.keyboard.press("Enter")
    expect(owner.get_by_role("heading", name="29 instances")).to_be_visible()
    first: Callable[..., Any] = owner.locator("td.open a").first.press
    first("Enter")
    expect(owner.get_by_role("heading", name="Response 1")).to_be_visible()
