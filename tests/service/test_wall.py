"""The wall and the hint: what is seen by whom, what comes after a lost connection, and all of it in a real Chromium."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from websockets.sync.client import ClientConnection, connect

from phrasecheck.pipeline import result
from phrasecheck.service.board import KEPT
from phrasecheck.service.security import SESSION
from phrasecheck.service.switchboard import Switchboard
from phrasecheck.settings import LiveSettings, Settings
from phrasecheck.store.live import NewLive
from phrasecheck.store.states import Permission
from phrasecheck.store.tables import TokenKind, UserRow
from phrasecheck.types import Call, Role, Speaker, SpeakerDecision, Transcript, Utterance
from tests.live.fakes import BAD, WORSE, Sayer, pcm, silence, speech, stereo
from tests.service.browsing import CHROMIUM, chromium, opened, shoot
from tests.service.desks import Office
from tests.service.lines import MATCHER, START, Phone, eventually, only, until

TURN = stereo(pcm(silence(0.2), speech(1.5), silence(1.2)))


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    live = LiveSettings(spool=tmp_path / "spool", gather_s=0, early_threshold=1.0)
    return settings.model_copy(update={"live": live})


def looking(office: Office, phone: Phone, user: UserRow, path: str = "/wall/events", after: int | None = None) -> ClientConnection:
    """A page of this person."""
    session = office.store.accounts.issue(TokenKind.SESSION, user.id, timedelta(hours=1))
    query = "" if after is None else f"?after={after}"
    headers = {"cookie": f"{SESSION}={session}", "origin": f"http://{phone.place}"}
    return connect(f"ws://{phone.place}{path}{query}", additional_headers=headers, close_timeout=1)


def raw(socket: ClientConnection, stop: Any, most: int = 100) -> list[dict[str, Any]]:
    """Messages up to the first that `stop` likes."""
    got: list[dict[str, Any]] = []
    for _ in range(most):
        got.append(json.loads(socket.recv(timeout=60)))
        if stop(got[-1]):
            return got
    raise AssertionError(f"none among {got}")


def ready(message: dict[str, Any]) -> bool:
    return "ready" in message


def is_alert(message: dict[str, Any]) -> bool:
    return bool(message.get("event", {}).get("type") == "alert")


def test_a_supervisor_sees_his_teams_calls_and_misses_nothing(office: Office, phone: Phone) -> None:
    mine, other = (office.user(Permission.SUPERVISOR, team=team) for team in ("一组", "二组"))
    with phone.connect() as line, looking(office, phone, other) as elsewhere:
        line.send(json.dumps(START))
        until(line, "started")
        with looking(office, phone, mine) as wall:
            first = raw(wall, ready)
            assert first[0]["reset"]
            assert [m["event"]["type"] for m in first if "event" in m] == ["started"]
            line.send(TURN)
            got = raw(wall, is_alert)
            last = got[-1]["n"]
        line.send(TURN)  # while nobody looks
        until(line, "alert")
        until(line, "alert")
        with looking(office, phone, mine, after=last) as wall:
            missed = raw(wall, is_alert)
            assert missed[-1]["event"]["seq"] > got[-1]["event"]["seq"]
            assert "reset" not in missed[0]
        line.send('{"type": "stop"}')
        until(line, "ended")
        assert raw(elsewhere, ready)[-1]["n"] == 0
        with pytest.raises(TimeoutError):
            elsewhere.recv(timeout=0.3)


def test_an_alert_is_seen_and_noted_by_one_and_shown_to_all(office: Office, phone: Phone) -> None:
    supervisor, lead = office.user(Permission.SUPERVISOR, team="一组"), office.user(Permission.LEAD)
    with phone.connect() as line, looking(office, phone, lead) as wall:
        line.send(json.dumps(START))
        line.send(TURN)
        alert = only(until(line, "alert"), "alert")[0]
        client = office.signed_in(supervisor)
        assert client.post(f"/wall/call-1/{alert['seq']}", data={"text": ""}).status_code == 204
        assert client.post(f"/wall/call-1/{alert['seq']}", data={"text": "课后聊"}).status_code == 204
        assert client.post("/wall/call-1/1", data={}).status_code == 404
        assert office.client(Permission.SUPERVISOR, team="二组").post(f"/wall/call-1/{alert['seq']}").status_code == 404
        notes = [m["note"] for m in raw(wall, lambda m: m.get("note", {}).get("text")) if "note" in m]
        assert [(note["name"], note["text"]) for note in notes] == [(supervisor.name, ""), (supervisor.name, "课后聊")]
        with looking(office, phone, lead) as late:
            assert [m["note"]["text"] for m in raw(late, ready) if "note" in m] == ["", "课后聊"]


def test_the_agent_is_told_of_his_own_calls_only(office: Office, phone: Phone) -> None:
    agent, colleague = (office.user(Permission.AGENT, agent=number) for number in ("1024", "2048"))
    with looking(office, phone, agent, "/hint/events") as mine, looking(office, phone, colleague, "/hint/events") as other:
        raw(mine, ready)
        raw(other, ready)
        with phone.connect() as line:
            line.send(json.dumps(START))
            line.send(TURN)
            got = [m["event"] for m in raw(mine, is_alert)]
        assert {event["type"] for event in got} == {"started", "alert"}  # no text: it would only distract
        assert got[-1]["instead"]
        with pytest.raises(TimeoutError):
            other.recv(timeout=0.3)
    with pytest.raises(Exception, match=r"403|1008"), looking(office, phone, agent) as wall:
        wall.recv(timeout=10)


def test_who_was_away_too_long_is_told_how_things_stand(office: Office, board: Switchboard, phone: Phone) -> None:
    lead = office.user(Permission.LEAD)
    office.store.live.begin(NewLive(id="far", role=Role.SURVEY, agent=None, team=None, door="own", channels="agent", rate=8000))
    office.store.live.tell([{"type": "utterance", "call": "far", "seq": n, "text": "x"} for n in range(1, 2102)])
    eventually(lambda: board.board.last >= 2101)
    with looking(office, phone, lead, after=1) as wall:
        assert json.loads(wall.recv(timeout=60))["reset"]
    with looking(office, phone, lead, after=2000) as wall:
        missed = raw(wall, lambda m: m.get("n") == 2101, most=200)
        assert [m["event"]["seq"] for m in missed if "event" in m] == list(range(2001, 2102))
    assert KEPT > 2101


def test_what_became_of_the_alerts(office: Office, phone: Phone, sayer: Sayer) -> None:
    lead = office.client(Permission.LEAD)
    with phone.connect() as line:
        line.send(json.dumps(START))
        line.send(TURN)
        line.send('{"type": "stop"}')
        ended = until(line, "ended")[-1]
    assert "结束、录音检查完以后" in lead.get("/live/call-1").text
    claim = office.store.calls.claim()
    assert claim is not None
    assert claim.call.id == ended["check"]
    said = [
        Utterance(id=f"u{n}", start=at, end=at + 1, channel="left", text=text, speaker=Speaker.AGENT, role=Role.SURVEY)
        for n, (at, text) in enumerate([(0.3, BAD), (60.0, WORSE)])
    ]
    transcript = Transcript(utterances=tuple(said), speakers=SpeakerDecision(agent_channel="left", reason="", confidence=1.0))
    call = Call(id="x", source="x", sha256="", seconds=70.0, role=Role.SURVEY, channels=("left", "right"))
    office.store.results.finish(claim, result(call, transcript, MATCHER, Settings(), {}))
    page = lead.get("/live/call-1").text
    assert "提醒成立 1，不成立 0，补出 1" in page
    assert office.client(Permission.SUPERVISOR, team="二组").get("/live/call-1").status_code == 404


# --- in a browser -------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")
def test_a_call_on_the_wall_and_on_the_agents_page(office: Office, phone: Phone, sayer: Sayer, browser: Browser) -> None:
    url = f"http://{phone.place}"
    supervisor, agent = office.user(Permission.SUPERVISOR, team="一组"), office.user(Permission.AGENT, agent="1024")
    with opened(browser, url) as wall, opened(browser, url, width=390) as hint, phone.connect() as line:
        for page, user, path in ((wall, supervisor, "/wall"), (hint, agent, "/hint")):
            session = office.store.accounts.issue(TokenKind.SESSION, user.id, timedelta(hours=1))
            page.context.add_cookies([{"name": SESSION, "value": session, "url": url}])
            page.goto(path)
            expect(page.locator("#link")).to_have_text("已连接")
        wall.get_by_role("button", name="声音提醒").click()
        line.send(json.dumps(START))
        line.send(TURN)
        expect(wall.locator("#alerts .quote")).to_have_text([f"「{BAD}」"])
        expect(wall.locator(".call.alerted .script")).to_contain_text(BAD)
        expect(hint.locator(".instead")).to_have_count(1)
        wall.get_by_role("button", name="已看到").click()
        expect(wall.locator(".alert.acknowledged")).to_contain_text(supervisor.name)
        shoot(wall, "L1-wall")
        shoot(hint, "L1-hint")

        for page in (wall, hint):  # the connection is lost, and one more comes meanwhile
            page.evaluate("(window.phrasecheckWall ?? window.phrasecheckHint).drop()")
            expect(page.locator("#link")).to_contain_text("重连")
        sayer.text = WORSE
        line.send(TURN)
        until(line, "alert")
        until(line, "alert")
        for page in (wall, hint):
            page.evaluate("(window.phrasecheckWall ?? window.phrasecheckHint).back()")
            expect(page.locator("#link")).to_have_text("已连接")
        expect(wall.locator("#alerts .quote")).to_have_text([f"「{WORSE}」", f"「{BAD}」"])
        expect(hint.locator(".instead")).to_have_count(2)

        wall.get_by_label("班组").fill("别的组")
        expect(wall.locator(".call")).to_be_hidden()
        expect(wall.locator("#count")).to_have_text("0")
        wall.get_by_label("班组").fill("")
        line.send('{"type": "stop"}')
        expect(wall.locator(".call.ended")).to_have_count(1)
        expect(hint.locator("#state")).to_have_text("通话已结束。")
