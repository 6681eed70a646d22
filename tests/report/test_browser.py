"""The page in a real Chromium, opened from disk with the network off: nothing is fetched, nothing complains, the sound plays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from phrasecheck.audio import decode
from phrasecheck.report.html import render
from tests.report.samples import call_result, lexicon

CHROMIUM = Path("/usr/bin/chromium")
HEAD = "0.8 * parseFloat(document.getElementById('head').getAttribute('x1'))"  # percent of 80 s, as seconds

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, recording: Path) -> Path:
    path = tmp_path_factory.mktemp("page") / "call-1.html"
    path.write_text(render(call_result(), lexicon(), decode(recording)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    """The page at 1280 pixels. Afterwards: no complaint, no request but for the file itself and sounds inside it."""
    complaints: list[str] = []
    requests: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 900}, offline=True) as context:
        opened = context.new_page()
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: requests.append(request.url[:80]))
        opened.goto(file.as_uri())
        yield opened
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in requests if url.startswith("file:")]) == 1


def sound(page: Page, selector: str, attribute: str) -> float:
    value: float = page.eval_on_selector(selector, f"audio => Number(audio.{attribute})")
    return value


def wait(page: Page, condition: str) -> None:
    page.wait_for_function(f"() => {condition}", timeout=15_000)


def test_a_clip_plays_and_stops_at_its_end(page: Page) -> None:
    page.click("#hit-2 .play")
    wait(page, "document.querySelector('#hit-2 .clip').currentTime > 0.2")
    assert sound(page, "#hit-2 .clip", "paused") == 0
    assert page.eval_on_selector("#hit-2", "card => card.classList.contains('chosen')")
    wait(page, f"Math.abs({HEAD} - (21.19 + document.querySelector('#hit-2 .clip').currentTime)) < 0.2")  # 1.5 s before 22.69
    page.eval_on_selector("#hit-2 .clip", "audio => { audio.playbackRate = 8; }")
    wait(page, "document.querySelector('#hit-2 .clip').ended")
    assert sound(page, "#hit-2 .clip", "paused") == 1
    assert sound(page, "#hit-2 .clip", "currentTime") == pytest.approx(4.92, abs=0.15)  # 1.92 s of words and 1.5 s on both sides
    assert not page.eval_on_selector("#hit-2 .play", "button => button.classList.contains('on')")


def test_only_one_sound_at_a_time(page: Page) -> None:
    page.click("#hit-1 .play")
    wait(page, "document.querySelector('#hit-1 .clip').currentTime > 0")
    page.click("#hit-3 .play")
    wait(page, "document.querySelector('#hit-3 .clip').currentTime > 0")
    assert sound(page, "#hit-1 .clip", "paused") == 1


def test_a_pin_an_utterance_and_the_lane_play_from_there(page: Page) -> None:
    page.locator(".pin").nth(3).click()
    wait(page, "!document.getElementById('call').paused && document.getElementById('call').currentTime > 50.1")
    assert sound(page, "#call", "currentTime") < 54
    assert page.url.endswith("#hit-4")
    page.click("#line-2 .at")
    wait(page, "Math.abs(document.getElementById('call').currentTime - 10.5) < 0.5")
    assert page.eval_on_selector("#line-2", "line => line.classList.contains('now')")
    box = page.locator("#drawing").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] - 30)
    wait(page, "Math.abs(document.getElementById('call').currentTime - 72.5) < 1")


def test_the_keys(page: Page) -> None:
    for key, chosen in (("j", "hit-1"), ("j", "hit-2"), ("k", "hit-1"), ("k", "hit-1")):
        page.keyboard.press(key)
        assert page.eval_on_selector_all(".card.chosen", "cards => cards.map(card => card.id)") == [chosen]
    page.keyboard.press(" ")
    wait(page, "document.querySelector('#hit-1 .clip').currentTime > 0.1")
    page.keyboard.press(" ")
    wait(page, "document.querySelector('#hit-1 .clip').paused")


def test_the_language_switch(page: Page) -> None:
    assert page.locator("h2").first.inner_text().startswith("时间线")
    page.click("text=English")
    assert page.locator("h2").first.inner_text().startswith("Time line")
    assert page.locator("html").get_attribute("lang") == "en"
    page.click("text=中文")
    assert page.locator("h2").first.inner_text().startswith("时间线")


def test_a_clip_can_be_saved(page: Page) -> None:
    with page.expect_download() as download:
        page.click("#hit-2 .download")
    assert download.value.suggested_filename == "call-1-2-9.1.10.mp3"


@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    right, left = (page.locator(f"#line-{number} .words").bounding_box() for number in (3, 2))
    assert right is not None
    assert left is not None
    assert right["x"] + right["width"] > left["x"] + left["width"]  # the agent speaks from the right
