"""The pages of feedback in a real Chromium: asking for a report, the self-test with an answer chosen and one typed, the report opened behind the desk."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from phrasecheck.store.states import Permission
from tests.service.browsing import CHROMIUM, chromium, opened, served, shoot
from tests.service.desks import Office
from tests.service.test_feedback import ASKED, office

__all__ = ["office"]

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def sign_in(page, office: Office, permission: Permission, **place: str) -> None:  # type: ignore[no-untyped-def]
    """With a session handed out by the store."""
    from datetime import timedelta

    from phrasecheck.service.security import SESSION
    from phrasecheck.store.tables import TokenKind

    user = office.user(permission, **place)
    secret = office.store.accounts.issue(TokenKind.SESSION, user.id, timedelta(hours=1))
    page.context.add_cookies([{"name": SESSION, "value": secret, "url": page.url if page.url.startswith("http") else place_of(page)}])


def place_of(page) -> str:  # type: ignore[no-untyped-def]
    address: str = page.evaluate("location.href")
    return address


def test_the_self_test_says_what_would_be_flagged_and_why(browser: Browser, office: Office) -> None:
    with served(office.app) as url, opened(browser, url) as page:
        page.goto("/sign-in")
        sign_in(page, office, Permission.AGENT, agent="A01")
        page.goto("/feedback/selftest")
        first = page.locator(".question").first
        expect(first.locator("q")).to_contain_text("到底什么时候能办好")
        first.locator("label", has_text="就这样。").click()
        first.locator(".try").click()
        expect(first.locator(".verdict .flag")).to_contain_text("这一段会被标出来")
        expect(first.locator(".verdict .flag")).to_contain_text("为什么伤人")
        first.locator(".own").fill("让您久等了，我马上给您查。")
        first.locator(".own").press("Enter")
        expect(first.locator(".verdict .clear")).to_contain_text("不会被标出来")
        expect(first.locator(".verdict .clear")).to_contain_text("道歉")
        shoot(page, "R1-selftest")


def test_a_report_is_asked_for_and_opens(browser: Browser, office: Office) -> None:
    with served(office.app) as url, opened(browser, url) as page:
        page.goto("/sign-in")
        sign_in(page, office, Permission.LEAD)
        page.goto("/feedback")
        expect(page.locator("#team")).to_be_hidden()
        page.locator("label", has_text="班组").first.click()
        expect(page.locator("#team")).to_be_visible()
        expect(page.locator("#agent")).to_be_hidden()
        shoot(page, "R1-feedback")
        page.goto(f"/feedback/file?kind=agent&name=A01&first={ASKED['first']}&last={ASKED['last']}")
        expect(page.locator("h1")).to_have_text("坐席 A01")
        assert page.locator("svg").count() == 1
        shoot(page, "R1-report-behind-desk")
        page.goto("/feedback/weights?first=2026-10-01&last=2026-10-31&major=15")
        expect(page.locator("table")).to_contain_text("前台接待")
        shoot(page, "R1-weights")
