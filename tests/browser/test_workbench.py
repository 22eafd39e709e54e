"""The annotator's day in a real browser: keys alone, no scripts, no network, two tabs."""

import base64
import gzip
import io
import json
import re
import statistics
import urllib.request
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from accounts.models import Token, User
from annotate.models import Assignment
from ledger.imports.load import import_stream
from ledger.media import folder
from ledger.models import Label, Project
from tests.browser.axe import assert_accessible
from tests.browser.conftest import MakeWork, many, pair, sign_in
from tests.browser.relay import Relay
from web.media import keep

pytestmark = pytest.mark.browser

OpenPage = Callable[[], Page]
READY = "() => document.querySelector('#main') === document.activeElement || document.querySelector('.empty')"


def start(page: Page, live_server: Any, project: Project) -> Page:
    page.goto(f"{live_server.url}/projects/{project.slug}/work/")
    page.wait_for_selector("#work[data-since]")
    return page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def values(project: Project) -> dict[str, dict[str, Any]]:
    return {label.aspect.name: label.value for label in project.labels.live().select_related("aspect")}


def shown_strength(strength: int) -> int:
    """A strength by the screen (negative: the left is better) in the ledger's sense."""
    return strength if Assignment.objects.get().order == [0, 1] else -strength


def wait_for_labels(project: Project, count: int, page: Page) -> None:
    for _attempt in range(200):
        if project.labels.live().count() == count:
            return
        page.wait_for_timeout(100)
    assert project.labels.live().count() == count


def wait_until(page: Page, locator: Locator, condition: str) -> None:
    """Return once the condition holds of the element; the page's own policy forbids Playwright's wait_for_function."""
    for _attempt in range(100):
        if locator.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never came true: {condition}")


# ---------------------------------------------------------------- keys alone


def test_multipref_by_keyboard(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("multipref", [pair(1)])
    page = start(ann(), live_server, project)
    press(page, "1", "Shift+3")
    page.get_by_text("concise").first.click()
    press(page, "Enter", "4", "Enter", "3", "Enter", "0")
    expect(page.locator("[data-do=submit] [data-final]")).to_have_text("Submit")
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("Nothing left to label here")
    helpful = {"strength": shown_strength(-2), "confidence": 3, "reasons": ["concise"]}
    truthful, harmless = {"strength": shown_strength(1)}, {"strength": 0}
    expected = {"helpful": helpful, "truthful": truthful, "harmless": harmless, "overall": {"both_bad": True}}
    assert values(project) == expected
    assert project.labels.first().order == Assignment.objects.get().order
    assert project.labels.first().duration_ms > 0


def test_a_missing_answer_is_never_passed_over(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("multipref", [pair(1)])
    page = start(ann(), live_server, project)
    press(page, "Enter", "Enter")
    expect(page.locator(".aspect[data-open]")).to_have_attribute("data-wrong", "")
    press(page, "j", "j", "j", "1", "Enter")
    expect(page.locator(".aspect[data-open] .name").first).to_contain_text("Helpful")
    assert not project.labels.exists()


def test_ranking_by_keyboard_with_a_tie(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("ranking", [many(1)])
    page = start(ann(), live_server, project)
    press(page, "2", "1", "1")
    expect(page.locator(".line")).to_have_text("2 = 3 > 1")
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("Nothing left to label here")
    order = Assignment.objects.get().order
    ranks = dict(zip(order, [2, 1, 1], strict=True))
    assert values(project)["overall"] == {"ranks": [ranks[index] for index in range(3)]}


def test_ranking_by_dragging(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("ranking", [many(1)])
    page = start(ann(), live_server, project)
    rows = page.locator("[data-row]")
    grip, first = rows.nth(2).locator(".handle").bounding_box(), rows.nth(0).bounding_box()
    page.mouse.move(grip["x"] + 4, grip["y"] + 6)
    page.mouse.down()
    page.mouse.move(first["x"] + 40, first["y"] + 2, steps=6)
    page.mouse.up()
    expect(page.locator(".line")).to_have_text("3 > 1 > 2")


def test_sixty_four_responses_are_ranked_by_typing(
    ann: OpenPage, make_work: MakeWork, live_server: Any
) -> None:
    project = make_work("ranking", [many(1, 64)])
    page = start(ann(), live_server, project)
    for place in range(1, 65):
        page.keyboard.type(str(place))
        press(page, "Enter")
    expect(page.locator("h1")).to_have_text("Nothing left to label here")
    order = Assignment.objects.get().order
    assert [values(project)["overall"]["ranks"][index] for index in order] == list(range(1, 65))


def test_an_untouched_ranking_is_asked_about(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("ranking", [many(1)])
    page = start(ann(), live_server, project)
    page.locator("[data-do=submit]").click()
    expect(page.locator("[data-untouched-warning]")).to_be_visible()
    assert not project.labels.exists()
    page.locator("[data-do=submit]").click()
    expect(page.locator("h1")).to_have_text("Nothing left to label here")
    assert values(project)["overall"]["untouched"] is True


def test_rating_by_keyboard(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("helpsteer2", [pair(1)])
    page = start(ann(), live_server, project)
    for _aspect in range(5):
        press(page, "4", "2")
        page.wait_for_timeout(450)
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("Nothing left to label here")
    first, second = Assignment.objects.get().order
    assert values(project)["verbosity"] == {"ratings": {str(first): 4, str(second): 2}}
    assert len(values(project)) == 5


def test_keys_stay_quiet_while_a_text_is_typed(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("multipref", [pair(1)])
    page = start(ann(), live_server, project)
    press(page, "c")
    page.keyboard.type("12 skip back submit 0")
    expect(page.locator(".aspect[data-open] .words")).to_have_value("12 skip back submit 0")
    expect(page.locator(".aspect[data-open] [data-choice]:checked")).to_have_count(0)
    press(page, "Escape", "2")
    expect(page.locator(".aspect[data-open] [data-choice]:checked")).to_have_count(1)


def test_skip_and_flag_with_a_reason(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("multipref", [pair(1), pair(2), pair(3)])
    page = start(ann(), live_server, project)
    press(page, "s", "1")
    expect(page.locator(".prompt")).to_contain_text("(2)")
    press(page, "f", "2")
    expect(page.locator(".prompt")).to_contain_text("(3)")
    reasons = list(Assignment.objects.order_by("pk").values_list("status", "reason"))
    assert reasons[:2] == [("skipped", "I cannot judge this"), ("skipped", "flag: offensive or disturbing")]


def test_own_keys(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("multipref", [pair(1)])
    page = ann()
    page.goto(f"{live_server.url}/settings/")
    page.get_by_label("Guidelines").fill("g")
    page.get_by_label("Skip").fill("g")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".error").first).to_contain_text("The key g is taken already.")
    page.get_by_label("Skip").fill("x")
    page.get_by_role("button", name="Save").click()
    start(page, live_server, project)
    press(page, "x")
    expect(page.locator("[data-panel=skip]")).to_have_attribute("open", "")


# ---------------------------------------------------------------- reading


def test_differences_scroll_lock_and_earlier_turns(
    ann: OpenPage, make_work: MakeWork, live_server: Any
) -> None:
    turns = [
        {"role": "user", "content": "First?"},
        {"role": "assistant", "content": "One."},
        {"role": "user", "content": "Then?"},
    ]
    same = "\n\n".join(f"Paragraph {n} says the same thing in both." for n in range(30))
    texts = [{"text": f"{same}\n\nOnly here."}, {"text": f"Quite another start.\n\n{same}"}]
    project = make_work("multipref", [pair(1, prompt=turns, responses=texts)])
    page = start(ann(), live_server, project)
    press(page, "d")
    assert set(page.locator(".pane .d").all_inner_texts()) == {"Only here.", "Quite another start."}
    press(page, "d")
    assert page.locator(".pane .d").count() == 0
    press(page, "e")
    expect(page.locator(".earlier")).to_have_attribute("open", "")
    press(page, "l")
    page.locator(".pane .body").first.hover()
    page.mouse.wheel(0, 400)
    wait_until(page, page.locator(".pane .body").nth(1), "node => node.scrollTop > 200")


def test_guidelines_open_beside_the_work(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("multipref", [pair(1)])
    page = start(ann(), live_server, project)
    press(page, "g")
    expect(page.locator("#guidelines")).to_contain_text("Read the prompt")
    press(page, "g")
    expect(page.locator("#guidelines")).to_be_hidden()


def test_mathematics_is_typeset(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    texts = [{"text": "So $x^2$ it is."}, {"text": r"Hence \[ \frac{1}{2} \]"}]
    project = make_work("multipref", [pair(1, responses=texts)])
    page = start(ann(), live_server, project)
    expect(page.locator(".katex")).to_have_count(2)


def test_sound_in_a_pair_plays_together(
    ann: OpenPage, make_work: MakeWork, live_server: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    project = make_work("multipref", [])
    name = keep(io.BytesIO(wav(seconds=5)), folder(project)).name
    texts = [{"text": f"Voice {number} ![voice](/media/bread/{name})"} for number in (1, 2)]
    import_stream(project, io.BytesIO(json.dumps(pair(1, responses=texts)).encode()), name="x.jsonl")
    page = start(ann(), live_server, project)
    press(page, "l")
    page.locator("audio").first.evaluate("node => node.play()")
    first, second = page.locator("audio").all()
    wait_until(page, second, "node => !node.paused && node.currentTime > 0")
    second.evaluate("node => node.pause()")
    wait_until(page, first, "node => node.paused")


# Records a canvas that says its time as a shade of grey; the recording as base64, without a length in its head.
RECORD = """(seconds) => new Promise((resolve) => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 64, height: 48});
    const brush = canvas.getContext("2d"), began = performance.now();
    const paint = () => {
        const share = (performance.now() - began) / 1000 / seconds;
        brush.fillStyle = `rgb(${255 * share} 0 ${255 - 255 * share})`;
        brush.fillRect(0, 0, 64, 48);
        if (share < 1) setTimeout(paint, 20); else recorder.stop();
    };
    const recorder = new MediaRecorder(canvas.captureStream(30), {mimeType: "video/webm;codecs=vp8"});
    recorder.ondataavailable = async ({data}) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.split(",")[1]);
        reader.readAsDataURL(data);
    };
    recorder.start();
    paint();
})"""
TIMES = "() => [...document.querySelectorAll('.pane video')].map((film) => film.currentTime)"
LENGTHS = "() => [...document.querySelectorAll('.pane video')].map((film) => film.duration)"


@pytest.fixture(scope="session")
def recorded(browser: Browser) -> Sequence[bytes]:
    """Two films, of 3 and 2 seconds; recording takes as long as they last."""
    recorder = browser.new_page()
    films = [base64.b64decode(recorder.evaluate(RECORD, seconds)) for seconds in (3.0, 2.0)]
    recorder.close()
    return films


@pytest.fixture
def film_work(recorded: Sequence[bytes], make_work: MakeWork, settings: Any, tmp_path: Path) -> Project:
    """A project with one instance, whose responses are films."""
    settings.MEDIA_ROOT = tmp_path
    project = make_work("helpsteer2-preference", [])
    names = [keep(io.BytesIO(film), folder(project)).name for film in recorded]
    texts = [{"text": f"![The arm](/media/bread/{name})"} for name in names]
    report = import_stream(project, io.BytesIO(json.dumps(pair(1, responses=texts)).encode()), name="x.jsonl")
    assert not report.errors
    return project


@pytest.fixture
def films(film_work: Project, ann: OpenPage, live_server: Any) -> Page:
    """The work screen with two films, of about 3 and 2 seconds, loaded and at their start."""
    page = start(ann(), live_server, film_work)
    page.wait_for_function(f"() => ({LENGTHS})().every(Number.isFinite)")
    page.wait_for_function(f"() => ({TIMES})().every((time) => time < 0.05)")
    return page


def test_two_films_play_and_pause_at_one_time(films: Page) -> None:
    expect(films.locator("[data-film-clock]")).to_contain_text(" / 0:0")
    expect(films.locator("[data-film=play] kbd")).to_have_text("P")
    press(films, "p")
    expect(films.locator("[data-film=play]")).to_have_attribute("aria-pressed", "true")
    films.wait_for_function(f"() => ({TIMES})().every((time) => time > 0.4)")
    press(films, "p")
    expect(films.locator("[data-film=play]")).to_have_attribute("aria-pressed", "false")
    one, two = films.evaluate(TIMES)
    assert one == pytest.approx(two, abs=0.03) and one > 0.4
    assert films.locator("video").evaluate_all("films => films.every((film) => film.paused)")
    assert_accessible(films)


def test_two_films_are_stepped_by_pictures_and_seconds_and_stop_at_their_ends(films: Page) -> None:
    longest = max(films.evaluate(LENGTHS))
    press(films, ".", ".", ".")
    stepped = films.evaluate(TIMES)
    assert stepped[0] == pytest.approx(stepped[1], abs=0.001) and 0.05 < stepped[0] < 0.4
    press(films, ",")
    assert films.evaluate(TIMES)[0] < stepped[0]
    press(films, ">", ">", ">", ">")
    assert sorted(films.evaluate(TIMES)) == pytest.approx(sorted(films.evaluate(LENGTHS)), abs=0.05)
    press(films, "<")
    assert max(films.evaluate(TIMES)) == pytest.approx(longest - 1, abs=0.06)
    press(films, "w")
    assert max(films.evaluate(TIMES)) == pytest.approx(0, abs=0.05)


def test_the_films_bar_and_speed_have_keys_and_digits_still_answer(films: Page) -> None:
    films.locator("[data-film-time]").focus()
    press(films, "Home", "ArrowRight")
    assert films.evaluate(TIMES) == pytest.approx([0.01, 0.01], abs=0.005)
    press(films, "[")
    expect(films.locator("[data-film-speed]")).to_have_text("0.5×")
    press(films, "]", "]")
    assert films.locator("video").evaluate_all("them => them.map((film) => film.playbackRate)") == [1.5, 1.5]
    press(films, "1", "Enter")
    expect(films.locator("h1")).to_have_text("Nothing left to label here")


def test_a_films_own_controls_move_the_other_one_too(films: Page) -> None:
    films.locator("video").nth(1).evaluate("film => { film.currentTime = 1 }")
    films.wait_for_function(f"() => Math.abs(({TIMES})()[0] - 1) < 0.05")
    films.locator("video").first.evaluate("film => film.play()")
    films.wait_for_function("() => [...document.querySelectorAll('video')].every((film) => !film.paused)")
    films.locator("video").first.evaluate("film => film.pause()")
    films.wait_for_function("() => [...document.querySelectorAll('video')].every((film) => film.paused)")


def test_films_without_scripts_have_their_own_controls(
    browser: Browser, film_work: Project, live_server: Any
) -> None:
    plain = browser.new_context(java_script_enabled=False)
    sign_in(plain, live_server.url, "ann@example.org")
    page = plain.new_page()
    page.goto(f"{live_server.url}/projects/bread/work/")
    expect(page.locator("video[controls]")).to_have_count(2)
    expect(page.locator("[data-transport]")).to_be_hidden()
    plain.close()


def wav(*, seconds: int) -> bytes:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(bytes(128 for _sample in range(8000 * seconds)))
    return sound.getvalue()


# ---------------------------------------------------------------- bad input

SVG = "<svg xmlns='http://www.w3.org/2000/svg' onload='window.ran=1'><script>window.ran=1</script></svg>"
HOSTILE: dict[str, list[str]] = {
    "html": ["<script>window.ran=1</script>", "<img src=x onerror=window.ran=1><iframe srcdoc='<script>window.ran=1'>"],
    "markdown": ["[a](javascript:window.ran=1) ![b](javascript:window.ran=1)", "<a href='data:text/html,x'>c</a>" * 50],
    "svg": [SVG, f"![x](data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()})"],
    "bidi": ["if access\u202e\u2066// admin only\u2069\u2066", "\u202e" * 2000],
    "zero-width": ["a" + "\u200b" * 100_000 + "b", "e" + "\u0301" * 5000],
    "two megabytes": ["word " * 400_000, "x" * 2_000_000],
    "no image": [f"![x](/media/bread/{'0' * 32}.png)", "![x](data:image/png;base64,AAAA)"],
    "sixty-four": [f"Answer {number}" for number in range(64)],
}  # fmt: skip
REFUSED = {
    b'{"id": "nul", "prompt": "?", "responses": [{"text": "\\u0000"}, {"text": "b"}]}': "NUL",
    b'{"id": "latin", "prompt": "\xe9"}': "UTF-8",
    b"<svg/>": "JSON",
    json.dumps({"prompt": "?", "responses": [{"text": "a"}] * 65}).encode(): "2…64, not 65",
    json.dumps(
        {"prompt": "?", "responses": [{"text": "a" * 4_000_001}, {"text": "b"}]}
    ).encode(): "4,000,001",
}


def test_bad_input_is_shown_safely_or_refused_by_line(
    ann: OpenPage, make_work: MakeWork, live_server: Any
) -> None:
    """From the API's door to the screen: nothing runs, nothing overflows, every instance can be answered."""
    project = make_work("ultrafeedback", [])
    token = Token.issue(project.owner)[1]
    good = [
        {"id": name, "prompt": f"Case {name}: {texts[0][:300]}", "responses": [{"text": text} for text in texts],
         "metadata": {"language": "tlh-Piqd-x-<b>"}}
        for name, texts in HOSTILE.items()
    ]  # fmt: skip
    body = b"\n".join([*REFUSED, *(json.dumps(row).encode() for row in good)])
    request = urllib.request.Request(
        f"{live_server.url}/api/v1/projects/bread/instances/",
        body,
        {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"},
    )
    with urllib.request.urlopen(request) as answer:
        report = json.load(answer)
    assert report["imported"] == len(good)
    assert [error["line"] for error in report["errors"]] == list(range(1, len(REFUSED) + 1))
    for error, said in zip(report["errors"], REFUSED.values(), strict=True):
        assert said in error["error"], error
    page = ann()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for name, texts in HOSTILE.items():
        start(page, live_server, project)
        expect(page.locator(".prompt")).to_contain_text(f"Case {name}:")
        expect(page.locator(".pane")).to_have_count(len(texts))
        assert page.evaluate("window.ran") is None
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        assert page.locator(".pane :is(script, iframe, svg, object, embed)").count() == 0
        press(page, "s", "1")
        expect(page.locator(".prompt, .empty").first).not_to_contain_text(f"Case {name}:")


# ---------------------------------------------------------------- nothing is lost


def test_a_reload_in_the_middle_keeps_what_was_entered(
    ann: OpenPage, make_work: MakeWork, live_server: Any
) -> None:
    project = make_work("multipref", [pair(1)])
    page = start(ann(), live_server, project)
    press(page, "2", "c")
    page.keyboard.type("half a sentence")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saving")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved", timeout=2500)
    assert Assignment.objects.get().draft["fields"]
    page.evaluate("localStorage.clear()")
    page.reload()
    page.wait_for_selector("#work[data-since]")
    page.locator(".aspect .name").first.click()
    expect(page.locator(".aspect[data-open] .words")).to_have_value("half a sentence")
    expect(page.locator(".aspect[data-open] [data-choice]:checked")).to_have_count(1)


def test_a_dropped_network_loses_and_doubles_nothing(
    ann: OpenPage, context: BrowserContext, make_work: MakeWork, live_server: Any
) -> None:
    project = make_work("helpsteer2-preference", [pair(1), pair(2)])
    page = start(ann(), live_server, project)
    context.set_offline(True)
    press(page, "1", "Enter")
    expect(page.locator("#saved")).to_contain_text("1 waiting to be sent")
    assert not project.labels.exists()
    context.set_offline(False)
    expect(page.locator(".prompt")).to_contain_text("(2)", timeout=8000)
    assert project.labels.count() == 1
    assert page.evaluate("localStorage.getItem('switchyard.outbox')") == "[]"


def test_an_answer_that_got_lost_on_the_way_back_is_written_once(
    ann: OpenPage, make_work: MakeWork, live_server: Any
) -> None:
    project = make_work("helpsteer2-preference", [pair(1), pair(2)])
    page = start(ann(), live_server, project)
    cut = []

    def cut_the_answer(route: Any) -> None:
        if cut:
            return route.continue_()
        cut.append(route.fetch().status)  # the server has written it, the browser never hears
        return route.abort("connectionreset")

    page.route(re.compile("/submit/"), cut_the_answer)
    press(page, "1", "Enter")
    expect(page.locator(".prompt")).to_contain_text("(2)", timeout=8000)
    assert cut == [200] and project.labels.count() == 1


def test_a_server_that_dies_with_the_answer_in_hand_is_asked_again(
    ann: OpenPage, make_work: MakeWork, live_server: Any
) -> None:
    """The server is reached through a relay that is killed after it has passed the submission on."""
    project = make_work("helpsteer2-preference", [pair(1), pair(2)])
    relay = Relay(live_server.thread.host, live_server.thread.port)
    page = ann()
    page.goto(f"http://localhost:{relay.port}/projects/bread/work/")
    page.wait_for_selector("#work[data-since]")
    relay.die_before_answering("/submit/")
    press(page, "1", "Enter")
    expect(page.locator("#saved")).to_contain_text("waiting")
    wait_for_labels(project, 1, page)
    relay.live_again()
    expect(page.locator(".prompt")).to_contain_text("(2)", timeout=8000)
    assert project.labels.count() == 1
    relay.close()


def test_a_failing_server_keeps_the_submission(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("helpsteer2-preference", [pair(1), pair(2)])
    page = start(ann(), live_server, project)
    page.route(re.compile("/submit/"), lambda route: route.fulfill(status=502, body="bad gateway"))
    press(page, "1", "Enter")
    expect(page.locator("#saved")).to_contain_text("waiting")
    page.unroute(re.compile("/submit/"))
    page.reload()
    wait_for_labels(project, 1, page)
    expect(page.locator(".prompt")).to_contain_text("(2)")


def test_a_second_tab_corrects_instead_of_doubling(
    ann: OpenPage, make_work: MakeWork, live_server: Any
) -> None:
    project = make_work("helpsteer2-preference", [pair(1)])
    one, two = start(ann(), live_server, project), start(ann(), live_server, project)
    press(one, "1", "Enter")
    expect(one.locator("h1")).to_have_text("Nothing left to label here")
    press(two, "7", "Enter")
    expect(two.locator("[role=alert]").first).to_contain_text("submitted already")
    assert project.labels.count() == 1
    press(two, "Enter")
    expect(two.locator("h1")).to_have_text("Nothing left to label here")
    assert project.labels.count() == 2 and project.labels.live().count() == 1


def test_undo_supersedes(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("helpsteer2-preference", [pair(1), pair(2)])
    page = start(ann(), live_server, project)
    press(page, "1", "Enter")
    expect(page.locator("#receipt")).to_contain_text("Submitted")
    expect(page.locator("#receipt [data-seconds]")).to_have_text(re.compile("^[0-9]+ s$"))
    press(page, "u")
    expect(page.locator(".prompt")).to_contain_text("correcting earlier work")
    expect(page.locator("[data-choice]:checked")).to_have_count(1)
    press(page, "4", "Enter")
    expect(page.locator(".prompt")).to_contain_text("(2)")
    old, new = project.labels.order_by("pk")
    assert (old.superseded is not None, new.value["strength"], new.replaces_id) == (True, 0, old.pk)


def test_an_expired_lease_keeps_the_answers(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("helpsteer2-preference", [pair(1)])
    page = start(ann(), live_server, project)
    Assignment.objects.update(leased_at="2020-01-01T00:00Z", expires_at="2020-01-01T00:30Z")
    press(page, "2", "Enter")
    expect(page.locator("h1")).to_have_text("This instance went back into the queue")
    press(page, "Enter")
    expect(page.locator("[data-choice]:checked")).to_have_count(1)
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("Nothing left to label here")
    assert Label.objects.live().count() == 1


def test_a_session_that_ended_loses_nothing(
    ann: OpenPage, context: BrowserContext, make_work: MakeWork, live_server: Any
) -> None:
    project = make_work("helpsteer2-preference", [pair(1)])
    page = start(ann(), live_server, project)
    context.clear_cookies(name="sessionid")
    press(page, "2", "Enter")
    page.wait_for_url(re.compile("/accounts/sign-in/"))
    user = User.objects.get(email="ann@example.org")
    user.set_password("correct horse")
    user.save()
    page.get_by_label("E-mail address").fill("ann@example.org")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    wait_for_labels(project, 1, page)


# ---------------------------------------------------------------- without scripts


@pytest.mark.parametrize("template", ["multipref", "ranking", "helpsteer2", "helpsteer2-preference"])
def test_without_scripts(template: str, browser: Any, make_work: MakeWork, live_server: Any) -> None:
    record = many(1) if template == "ranking" else pair(1)
    project = make_work(template, [record])
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, live_server.url, "ann@example.org")
    page = context.new_page()
    page.goto(f"{live_server.url}/projects/bread/work/")
    page.get_by_role("button", name="Submit").click()
    assert "Choose an answer." in page.content()
    for group in page.get_by_role("radiogroup").all():
        if "sure" not in (group.get_attribute("aria-label") or ""):
            group.locator("label").first.click()
    page.get_by_role("button", name="Submit").click()
    assert "Nothing left to label here" in page.content()
    assert project.labels.count() == project.aspects.count()
    page.get_by_role("link", name="Back to what I did").click()
    assert "correcting earlier work" in page.content()
    context.close()


# ---------------------------------------------------------------- blind, light, quick


def test_nothing_tells_who_wrote_a_response(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    human = [{"aspect": "overall", "annotator": "secret-w1", "task": "pairwise", "value": 2}]
    ai = [{"aspect": "overall", "judge": "secret-judge", "task": "pairwise", "value": -2}]
    records = [pair(1, human=human, ai=ai), pair(2, human=human, ai=ai)]
    project = make_work("helpsteer2-preference", records, overlap=2)
    page = ann()
    seen: list[str] = []
    page.on("response", lambda answer: seen.append(str(answer.headers) + answer.url))
    start(page, live_server, project)
    seen.append(page.content())
    press(page, "1", "Enter")
    page.wait_for_timeout(400)
    seen.append(page.content())
    assert not re.search("secret|alpha|beta|gold", "".join(seen))


def test_the_first_load_is_small(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    project = make_work("multipref", [pair(1)])
    page = ann()
    weights: dict[str, int] = {}
    page.on("response", lambda answer: weights.update({answer.url: len(gzip.compress(answer.body()))}))
    start(page, live_server, project)
    page.wait_for_load_state("networkidle")
    assert sum(weights.values()) < 100_000, weights


def test_the_next_instance_is_readable_at_once(ann: OpenPage, make_work: MakeWork, live_server: Any) -> None:
    """Median time from the key press of submit to the next instance on the screen, painted.

    The best of three rounds, so that what else the machine does for some seconds is not measured.
    """
    project = make_work("helpsteer2-preference", [pair(number) for number in range(34)])
    page = start(ann(), live_server, project)
    page.evaluate(
        """() => {
            window.times = [];
            const pressed = (event) => { if (event.key === "Enter") window.pressed = performance.now(); };
            const painted = () => window.times.push(performance.now() - window.pressed);
            addEventListener("keydown", pressed, true);
            document.addEventListener("work:arrived", () => requestAnimationFrame(() => setTimeout(painted)));
            window.arrived = async (n) => { while (window.times.length < n) await new Promise(requestAnimationFrame); };
        }"""
    )
    for number in range(1, 34):
        press(page, "1", "Enter")
        page.evaluate("(n) => window.arrived(n)", number)
    times = page.evaluate("window.times")
    medians = [statistics.median(times[at : at + 11]) for at in (0, 11, 22)]
    print("submit to next, medians of 11:", ", ".join(f"{each:.0f} ms" for each in medians))
    assert min(medians) < 150
