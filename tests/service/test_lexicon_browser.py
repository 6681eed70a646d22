"""A QA lead's afternoon in a real Chromium: looks at the dashboard, tries a sentence, adds a phrase, compares, rescores."""

import re
from collections.abc import Iterator
from dataclasses import replace
from threading import Event, Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from phrasecheck.rescoring import Rescoring
from phrasecheck.service.security import SESSION
from phrasecheck.settings import Settings
from phrasecheck.store.listing import Filter
from phrasecheck.store.states import Permission
from tests import month
from tests.desk_lexicons import current, stored, transcript
from tests.service.browsing import CHROMIUM, SHOTS, chromium, opened, served, shoot
from tests.service.desks import Office

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")]

SAID = transcript("您好，请问有什么可以帮您", "代步车没有，自己想办法", "有意见，告去")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def lead(office: Office, settings: Settings, browser: Browser) -> Iterator[Page]:
    """Signed in; with a worker that does nothing but rescore."""
    matchers = current(settings, office.store)
    office.app.state.desk = replace(office.app.state.desk, matcher=matchers)
    with matchers.use() as matcher:
        for _ in range(3):
            stored(office.store, matcher, settings, SAID, team="甲组", agent="A01")
    session = office.client(Permission.LEAD).cookies[SESSION]
    stop, rescoring = Event(), Rescoring(office.store, settings, matchers)

    def work() -> None:
        while not stop.is_set():
            rescoring.turn() or stop.wait(0.1)

    worker = Thread(target=work, daemon=True)
    worker.start()
    with served(office.app) as url, opened(browser, url) as page:
        page.context.add_cookies([{"name": SESSION, "value": session, "url": url}])
        yield page
    stop.set()
    worker.join(30)


def test_the_dashboard(office: Office, lead: Page) -> None:
    month.pour(office.store, month.plan())
    lead.goto("/dashboard?since=2026-10-01&until=2026-10-31")
    expect(lead.get_by_role("heading", name="看板")).to_be_visible()
    shoot(lead, "S4-dashboard")
    lead.emulate_media(media="print")
    if SHOTS:
        lead.screenshot(path=f"{SHOTS}/S4-dashboard-print.png", full_page=True)
    lead.emulate_media(media="screen")
    lead.locator(".columns-figure a").nth(1).click()
    expect(lead).to_have_url(re.compile(r"/calls\?.*since=2026-10-05"))


def test_an_afternoon_with_the_lexicon(office: Office, lead: Page) -> None:
    lead.goto("/lexicon")
    shoot(lead, "S4-lexicon")
    lead.get_by_role("link", name="9.1.10").click()
    shoot(lead, "S4-phrase")

    lead.get_by_role("link", name="试一句").click()
    lead.get_by_label("坐席说的一句话").fill("您的车我看了，有意见，告去，别找我。")
    lead.get_by_role("button", name="试一试").click()
    expect(lead.locator("mark.hit")).to_contain_text("告去")
    shoot(lead, "S4-bench")

    lead.get_by_role("link", name="公司补充").click()
    lead.get_by_role("link", name="新增禁语").click()
    for label, value in (
        ("编号", "co-01"),
        ("禁语", "代步车没有，自己想办法"),
        ("为什么不能说", "合同里有"),
        ("可以这样说", "我给您登记明天的"),
    ):
        lead.get_by_label(label, exact=True).fill(value)
    lead.get_by_label("单独说也算的分句").fill("没车给您")
    lead.get_by_label("为什么改").fill("代步车投诉多")
    lead.get_by_role("button", name="存为新的一版").click()
    expect(lead.locator("#alone-problem")).to_contain_text("不是 text 里的一个分句")
    expect(lead.locator("#severity_reason-problem")).to_contain_text("缺少 severity_reason")
    shoot(lead, "S4-phrase-problems")
    lead.get_by_label("单独说也算的分句").fill("")
    lead.get_by_label("为什么是这个程度").fill("推诿")
    lead.get_by_role("button", name="存为新的一版").click()
    expect(lead.get_by_text("已保存为第 1 版，尚未启用")).to_be_visible()
    shoot(lead, "S4-versions")
    lead.goto("/lexicon/edit")
    shoot(lead, "S4-edit")
    lead.get_by_role("link", name="以 YAML 编辑").click()
    shoot(lead, "S4-yaml")

    lead.goto("/lexicon/compare?old=0&new=1")
    expect(lead.get_by_text("新增 1 条")).to_be_visible()
    shoot(lead, "S4-compare")

    lead.get_by_role("link", name="看它会改变哪些通话").click()
    shoot(lead, "S4-rescores")
    lead.get_by_role("button", name="预览").click()
    expect(lead.get_by_role("button", name="应用")).to_be_visible()  # the page reloads by itself when the preview is ready
    expect(lead.locator(".change")).to_have_count(3)
    shoot(lead, "S4-preview")
    lead.on("dialog", lambda dialog: dialog.accept())
    lead.get_by_role("button", name="应用").click()
    expect(lead.get_by_role("heading", name="已应用")).to_be_visible()
    shoot(lead, "S4-applied")
    calls = [line.call.id for line in office.store.listing.page(Filter())]
    assert all("co-01" in {hit.phrase_id for hit in office.store.results.get(call).hits} for call in calls)
    lead.goto("/lexicon/versions")
    lead.get_by_role("button", name="启用").click()
    expect(lead.get_by_text("第 1 版已启用")).to_be_visible()
    assert office.store.lexicons.active_number() == 1
