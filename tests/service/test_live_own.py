"""Our own WebSocket, byte by byte."""

import fcntl
import json
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from phrasecheck.audio import decode
from phrasecheck.service.security import SESSION
from phrasecheck.service.switchboard import Switchboard
from phrasecheck.settings import LiveSettings, Settings
from phrasecheck.store.states import Permission
from phrasecheck.store.tables import TokenKind
from tests.live.fakes import BAD, pcm, silence, speech, stereo
from tests.service.desks import Office
from tests.service.lines import START, Phone, eventually, only, served, until


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    live = LiveSettings(spool=tmp_path / "spool", gather_s=0, early_threshold=0.5, hello_s=3, return_s=1.0, max_lines=3)
    return settings.model_copy(update={"live": live})


def start(**more: Any) -> str:
    return json.dumps({**START, **more}, ensure_ascii=False)


def turn() -> bytes:
    return stereo(pcm(silence(0.3), speech(1.5), silence(1.2)))


def test_a_call_from_start_to_the_queue(office: Office, phone: Phone) -> None:
    with phone.connect() as socket:
        socket.send(start())
        sound = turn()
        for at in range(0, len(sound), 3201):  # cut in the middle of samples
            socket.send(sound[at : at + 3201])
        socket.send('{"type": "stop"}')
        events = until(socket, "ended")
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "started"
    assert events[0]["team"] == "一组"
    (alert,) = only(events, "alert")
    assert (alert["quote"], alert["phrase"]) == (BAD, "9.1.14")
    assert alert["instead"]
    row = office.store.calls.get(events[-1]["check"])
    assert (row.agent, row.team, row.role, row.agent_channel, row.extra) == ("1024", "一组", "survey", "left", {"live": "call-1"})
    assert row.role_stated
    with office.store.recordings.local(row.recording) as path:
        audio = decode(path)
    assert [channel.name for channel in audio.channels] == ["left", "right"]
    assert audio.seconds == pytest.approx(len(sound) / 64_000, abs=0.01)
    live = office.store.live.of_check(row.id)
    assert live is not None
    assert live.id == "call-1"


def test_a_line_that_comes_back_goes_on_where_it_was(office: Office, board: Switchboard, phone: Phone) -> None:
    sound = turn()
    half = 32_000 + 2  # bytes: in the middle of a frame
    with phone.connect() as socket:
        socket.send(start())
        first = until(socket, "started")
        socket.send(sound[:half])
    eventually(lambda: board._trunks["call-1"].away_since)
    with phone.connect() as socket:
        socket.send(start(after=first[-1]["seq"]))
        back = until(socket, "resumed")
        assert back[-1]["line"] is True
        received = round(back[-1]["at"] * 16_000)
        assert received == half // 4
        socket.send(sound[received * 4 :])
        socket.send('{"type": "stop"}')
        events = [*first, *back, *until(socket, "ended")]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["cause"] for event in only(events, "problem")] == ["line"]
    assert len(only(events, "utterance")) == 1
    row = office.store.calls.get(events[-1]["check"])
    with office.store.recordings.local(row.recording) as path:
        assert decode(path).seconds == pytest.approx(len(sound) / 64_000, abs=0.01)


def test_a_line_that_does_not_come_back_ends_and_is_filed(office: Office, board: Switchboard, phone: Phone) -> None:
    with phone.connect() as socket:
        socket.send(start())
        socket.send(turn())
        until(socket, "utterance")
    eventually(lambda: board.lines == 0)
    eventually(lambda: office.store.live.get("call-1").ended_at)
    events = [told.body for told in office.store.live.events("call-1")]
    assert (events[-1]["type"], events[-1]["cause"]) == ("ended", "lost")
    assert office.store.calls.get(events[-1]["check"])
    with phone.connect() as socket:
        socket.send(start(after=1))
        assert "不在进行中" in until(socket, "error")[-1]["text"]


def test_what_cannot_be_read_is_told_and_the_call_goes_on(phone: Phone) -> None:
    with phone.connect() as socket:
        socket.send(start())
        socket.send("这不是 JSON")
        socket.send(b"\0" * ((1 << 20) + 1))
        socket.send(turn())
        socket.send('{"type": "stop"}')
        events = until(socket, "ended")
    assert [event["cause"] for event in only(events, "problem")] == ["frame", "frame"]
    assert len(only(events, "alert")) == 1


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ('{"type": "hello"}', "第一条消息应为"),
        ("x", "第一条消息应为"),
        (start(rate=44_100), "8000 或 16000"),
        (start(rate="很快"), "8000 或 16000"),
        (start(encoding="opus"), "pcm16、alaw、ulaw"),
        (start(role="厨师"), "role"),
        (start(call="../../etc/passwd"), "call"),
        (start(channels=["agent", "agent", "agent"]), "channels"),
        (start(channels=["老板"]), "channels"),
    ],
)
def test_a_wrong_start_is_refused_with_what_is_expected(phone: Phone, board: Switchboard, first: str, told: str) -> None:
    with phone.connect() as socket:
        socket.send(first)
        assert told in until(socket, "error")[-1]["text"]
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=10)
    assert board.lines == 0


def test_who_says_nothing_is_sent_away(phone: Phone, board: Switchboard) -> None:
    with phone.connect() as socket:
        assert "等了太久" in until(socket, "error")[-1]["text"]
    eventually(lambda: board.connections == 0)


def test_no_more_calls_than_the_machine_may_carry(phone: Phone) -> None:
    with ExitStack() as open_lines:
        for number in range(3):
            socket = open_lines.enter_context(phone.connect())
            socket.send(start(call=f"n{number}"))
            until(socket, "started")
        more = open_lines.enter_context(phone.connect())
        more.send(start(call="n4"))
        assert "同时最多 3 通" in until(more, "error")[-1]["text"]


def test_an_id_is_used_once(phone: Phone) -> None:
    for expected in ("ended", "error"):
        with phone.connect() as socket:
            socket.send(start())
            socket.send('{"type": "stop"}')
            until(socket, expected)


def test_who_has_no_right_token_stays_out(office: Office, phone: Phone) -> None:
    read_only = office.store.accounts.issue(TokenKind.API, office.user(Permission.ADMIN).id, timedelta(hours=1), "test", ["read"])
    session = office.store.accounts.issue(TokenKind.SESSION, office.user(Permission.ADMIN).id, timedelta(hours=1))
    foreign = {"cookie": f"{SESSION}={session}", "origin": "http://evil.example"}
    for knocking, headers in ((Phone(phone.place, read_only), {}), (Phone(phone.place, ""), {}), (Phone(phone.place, ""), foreign)):
        with pytest.raises((InvalidStatus, ConnectionClosed)), knocking.connect(**headers) as socket:
            socket.recv(timeout=10)


def test_calls_in_progress_can_be_asked_for(office: Office, phone: Phone) -> None:
    user = office.user(Permission.SUPERVISOR, team="一组")
    with phone.connect() as socket:
        socket.send(start())
        socket.send(start())  # a second start is no sound
        until(socket, "problem")
        mine, other = office.program(user, ["live"]), office.program(office.user(Permission.SUPERVISOR, team="二组"), ["live"])
        (call,) = mine.get("/api/v1/live/calls").json()
        assert (call["id"], call["agent"], call["channels"]) == ("call-1", "1024", ["agent", "customer"])
        assert other.get("/api/v1/live/calls").json() == []
        assert [e["type"] for e in mine.get("/api/v1/live/calls/call-1/events?after=1").json()] == ["problem"]
        assert other.get("/api/v1/live/calls/call-1/events").status_code == 404


def test_a_connection_that_takes_the_call_over_ends_the_other_ones_hold(board: Switchboard, phone: Phone) -> None:
    with phone.connect() as old, phone.connect() as new:
        old.send(start())
        until(old, "started")
        new.send(start(after=1))
        until(new, "resumed")
        old.send(turn())
        old.send('{"type": "stop"}')  # no longer its to say
        new.send(turn())
        new.send('{"type": "stop"}')
        assert len(only(until(new, "ended"), "utterance")) == 1


def test_a_server_that_died_left_a_call_that_is_checked_all_the_same(office: Office, board: Switchboard, settings: Settings) -> None:
    from phrasecheck.live.recording import Recording
    from phrasecheck.live.sound import Format
    from phrasecheck.store.live import NewLive
    from phrasecheck.types import Role, Speaker

    office.store.live.begin(NewLive(id="left", role=Role.SURVEY, agent="1", team=None, door="own", channels="agent,customer", rate=16_000))
    recording = Recording(settings.live.spool / "left.wav", Format(rate=16_000, channels=2), (Speaker.AGENT, Speaker.CUSTOMER))
    recording.write(turn())
    fcntl.flock(recording._held, fcntl.LOCK_UN)  # as when a process dies: no good-bye, and the lock is gone
    with served(office):
        eventually(lambda: office.store.live.get("left").ended_at)
    row = office.store.live.get("left")
    assert row.check_id is not None
    with office.store.recordings.local(office.store.calls.get(row.check_id).recording) as path:
        assert decode(path).seconds == pytest.approx(3.0, abs=0.01)
    recording.close()
