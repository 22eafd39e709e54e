"""Exports in a real browser: chosen, looked at, frozen, prepared, downloaded, traced; with scripts and without."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from exports.models import PreparedFile
from exports.prepared import progress_key
from exports.tasks import write_prepared_file
from ledger.models import Project
from tests.browser.axe import assert_accessible
from tests.browser.conftest import MakeWork, label_and_route, pair, sign_in
from tests.browser.test_dashboard import TOO_WIDE

pytestmark = pytest.mark.browser

BASE = "/projects/bread/exports/"
PICTURES = os.environ.get("PICTURES")  # a folder for what the pages look like


@pytest.fixture
def bread(make_work: MakeWork) -> Project:
    """Thirty instances of two languages, labelled by two people and a judge, and routed."""
    records = [pair(n, metadata={"language": "en" if n % 2 else "de", "source": "s"}) for n in range(30)]
    project = make_work("multipref", records)
    label_and_route(project)
    return project


def look(page: Page, name: str) -> None:
    """The page is accessible, fits a phone, and is pictured in light and dark where PICTURES says where."""
    assert_accessible(page, name)
    if PICTURES:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}.png", full_page=True)
    size = page.viewport_size
    page.set_viewport_size({"width": 360, "height": 740})
    wide = page.evaluate(TOO_WIDE)
    assert not wide, f"{name} is wider than a phone: {wide}"
    page.set_viewport_size(size or {"width": 1280, "height": 800})


def saved(page: Page, click: Any) -> list[dict[str, Any]]:
    """The JSON Lines that a click downloads."""
    with page.expect_download() as waiting:
        click()
    return [orjson.loads(line) for line in Path(waiting.value.path()).read_bytes().splitlines()]


def test_an_export_from_choice_to_trace(owner: Page, live_server: Any, eager_tasks: None) -> None:
    owner.goto(live_server.url + BASE)
    look(owner, "exports-new")
    owner.get_by_label("Format").select_option("soft")
    owner.get_by_label("Labels", exact=True).select_option("fused")
    owner.get_by_label("Ties").select_option("soft")
    owner.get_by_text("Texts and slices").click()
    owner.get_by_label("Language").fill("en")
    owner.get_by_role("button", name="Look at ten rows").click()
    expect(owner.get_by_role("heading", name="15 rows")).to_be_visible()
    expect(owner.get_by_text("Dropped: language is not en")).to_be_visible()
    assert owner.locator("#preview tbody tr").count() == 10
    look(owner, "exports-preview")
    rows = saved(owner, owner.get_by_role("button", name="Download").click)
    assert len(rows) == 15
    assert {row["source"] for row in rows} == {"fused"}

    owner.get_by_label("Name", exact=True).fill("v1")
    owner.get_by_role("button", name="Freeze").click()
    expect(owner.get_by_text("v1 is frozen: 15 rows")).to_be_visible()
    owner.get_by_label("Version", exact=True).first.select_option("v1")
    owner.get_by_label("File").select_option("folder")
    owner.get_by_role("button", name="Prepare in the background").click()
    expect(owner.get_by_text("A worker writes v1")).to_be_visible()
    with owner.expect_download() as waiting:
        owner.locator("#files").get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename == "bread-v1-soft.zip"
    look(owner, "exports-prepared")

    owner.get_by_role("link", name="v1", exact=True).click()
    expect(owner.get_by_role("heading", name="Known biases")).to_be_visible()
    look(owner, "exports-version")
    owner.get_by_label("Row id").fill(rows[0]["row"])
    owner.get_by_role("button", name="Trace").click()
    expect(owner.get_by_text("settled from fused by fused")).to_be_visible()
    assert owner.locator("tbody tr").count() == 3
    look(owner, "exports-trace")


def test_a_file_that_is_written_shows_how_far_it_is(owner: Page, live_server: Any) -> None:
    owner.goto(live_server.url + BASE)
    owner.get_by_role("button", name="Prepare in the background").click()
    expect(owner.locator("#files progress")).to_be_visible()
    file = PreparedFile.objects.get()
    PreparedFile.objects.update(status=PreparedFile.Status.RUNNING)
    cache.set(progress_key(file), 12, 60)
    expect(owner.get_by_text("12 of some")).to_be_visible(timeout=10_000)
    look(owner, "exports-running")
    write_prepared_file(file.pk)
    expect(owner.locator("#files").get_by_role("link", name="Download")).to_be_visible(timeout=10_000)


def test_it_all_works_without_scripts(
    browser: Browser, bread: Project, live_server: Any, eager_tasks: None
) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        sign_in(context, live_server.url, "owner@example.org")
        page = context.new_page()
        page.goto(live_server.url + BASE)
        page.get_by_label("Ties").select_option("both")
        page.get_by_role("button", name="Look at ten rows").click()
        expect(page.locator("#preview")).to_be_visible()
        assert "csrfmiddlewaretoken" not in page.url
        page.get_by_role("button", name="Prepare in the background").click()
        rows = saved(page, page.locator("#files").get_by_role("link", name="Download").click)
        assert rows
        for version in ("a", "b"):
            page.get_by_label("Name", exact=True).fill(version)
            page.get_by_role("button", name="Freeze").click()
            expect(page.get_by_text(f"{version} is frozen")).to_be_visible()
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_text("the same, byte for byte")).to_be_visible()
        page.go_back()
        page.get_by_role("button", name="Look at ten rows").click()
        page.locator("#preview tbody a").first.click()
        expect(page.get_by_role("columnheader", name="Rater")).to_be_visible()
    finally:
        context.close()
