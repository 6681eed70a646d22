"""The upload page in a real Chromium: three files and a ZIP, a lost connection on the way, a folder that is dropped, the queue."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from phrasecheck.service.security import SESSION
from phrasecheck.store.states import CallState, Permission
from phrasecheck.store.tables import TokenKind
from tests.service.browsing import CHROMIUM, chromium, served
from tests.service.desks import Office
from tests.service.senders import sound, zipped

SHOTS = os.environ.get("PHRASECHECK_SHOTS")  # a folder for pictures of the pages
WIDTHS = {"1280": (1280, 900), "390": (390, 844)}

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    """The application, served."""
    with served(office.app) as place:
        yield place


@pytest.fixture
def page(browser: Browser, address: str, office: Office) -> Iterator[Page]:
    """Signed in as an inspector; afterwards nothing has complained."""
    complaints: list[str] = []
    user = office.user(Permission.INSPECTOR)
    secret = office.store.accounts.issue(TokenKind.SESSION, user.id, timedelta(hours=1))
    with browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address) as context:
        context.add_cookies([{"name": SESSION, "value": secret, "domain": urlsplit(address).hostname or "", "path": "/"}])
        opened = context.new_page()
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.goto("/uploads")
        yield opened
    assert complaints == []


def shot(page: Page, name: str) -> None:
    if SHOTS:
        for width, (wide, high) in WIDTHS.items():
            page.set_viewport_size({"width": wide, "height": high})
            page.screenshot(path=f"{SHOTS}/S2-{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})


def fits(page: Page) -> bool:
    """Nothing sticks out at the side of a narrow screen."""
    page.set_viewport_size({"width": 390, "height": 844})
    narrow = page.evaluate("document.documentElement.scrollWidth <= 390")
    page.set_viewport_size({"width": 1280, "height": 900})
    return bool(narrow)


def test_three_files_and_a_zip(page: Page, office: Office, tmp_path: Path) -> None:
    files = {
        "2026-11-02-一.wav": sound(1),
        "2026-11-02-二.wav": sound(2, 6 << 20),
        "网页.wav": b"<!doctype html><html>sign in</html>",
        "一天.zip": zipped(("三.wav", sound(3)), ("四.wav", sound(4)), ("../五.wav", sound(5)), ("又三.wav", sound(3))),
        "清单.csv": "文件,坐席,岗位\n2026-11-02-一.wav,0077,查勘\n三.wav,0078,定损\n".encode(),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    shot(page, "uploads-empty")
    dropped: list[str] = []

    def lose(route: Route) -> None:  # the connection breaks twice: at the very beginning, and in the middle of a recording
        begun = route.request.headers.get("upload-offset", "0") != "0"
        if route.request.method == "PATCH" and (not dropped or (begun and len(dropped) < 2)):
            dropped.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/api/v1/uploads/**", lose)
    page.set_input_files("#files", [tmp_path / name for name in files])
    expect(page.locator("#list li")).to_have_count(5)
    expect(page.locator("#summary")).to_contain_text("全部传完", timeout=30_000)
    assert len(dropped) == 2
    assert page.locator("#summary").inner_text() == "5 个文件，全部传完：4 段录音已排队，1 段以前上传过，2 个未收下"
    assert page.locator("#list li", has_text="网页.wav").locator(".told").inner_text().endswith("里面却是网页或 XML。请确认选对了文件")
    assert float(page.locator("#total").get_attribute("value") or 0) == 1
    shot(page, "uploads")
    assert fits(page)
    by_name = {call.source: call for call in office.store.queue.line(CallState.QUEUED, 10)}
    assert set(by_name) == {"2026-11-02-一.wav", "2026-11-02-二.wav", "三.wav", "四.wav"}
    assert (by_name["2026-11-02-一.wav"].agent, by_name["2026-11-02-一.wav"].role) == ("0077", "survey")

    page.get_by_role("link", name="队列").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    assert page.locator(".place").all_inner_texts() == [f"第 {n} 位" for n in range(1, 5)]
    claim = office.store.calls.claim()
    assert claim is not None
    office.store.calls.fail(claim, "录音里没有可听的声音，请重新导出", again=False)
    expect(page.locator("h2", has_text="失败")).to_be_visible(timeout=10_000)
    shot(page, "queue")
    assert fits(page)
    page.get_by_role("button", name="重新运行", exact=True).click()
    expect(page.locator(".flash")).to_have_text("已重新排队")
    assert office.store.calls.counts()[CallState.QUEUED] == 4


def test_a_known_recording_can_be_checked_again(page: Page, office: Office, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(sound(1))
    page.set_input_files("#files", tmp_path / "a.wav")
    expect(page.locator("#summary")).to_contain_text("1 段录音已排队")
    (call,) = office.store.queue.line(CallState.QUEUED, 2)
    office.store.calls.cancel(call.id, "test")
    page.set_input_files("#files", tmp_path / "a.wav")
    expect(page.locator("#summary")).to_contain_text("1 段以前上传过")
    page.get_by_role("button", name="重新检查").click()
    expect(page.locator("#list")).to_contain_text("已重新排队")
    assert office.store.calls.get(call.id).state is CallState.QUEUED


def test_a_file_goes_on_where_it_was_after_the_page_was_closed(page: Page, office: Office, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(sound(1, 5 << 20))
    starts: list[int] = []

    def stall(route: Route) -> None:
        if route.request.method == "PATCH":
            offset = int(route.request.headers["upload-offset"])
            if offset:
                starts.append(offset)
                return route.abort("connectionreset")
        return route.continue_()

    page.route("**/api/v1/uploads/**", stall)
    page.set_input_files("#files", tmp_path / "a.wav")
    expect(page.locator("#list .state")).to_contain_text("等待续传")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/queue")
    page.unroute("**/api/v1/uploads/**")
    page.goto("/uploads")
    sent: list[int] = []
    page.on("request", lambda request: sent.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None)
    page.set_input_files("#files", tmp_path / "a.wav")
    expect(page.locator("#summary")).to_contain_text("1 段录音已排队")
    assert sent[0] == starts[0] > 0


def test_a_folder_is_taken_with_its_folders(page: Page, office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "一月"
    (folder / "早").mkdir(parents=True)
    (folder / "a.wav").write_bytes(sound(1))
    (folder / "早" / "b.wav").write_bytes(sound(2))
    (folder / ".DS_Store").write_bytes(b"litter")
    page.set_input_files("#folder", folder)
    expect(page.locator("#summary")).to_contain_text("2 段录音已排队")
    assert {call.source: call.extra["文件夹"] for call in office.store.queue.line(CallState.QUEUED, 9)} == {
        "a.wav": "一月",
        "b.wav": "一月/早",
    }


def test_files_are_dropped(page: Page, office: Office) -> None:
    page.evaluate(
        """bytes => {
            const data = new DataTransfer();
            for (const name of ["一.wav", "二.wav"]) data.items.add(new File([new Uint8Array([...bytes, name.charCodeAt(0) % 256])], name));
            for (const kind of ["dragenter", "dragover", "drop"])
                document.getElementById("drop").dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        list(sound()),
    )
    expect(page.locator("#summary")).to_contain_text("2 段录音已排队")
    assert office.store.calls.counts()[CallState.QUEUED] == 2
