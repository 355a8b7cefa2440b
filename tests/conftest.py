"""What all tests share: where the real data lies, and calm threads on small machines."""

import os
import shutil
from pathlib import Path

import pytest

# Before PyTorch is loaded: two workers share two cores, and threads that wait for each other burn the time of both.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

REAL = Path(os.environ.get("SEEWHY_REAL", Path(__file__).parents[2] / "shared" / "real"))


@pytest.fixture(scope="session")
def real():
    """The folder of real models and pictures; tests that need it skip where it is absent."""
    if not REAL.is_dir():
        pytest.skip(f"no real models and pictures at {REAL} (SEEWHY_REAL names the folder)")
    return REAL


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--force-color-profile=srgb"),
]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("no chromium on the path")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def tabs(browser):
    """Tabs by their options, used again, for a new one takes as long as a test; and what went wrong in them."""
    made, troubles = {}, []

    def tab_of(options):
        if str(options) not in made:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
            context.set_default_timeout(20_000)
            tab = made[str(options)] = context.new_page()
            tab.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
            tab.on("pageerror", lambda error: troubles.append(str(error)))
            tab.on("dialog", lambda dialog: (troubles.append(f"dialog {dialog.message}"), dialog.dismiss()))
            tab.on("request", lambda request: troubles.append(request.url))
        return made[str(options)]

    return tab_of, troubles


@pytest.fixture
def opened(tabs):
    """Opens a file; afterwards nothing was said to the console and nothing was asked of any network."""
    tab_of, troubles = tabs
    files = []

    def open_file(path, view="", **options):
        tab = tab_of(options)
        tab.emulate_media(media="screen")
        tab.goto("about:blank")
        files.append(path.as_uri())
        tab.goto(f"{path.as_uri()}#{view}")
        return tab

    yield open_file
    said = [each for each in troubles if not each.startswith(("data:", *files))]
    troubles.clear()
    assert not said
