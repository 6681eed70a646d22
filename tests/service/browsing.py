"""A desk behind a real socket, and a real Chromium in front of it.

In: an application. Out: its address; pages that fail the test when the browser complains of anything. The one decision: nothing here knows a page.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.service.desks import listening

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = Path(os.environ.get("PHRASECHECK_SHOTS") or Path(__file__).parents[1] / "artefacts")  # screenshots of every page go there
WIDTHS = (1280, 390)
PATIENCE_MS = 30_000  # argon2 and a browser on two busy cores


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application's address for as long as the block lasts."""
    with listening(app, log_level="warning", access_log=False) as place:
        yield f"http://{place}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def opened(browser: Browser, url: str, width: int = 1280) -> Iterator[Page]:
    """A page of a person of his own (own cookies). Afterwards: the browser had nothing to complain of, and everything came from the desk."""
    complaints: list[str] = []
    foreign: list[str] = []
    with browser.new_context(viewport={"width": width, "height": 860}, base_url=url, locale="zh-CN") as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: foreign.append(request.url) if not request.url.startswith((url, "data:", "blob:")) else None)
        yield page
    complaints = [line for line in complaints if "status of 4" not in line]  # an answer 4xx that the test asked for is no complaint
    assert complaints == [], complaints
    assert foreign == [], foreign


def shoot(page: Page, name: str) -> None:
    """The page at every width; it must not be wider than the screen. Kept in SHOTS."""
    before = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 860})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width} pixels"
        page.evaluate("scrollTo({top: 0, behavior: 'instant'})")  # else a bar that sticks stands in the middle of the picture
        page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
    assert before is not None
    page.set_viewport_size(before)
