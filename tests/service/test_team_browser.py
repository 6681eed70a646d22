"""A team's day in a real Chromium: from the first administrator to a changed lexicon; a screenshot of every page at both widths.

The workers are fakes (crew.py), everything else is what `phrasecheck serve` runs. Screenshots: $PHRASECHECK_SHOTS, or tests/artefacts.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect

from phrasecheck.service.app import create_app
from phrasecheck.settings import Settings
from phrasecheck.store.store import open_store
from tests.service.browsing import CHROMIUM, chromium, opened, served, shoot
from tests.service.crew import DEMO, PHONE, Crew, archive
from tests.service.desks import Office

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")]

PASSWORD = "一句好记的话就是密码"
TEAM = {  # name -> permission, team, staff number
    "周主管": ("质检主管", "总部", ""),
    "小王": ("质检员", "总部", ""),
    "小赵": ("质检员", "总部", ""),
    "李坐席": ("坐席", "报案一组", "1024"),
    "孙坐席": ("坐席", "报案一组", "2048"),
    "吴班长": ("班组长", "报案一组", ""),
    "钱培训": ("培训师", "报案一组", ""),
}
People = dict[str, Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def crew_office(settings: Settings) -> Iterator[Office]:
    store = open_store(settings.store)
    crew = Crew(settings, store)
    app = create_app(settings, store, crew)
    app.state.desk = replace(app.state.desk, matcher=crew.matchers)
    yield Office(app, store)
    store.close()


def test_a_day_of_the_team(crew_office: Office, browser: Browser, tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(served(crew_office.app))
        people = {name: stack.enter_context(opened(browser, url)) for name in ("管理员", *TEAM)}
        move_in(crew_office, people)
        upload(people["周主管"], tmp_path)
        sample(people["周主管"])
        allowed = review(crew_office, people)
        second_opinions(crew_office, people)
        appeal(people, allowed)
        export(people, tmp_path)
        rescore(people["周主管"])
        retain(crew_office, people)
        shot: set[str] = set()
        for name in ("周主管", "管理员", *(other for other in TEAM if other != "周主管")):
            walk(people[name], name, shot)


# --- the day, step by step ----------------------------------------------------------------------------------------------------------


def move_in(office: Office, people: People) -> None:
    admin = people["管理员"]
    admin.goto(f"/welcome/{office.store.accounts.first_link()}")
    shoot(admin, "team-welcome")
    admin.get_by_label("用户名").fill("管理员")
    set_password(admin)
    expect(admin.get_by_role("status")).to_contain_text("欢迎")
    for name, (permission, team, agent) in TEAM.items():
        admin.get_by_role("link", name="用户", exact=True).click()
        admin.get_by_label("用户名").fill(name)
        admin.get_by_label("权限").select_option(label=permission)
        admin.get_by_label("班组").fill(team)
        admin.get_by_label("工号").fill(agent)
        admin.get_by_role("button", name="开户并生成链接").click()
        people[name].goto(admin.get_by_label("链接").input_value())
        if name == "周主管":
            shoot(people[name], "team-invitation")
        set_password(people[name])
        expect(people[name].locator(".account")).to_contain_text(name)


def set_password(page: Page) -> None:
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("再输一次").fill(PASSWORD)
    page.keyboard.press("Enter")


def upload(lead: Page, folder: Path) -> None:
    """The shipped recording, and a ZIP of three; then the same again, which is recognised."""
    lead.goto("/uploads")
    packed = folder / "今天.zip"
    packed.write_bytes(archive())
    lead.get_by_text("这一批录音的信息与选项").click()
    lead.get_by_label("岗位").select_option(label="接报案")
    lead.get_by_label("班组").fill("报案一组")
    lead.get_by_label("坐席工号").fill("1024")
    lead.locator("#files").set_input_files([DEMO, packed])
    expect(lead.locator("#list")).to_contain_text("3 段已排队")
    expect(lead.locator("#list")).to_contain_text("已排队")
    lead.locator("#files").set_input_files([DEMO])
    expect(lead.locator("#list")).to_contain_text("已有，跳过")
    shoot(lead, "team-uploads")
    for _ in range(60):
        lead.goto("/calls")
        if lead.locator("#calls tbody tr .badge.queued, #calls tbody tr .badge.checking").count() == 0:
            break
        lead.wait_for_timeout(500)
    expect(lead.locator("#calls tbody tr")).to_have_count(4)
    shoot(lead, "team-calls")


def sample(lead: Page) -> None:
    lead.get_by_role("link", name="抽检", exact=True).click()
    lead.get_by_label("比例（%）或通数").fill("100")
    lead.get_by_label("双人复评（%）").fill("100")
    expect(lead.get_by_label("小王 手上 0 通")).to_be_checked()
    expect(lead.get_by_label("周主管 手上 0 通")).not_to_be_checked()
    lead.get_by_role("button", name="先看会抽中多少").click()
    expect(lead.get_by_role("status")).to_contain_text("会抽中 4 通")
    shoot(lead, "team-sampling-preview")
    lead.get_by_role("button", name="抽取并分配").click()
    expect(lead.get_by_role("status")).to_contain_text("已抽取并分配")
    expect(lead.locator("tbody")).to_contain_text("4 / 4")


def review(office: Office, people: People) -> str:
    """Whoever has the shipped call first judges its hits by keyboard; the wording of the second is never to be flagged again."""
    wanted = next(
        (name, task)
        for name in ("小王", "小赵")
        for task in office.store.sampling.queue(user_id(office, name))
        if task.call.source == "demo-call.flac" and not task.assignment.blind
    )
    page, assignment = people[wanted[0]], wanted[1].assignment
    page.goto("/my-queue")
    shoot(page, "team-my-queue")
    page.goto(f"/my-queue/{assignment.id}")
    shoot(page, "team-task")
    follow(page, "打开通话，逐处复核")
    moments = page.locator(".moment")
    number = moments.count()
    assert number >= 4
    shoot(page, "team-call")
    page.keyboard.press("j")
    expect(moments.nth(0)).to_have_class(re.compile("chosen"))
    page.keyboard.press("y")
    expect(moments.nth(0).locator("header")).to_contain_text("已确认")
    expect(moments.nth(1)).to_have_class(re.compile("chosen"))
    allowed = moments.nth(1).locator("blockquote").inner_text()
    page.keyboard.press("n")
    page.keyboard.press("4")
    moments.nth(1).get_by_label("以后不再标记").check()
    shoot(page, "team-reject")
    moments.nth(1).get_by_role("button", name="驳回", exact=True).click()
    expect(moments.nth(1).locator("header")).to_contain_text("已驳回")
    for place in range(2, number):
        expect(moments.nth(place)).to_have_class(re.compile("chosen"))
        page.keyboard.press("y")
        expect(moments.nth(place).locator("header")).to_contain_text("已确认")
    page.goto("/allowances")
    expect(page.locator("main")).to_contain_text(allowed)
    shoot(page, "team-allowances")
    page.goto(f"/my-queue/{assignment.id}")
    page.get_by_label("没有漏检").check()
    page.get_by_role("button", name="完成，下一通").click()
    expect(page.get_by_role("status")).to_contain_text("已完成")
    return allowed


def follow(page: Page, link: str) -> None:
    """To a call's page, which listens to the keyboard once its script has run."""
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("link", name=link).click()
    expect(page.locator(".moment").first).to_be_visible()


def user_id(office: Office, name: str) -> int:
    return next(user.id for user in office.store.accounts.users() if user.name == name)


def second_opinions(office: Office, people: People) -> None:
    """The other one judges the same hits without seeing the first's verdicts; where they differ the lead sees it."""
    for name in ("小王", "小赵"):
        for task in office.store.sampling.queue(user_id(office, name)):
            if task.assignment.blind and task.call.source == "demo-call.flac":
                opine(people[name], task.assignment.id)
    lead = people["周主管"]
    lead.goto("/agreement")
    expect(lead.locator("main")).to_contain_text("两人都评过的命中")
    expect(lead.locator(".figure").nth(2)).not_to_have_text("0 处")
    shoot(lead, "team-agreement")


def opine(page: Page, assignment: int) -> None:
    page.goto(f"/my-queue/{assignment}")
    expect(page.locator("main")).not_to_contain_text("已确认")
    number = page.locator(".moment").count()
    page.get_by_role("button", name="从这里播放").nth(1).click()
    for _ in range(100):  # the page's policy allows no function that a test would wait for
        if page.locator("audio").evaluate("sound => sound.currentTime") > 40:
            break
        page.wait_for_timeout(200)
    assert page.locator("audio").evaluate("sound => sound.currentTime") > 40
    for place in range(number):
        page.locator(".moment").nth(place).get_by_role("button", name="是违规", exact=True).click()
        expect(page.locator(".moment").nth(place).locator("[aria-pressed=true]")).to_have_text("是违规")
    shoot(page, "team-opinion")
    page.get_by_label("没有漏检").check()
    page.get_by_role("button", name="完成，下一通").click()
    expect(page.get_by_role("status")).to_be_visible()


def appeal(people: People, allowed: str) -> None:
    """The agent sees his own calls and objects to a hit; the lead's judgement is final. Another agent sees nothing of it."""
    agent, other, lead = people["李坐席"], people["孙坐席"], people["周主管"]
    agent.goto("/calls")
    expect(agent.locator("#calls tbody tr")).to_have_count(4)
    follow(agent, "demo-call.flac")
    address = agent.url
    before = agent.locator("#cards .figure").first.inner_text()
    agent.keyboard.press("j")
    agent.keyboard.press("a")
    agent.keyboard.type("客户先骂人，我只是说明要记录完。")
    shoot(agent, "team-appeal")
    agent.locator(".moment.chosen").get_by_role("button", name="提交申诉").click()
    expect(agent.locator(".moment header").first).to_contain_text("申诉中")
    other.goto(address)
    expect(other.locator("main")).to_contain_text("没有通话")
    other.goto("/calls")
    expect(other.locator("main")).to_contain_text("没有符合条件的通话")

    lead.goto("/appeals")
    shoot(lead, "team-appeals")
    follow(lead, "听录音并终审")
    lead.locator(".moment.chosen").get_by_label("终审意见").fill("客户情绪激动在先。")
    lead.locator(".moment.chosen").get_by_role("button", name="申诉成立").click()
    expect(lead.locator(".moment header").first).to_contain_text("申诉成立")
    agent.goto(address)
    expect(agent.locator(".moment").first).to_contain_text("客户情绪激动在先。")
    assert agent.locator("#cards .figure").first.inner_text() != before, "scores follow the judged hits"
    assert allowed


def export(people: People, folder: Path) -> None:
    """The list as a workbook; personal data are told to the lead alone."""
    lead, inspector = people["周主管"], people["小王"]
    lead.goto("/calls")
    lead.get_by_text("导出", exact=True).click()
    with lead.expect_download() as download:
        lead.get_by_role("link", name="通话与命中 · XLSX").click()
    download.value.save_as(folder / "calls.xlsx")
    book = load_workbook(folder / "calls.xlsx", read_only=True)
    assert len(list(book.worksheets[0].rows)) == 5
    for page, seen in ((lead, True), (inspector, False)):
        page.goto("/calls")
        page.get_by_role("link", name="call-20.wav").click()
        expect(page.locator("#talk")).to_contain_text("我的电话是")
        assert (PHONE in page.locator("#talk").inner_text()) is seen


def rescore(lead: Page) -> None:
    """A phrase of the company's own, seen on stored calls before it is applied."""
    lead.goto("/lexicon/edit")
    lead.get_by_role("link", name="新增禁语").click()
    lead.get_by_label("编号").fill("anhua-01")
    lead.get_by_label("禁语", exact=True).fill("查勘员还有别的现场")
    lead.get_by_label("为什么是这个程度").fill("推诿")
    lead.get_by_label("为什么不能说").fill("像在推客户走")
    lead.get_by_label("可以这样说").fill("查勘员正在赶来，大约二十分钟到。")
    shoot(lead, "team-lexicon-phrase")
    lead.get_by_role("button", name="保存并立即启用").click()
    expect(lead.locator("main")).to_contain_text("anhua-01")
    lead.goto("/rescores")
    lead.get_by_role("button", name="预览").click()
    expect(lead.locator(".change", has_text="查勘员还有别的现场")).to_contain_text("新增")
    expect(lead.locator(".change", has_text="call-24.wav")).to_contain_text("消失")  # its wording was let through since
    shoot(lead, "team-rescore")
    lead.once("dialog", lambda dialog: dialog.accept())
    lead.get_by_role("button", name="应用").click()
    expect(lead.locator("main")).to_contain_text("已应用")
    lead.goto("/calls")
    lead.get_by_role("link", name="demo-call.flac").click()
    expect(lead.locator("#found")).to_contain_text("anhua-01")
    expect(lead.locator("#found")).to_contain_text("申诉成立")


def retain(office: Office, people: People) -> None:
    lead = people["周主管"]
    call = office.store.calls.same_recording(office.store.sampling.queue(user_id(office, "小王"))[0].call.sha256)[0]
    lead.goto(f"/retention?call={call.id}")
    lead.locator("form.card").get_by_label("理由").fill("诉讼 2026-17")
    lead.locator("form.card").get_by_role("button", name="封存").click()
    expect(lead.get_by_role("status")).to_contain_text("已封存")
    expect(lead.locator("main")).to_contain_text("诉讼 2026-17")
    admin = people["管理员"]
    admin.goto("/retention")
    admin.once("dialog", lambda dialog: dialog.accept())
    admin.get_by_role("button", name="立即删除到期的").click()
    expect(admin.get_by_role("status")).to_contain_text("已删除到期的通话 0 通")
    admin.goto("/audit")
    admin.get_by_role("button", name="核对整条记录").click()
    expect(admin.get_by_role("status")).to_contain_text("没有被改过")


def walk(page: Page, name: str, shot: set[str]) -> None:
    """Every page that the navigation and the tabs offer this person; a picture of what had none yet."""
    page.goto("/")
    seen, waiting = set[str](), [page.url]
    while waiting:
        page.goto(waiting.pop(0))
        here = page.url.split("?")[0]
        if here in seen:
            continue
        seen.add(here)
        expect(page.locator("h1, h2").first).to_be_visible()
        path = re.sub(r"[^a-z0-9]+", "-", here.split("/", 3)[3])
        if path not in shot:
            shoot(page, f"team-{path}-{name}")
            shot.add(path)
        links = page.locator("#nav a, nav.tabs a, .sheet a:not([download])")
        waiting += [link.split("#")[0] for link in links.evaluate_all("all => all.map(a => a.href)") if link.split("?")[0] not in seen]
    assert len(seen) >= 2
