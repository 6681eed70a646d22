"""The way in, in a real Chromium: first administrator, users, a password by invitation, signing in, tokens, English."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.browsing import CHROMIUM, chromium, opened, served, shoot
from tests.service.desks import Office

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")]

PASSWORD = "一句好记的话就是密码"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def set_password(page: Page) -> None:
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("再输一次").fill(PASSWORD)
    page.keyboard.press("Enter")


def invite(page: Page, name: str, permission: str, team: str, agent: str = "") -> str:
    page.get_by_role("link", name="用户", exact=True).click()
    page.get_by_label("用户名").fill(name)
    page.get_by_label("权限").select_option(label=permission)
    page.get_by_label("班组").fill(team)
    page.get_by_label("工号").fill(agent)
    page.get_by_role("button", name="开户并生成链接").click()
    return page.get_by_label("链接").input_value()


def test_a_team_moves_in(office: Office, browser: Browser) -> None:
    with served(office.app) as url, opened(browser, url) as admin, opened(browser, url) as agent:
        admin.goto(f"/welcome/{office.store.accounts.first_link()}")
        shoot(admin, "S1-welcome")
        admin.get_by_label("用户名").fill("管理员")
        set_password(admin)
        expect(admin.get_by_role("status")).to_contain_text("欢迎，管理员")
        invite(admin, "质检主管小周", "质检主管", "总部")
        invite(admin, "班组长老吴", "班组长", "报案一组")
        link = invite(admin, "小李", "坐席", "报案一组", "1024")
        shoot(admin, "S1-users")

        agent.goto(link)
        shoot(agent, "S1-invitation")
        set_password(agent)
        expect(agent.locator(".account")).to_contain_text("小李")
        expect(agent.get_by_role("link", name="用户", exact=True)).to_have_count(0)
        agent.locator(".account summary").click()
        agent.get_by_role("button", name="退出登录").click()
        agent.get_by_label("用户名").fill("小李")
        agent.get_by_label("密码").fill("不是这个密码")
        agent.keyboard.press("Enter")
        expect(agent.get_by_role("alert")).to_contain_text("用户名或密码不对")
        shoot(agent, "S1-login")
        agent.get_by_label("密码").fill(PASSWORD)
        agent.keyboard.press("Enter")
        expect(agent.locator(".account")).to_contain_text("小李")
        agent.goto("/users")
        expect(agent.locator("main")).to_contain_text("您的权限不能使用这个页面")
        shoot(agent, "S1-error")

        admin.get_by_role("link", name="小李").click()
        shoot(admin, "S1-user")
        admin.once("dialog", lambda dialog: dialog.dismiss())
        admin.get_by_role("button", name="停用账号").click()
        expect(admin.get_by_role("button", name="停用账号")).to_be_visible()
        admin.once("dialog", lambda dialog: dialog.accept())
        admin.get_by_role("button", name="停用账号").click()
        expect(admin.get_by_role("status")).to_have_text("账号已停用")
        agent.goto("/tokens")
        expect(agent).to_have_url(f"{url}/sign-in?next=%2Ftokens")


def test_a_token_and_the_trail(office: Office, browser: Browser) -> None:
    with served(office.app) as url, opened(browser, url) as admin:
        admin.goto(f"/welcome/{office.store.accounts.first_link()}")
        admin.get_by_label("用户名").fill("管理员")
        set_password(admin)
        admin.locator(".account summary").click()
        admin.get_by_role("link", name="接口令牌").click()
        admin.get_by_label("用途").fill("呼叫平台上传")
        admin.get_by_label("上传录音").check()
        admin.get_by_role("button", name="生成令牌").click()
        expect(admin.get_by_label("令牌")).to_have_value(re.compile(r"[\w-]{43}"))
        shoot(admin, "S1-tokens")
        admin.get_by_role("link", name="审计").click()
        admin.get_by_role("button", name="核对整条记录").click()
        expect(admin.get_by_role("status")).to_contain_text("没有被改过")
        shoot(admin, "S1-audit")
        admin.get_by_role("button", name="English").click()
        expect(admin.get_by_role("heading", level=1)).to_have_text("Audit trail")


def test_the_menu_and_the_skip_link_by_keyboard(office: Office, browser: Browser) -> None:
    with served(office.app) as url, opened(browser, url, width=390) as page:
        page.goto(f"/welcome/{office.store.accounts.first_link()}")
        page.get_by_label("用户名").fill("管理员")
        set_password(page)
        page.wait_for_url("**/users")
        expect(page.get_by_role("link", name="审计")).to_be_hidden()
        page.get_by_role("button", name="菜单").press("Enter")
        expect(page.get_by_role("link", name="审计")).to_be_visible()
        shoot(page, "S1-menu")
        page.reload()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
