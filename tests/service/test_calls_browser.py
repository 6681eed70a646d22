"""A team reviews the shipped recording in a real Chromium: by keyboard, with the allow-list, an appeal and its judgement, export."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from time import sleep

import pytest
import yaml
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, Route, expect

from phrasecheck.lexicon import load_lexicon
from phrasecheck.scoring import findings, score
from phrasecheck.service.security import SESSION
from phrasecheck.settings import ScoreSettings
from phrasecheck.store.calls import NewCall
from phrasecheck.store.states import Permission, ReviewState, Verb
from phrasecheck.store.tables import TokenKind, UserRow
from phrasecheck.types import CallResult, HitState, Role, Speaker
from tests.report.samples import call_result, hit, said, transcript
from tests.service.browsing import CHROMIUM, chromium, opened, served, shoot
from tests.service.desks import Office

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")]

EXAMPLES = Path(__file__).parents[2] / "examples"


def demo() -> CallResult:
    """The shipped recording's script as the result of a perfect recogniser; its last planted phrase is doubtful."""
    turns = yaml.safe_load((EXAMPLES / "demo-call.yaml").read_text(encoding="utf-8"))["turns"]
    talk = []
    for number, turn in enumerate(turns):
        line = said(number, turn["text"], Speaker(turn["speaker"]), Role.CLAIMS_REPORT, start=turn["start"])
        step = (turn["end"] - turn["start"]) / len(turn["text"])
        words = tuple(
            replace(w, start=turn["start"] + i * step, end=turn["start"] + (i + 1) * step, probability=0.9)
            for i, w in enumerate(line.words)
        )
        talk.append(replace(line, end=turn["end"], words=words))
    planted = [(u, turn["violations"][0]) for u, turn in zip(talk, turns, strict=True) if "violations" in turn]
    found = tuple(
        hit(u, phrase, u.text.rstrip("。？"), state=HitState.DOUBTFUL if (u, phrase) == planted[-1] else HitState.HIT)
        for u, phrase in planted
    )
    spoken, settings = transcript(*talk), ScoreSettings()
    cards = score(findings(found, spoken, load_lexicon(), settings, Role.CLAIMS_REPORT), spoken, settings, Role.CLAIMS_REPORT)
    base = call_result("demo", "demo-call.flac", turns[-1]["end"] + 1)
    made = replace(base.provenance, lexicon=load_lexicon().name)
    call = replace(base.call, role=Role.CLAIMS_REPORT, warnings=())
    return replace(base, call=call, transcript=spoken, hits=found, scorecards=cards, provenance=made)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def call(office: Office) -> str:
    new = NewCall(source="追尾报案.flac", role=Role.CLAIMS_REPORT, agent="306", team="报案一组", extra={"机构": "杭州"})
    row = office.store.calls.accept(BytesIO((EXAMPLES / "demo-call.flac").read_bytes()), new)
    claim = office.store.calls.claim()
    assert claim is not None
    office.store.results.finish(claim, demo())
    return row.id


def sign_in(office: Office, page: Page, url: str, user: UserRow) -> Page:
    secret = office.store.accounts.issue(TokenKind.SESSION, user.id, timedelta(hours=1))
    page.context.add_cookies([{"name": SESSION, "value": secret, "url": url}])
    return page


def states(office: Office, call: str) -> list[ReviewState]:
    return [row.state for row in office.store.results.hits(call)]


def at(page: Page, condition: str) -> None:
    page.wait_for_function(f"() => {{ const s = document.getElementById('sound'); return {condition}; }}")


def test_a_team_reviews_the_shipped_recording(office: Office, browser: Browser, call: str, tmp_path: Path) -> None:
    people = {p: office.user(p, team="报案一组", agent="306") for p in (Permission.INSPECTOR, Permission.AGENT, Permission.LEAD)}
    with served(office.app) as url:
        with opened(browser, url) as page:
            review(office, sign_in(office, page, url, people[Permission.INSPECTOR]), call)
            listen(page)
            be_overtaken(office, page, call)
            look_up(page)
        with opened(browser, url) as page:
            appeal(office, sign_in(office, page, url, people[Permission.AGENT]), call)
        with opened(browser, url) as page:
            final(office, sign_in(office, page, url, people[Permission.LEAD]), call, tmp_path)


def review(office: Office, page: Page, call: str) -> None:
    page.goto("/calls")
    page.keyboard.press("j")
    shoot(page, "S3-calls")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("追尾报案.flac")
    page.wait_for_load_state()  # its script listens to the keys
    at(page, "s.readyState > 0")
    shoot(page, "S3-call")

    page.keyboard.press("j")  # the first hit, played with a second before it
    at(page, "s.played.length && s.played.start(0) > 40.4 && s.played.start(0) < 42")
    expect(page.locator(".moment.chosen")).to_contain_text("你着急有什么用啊")
    page.keyboard.press(" ")
    at(page, "s.paused")
    page.keyboard.press("y")
    expect(page.locator(".moment").first).to_contain_text("已确认")
    expect(page.locator(".moment.chosen")).to_contain_text("这个我哪知道啊")  # on to the next

    page.keyboard.press("n")
    page.keyboard.press("4")
    page.locator(".moment.chosen [name=never_flag]").check()
    shoot(page, "S3-reject")
    page.locator(".moment.chosen .reject button").click()
    expect(page.locator(".moment").nth(1)).to_contain_text("已驳回")
    expect(page.locator("#cards")).to_contain_text("复核前")

    page.keyboard.press("c")
    page.keyboard.type("语气不好")
    page.keyboard.press("Enter")
    expect(page.locator(".moment").nth(2)).to_contain_text("语气不好")
    page.keyboard.press("k")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    shoot(page, "S3-keys")
    page.keyboard.press("Escape")
    assert states(office, call)[:3] == [ReviewState.CONFIRMED, ReviewState.REJECTED, ReviewState.CONFIRMED]


def listen(page: Page) -> None:
    page.locator(".say").nth(14).locator(".at").click()
    at(page, "Math.abs(s.currentTime - 64.4) < 3")
    expect(page.locator(".say.now")).to_contain_text("请您先拍照")
    expect(page.locator(".say.now")).to_be_in_viewport()
    page.locator(".channels button").nth(1).click()
    at(page, "s.src.includes('channel=left') && s.readyState > 0 && s.currentTime > 60")


def be_overtaken(office: Office, page: Page, call: str) -> None:
    stale = page.locator(".moment").nth(3)
    other = office.user(Permission.INSPECTOR)
    row = office.store.results.hits(call)[3]
    office.store.reviews.add(row.id, Verb.CONFIRM, other)
    stale.click(position={"x": 8, "y": 60})
    page.keyboard.press("y")
    expect(page.locator("#toasts")).to_contain_text(other.name)
    expect(page.locator(".moment").nth(3)).to_contain_text(other.name)  # the page shows what the first one did


def look_up(page: Page) -> None:
    page.goto("/allowances")
    expect(page.locator("table")).to_contain_text("这个我哪知道啊")
    shoot(page, "S3-allowances")
    page.goto("/found?text=哪知到")
    expect(page.locator("ol.lines")).to_contain_text("这个我哪知道啊")
    shoot(page, "S3-found")
    page.route("**/call*.js*", late)
    page.locator("ol.lines a.go").click()
    at(page, "Math.abs(s.currentTime - 49.56) < 1")


def late(route: Route) -> None:
    """The script comes when the sound has long been there."""
    sleep(1.0)
    route.continue_()


def appeal(office: Office, page: Page, call: str) -> None:
    page.goto("/calls")
    page.locator("#calls a.go").click()
    page.wait_for_load_state()
    at(page, "s && s.readyState > 0")
    expect(page.locator("form[data-verb=confirm]")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.keyboard.type("我当时在安抚客户，请听前后文")
    shoot(page, "S3-appeal")
    page.locator(".moment.chosen .appeal button").click()
    expect(page.locator(".moment").first).to_contain_text("申诉中")
    assert states(office, call)[0] is ReviewState.APPEALED
    page.goto("/appeals")
    expect(page.locator("article")).to_contain_text("我当时在安抚客户")


def final(office: Office, page: Page, call: str, folder: Path) -> None:
    page.goto("/appeals")
    shoot(page, "S3-appeals")
    page.get_by_role("link", name="听录音并终审").click()
    chosen = page.locator(".moment.chosen")
    expect(chosen).to_contain_text("你着急有什么用啊")
    chosen.locator("textarea").fill("确实是安抚")
    shoot(page, "S3-judge")
    before = page.locator("#cards strong").inner_text()
    chosen.get_by_role("button", name="申诉成立").click()
    expect(page.locator(".moment").first).to_contain_text("确实是安抚")
    expect(page.locator("#cards strong")).not_to_have_text(before)
    assert states(office, call)[0] is ReviewState.UPHELD
    page.goto("/calls")
    page.locator("details.menu > summary").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    download.value.save_as(folder / "calls.xlsx")
    book = load_workbook(folder / "calls.xlsx")
    assert [row[12].value for row in book["命中"].iter_rows(min_row=2)][:2] == ["申诉成立", "已驳回"]
