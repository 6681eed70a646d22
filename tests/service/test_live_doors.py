"""Telephone systems' own protocols, byte by byte: Media Streams, FreeSWITCH's modules, AudioSocket."""

import base64
import json
import socket as sockets
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest

from phrasecheck.audio import decode
from phrasecheck.live.sound import Format
from phrasecheck.service.switchboard import Switchboard
from phrasecheck.settings import LiveSettings, Settings
from tests.live.fakes import pcm, silence, speech, stereo
from tests.service.desks import Office
from tests.service.lines import Phone, eventually, only

TWILIO, FREESWITCH = "/api/v1/live/twilio", "/api/v1/live/freeswitch"
CALL = UUID("9c0f1f0e-7c8d-4d8e-9f0a-1b2c3d4e5f60")


def free_port() -> int:
    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    address = f"127.0.0.1:{free_port()}"
    live = LiveSettings(spool=tmp_path / "spool", gather_s=0, early_threshold=0.5, hello_s=3, return_s=30, audiosocket=address)
    return settings.model_copy(update={"live": live})


def story(office: Office, call: str) -> list[dict[str, Any]]:
    """All events of a call, once it is over."""
    eventually(lambda: any(told.body["type"] == "ended" for told in office.store.live.events(call)))
    return [told.body for told in office.store.live.events(call)]


def recorded(office: Office, events: list[dict[str, Any]]) -> Any:
    """The channels of the recording that was handed in."""
    row = office.store.calls.get(events[-1]["check"])
    with office.store.recordings.local(row.recording) as path:
        return decode(path).channels


def mulaw(samples: np.ndarray[Any, np.dtype[np.int16]]) -> bytes:
    """The nearest of the 256 values, by the table that is tested against ffmpeg's."""
    values = Format(encoding="ulaw").pcm(bytes(range(256)))[:, 0].astype(np.int32)
    order = np.argsort(values, kind="stable")
    at = np.clip(np.searchsorted(values[order], samples), 0, 255)
    return bytes(order[at].astype(np.uint8))


# --- Media Streams ------------------------------------------------------------------------------------------------------------------


def twilio_start(**parameters: str) -> str:
    about = {"callSid": "CA123", "streamSid": "MZ1", "tracks": ["inbound", "outbound"], "customParameters": parameters}
    about["mediaFormat"] = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    return json.dumps({"event": "start", "sequenceNumber": "1", "start": about, "streamSid": "MZ1"})


def media(track: str, at_ms: int, payload: bytes) -> str:
    told = {"track": track, "chunk": "1", "timestamp": str(at_ms), "payload": base64.b64encode(payload).decode()}
    return json.dumps({"event": "media", "sequenceNumber": "2", "media": told, "streamSid": "MZ1"})


def test_media_streams(office: Office, phone: Phone) -> None:
    agent = mulaw(pcm(silence(0.3), speech(1.5), silence(1.2))[::2])  # 8 kHz
    with phone.connect(f"{TWILIO}/{phone.token}") as socket:
        socket.send('{"event": "connected", "protocol": "Call", "version": "1.0.0"}')
        socket.send(twilio_start(role="survey", agent="1024", team="一组"))
        for at in range(0, len(agent), 160):
            if not 8000 <= at < 12_000:  # half a second of the agent's sound is lost
                socket.send(media("outbound", at // 8, agent[at : at + 160]))
            socket.send(media("inbound", at // 8, b"\xff" * 160))
        socket.send('{"event": "mark", "mark": {"name": "x"}}')
        socket.send('{"event": "stop", "stop": {"callSid": "CA123"}}')
    events = story(office, "CA123")
    assert (events[0]["encoding"], events[0]["rate"], events[0]["channels"]) == ("ulaw", 8000, ["customer", "agent"])
    assert (events[0]["agent"], events[0]["team"], events[0]["role"]) == ("1024", "一组", "survey")
    assert [event["cause"] for event in only(events, "problem")] == ["gap"]
    assert len(only(events, "alert")) == 1
    assert events[-1]["cause"] == "hung_up"
    left, right = recorded(office, events)
    assert right.seconds == pytest.approx(3.0, abs=0.02)  # the lost half second is there, silent
    loud = np.abs(right.samples[:]).reshape(-1, 1600).max(1) > 0.1
    assert not loud[11:15].any()
    assert loud[5] and loud[16]
    assert np.abs(left.samples[:]).max() < 0.01
    assert office.store.calls.get(events[-1]["check"]).agent_channel == "right"


@pytest.mark.parametrize(
    "wrong",
    [
        "kein JSON",
        "[]",
        '{"event": "dance"}',
        media("third", 0, b"x"),
        '{"event": "media", "media": {"track": "inbound", "timestamp": "0", "payload": "***"}}',
        '{"event": "media", "media": {"track": "inbound", "timestamp": "bald", "payload": ""}}',
        '{"event": "media", "media": {}}',
    ],
)
def test_a_bad_message_is_told_and_the_stream_goes_on(office: Office, phone: Phone, wrong: str) -> None:
    with phone.connect(TWILIO) as socket:
        socket.send(twilio_start())
        socket.send(wrong)
        for at in range(0, 2000, 20):
            socket.send(media("outbound", at, b"\xff" * 160))
        socket.send('{"event": "stop"}')
    events = story(office, "CA123")
    assert [event["cause"] for event in only(events, "problem")] == ["frame"]
    assert events[-1]["at"] == pytest.approx(2.0, abs=0.01)


def test_a_stream_that_breaks_and_begins_again_is_the_same_call(office: Office, board: Switchboard, phone: Phone) -> None:
    for ending in (None, '{"event": "stop"}'):
        with phone.connect(TWILIO) as socket:
            socket.send(twilio_start(call="mine"))
            for at in range(0, 1000, 20):  # its time stamps begin again
                socket.send(media("outbound", at, b"\xff" * 160))
                socket.send(media("inbound", at, b"\xff" * 160))
            if ending:
                socket.send(ending)
        if not ending:
            eventually(lambda: board._trunks["mine"].away_since)
    events = story(office, "mine")
    assert [event["type"] for event in events] == ["started", "problem", "resumed", "ended"]
    assert events[-1]["at"] == pytest.approx(2.0, abs=0.01)


# --- FreeSWITCH -----------------------------------------------------------------------------------------------------------------------


def test_freeswitch_with_metadata(office: Office, phone: Phone) -> None:
    sound = stereo(pcm(silence(0.2), speech(1.5), silence(1.2)))
    with phone.connect(f"{FREESWITCH}/{phone.token}") as socket:
        socket.send('{"call": "fs-1", "role": "claims_report", "mix": "stereo", "rate": 16000, "left": "agent", "right": "customer"}')
        for at in range(0, len(sound), 1280):
            socket.send(sound[at : at + 1280])
    events = story(office, "fs-1")
    assert events[0]["channels"] == ["agent", "customer"]
    assert len(only(events, "alert")) == 1
    assert events[-1]["cause"] == "hung_up"  # the module closes in good order
    assert len(recorded(office, events)) == 2


def test_freeswitch_with_everything_in_the_address(office: Office, phone: Phone) -> None:
    with phone.connect(f"{FREESWITCH}?call=fs-2&rate=16000&mix=mono&left=agent") as socket:
        for _ in range(20):
            socket.send(pcm(speech(0.1)).tobytes())
    events = story(office, "fs-2")
    assert only(events, "utterance")[0]["speaker"] == "agent"
    assert office.store.calls.get(events[-1]["check"]).agent_channel == "left"
    assert [channel.name for channel in recorded(office, events)] == ["left", "right"]  # the side that is not there is silent


@pytest.mark.parametrize(
    ("first", "told"),
    [("hallo", "JSON"), ("[1]", "JSON 对象"), ('{"call": "x", "mix": "quad"}', "mix"), ('{"call": "x", "rate": "fast"}', "rate")],
)
def test_freeswitch_with_wrong_metadata(phone: Phone, board: Switchboard, first: str, told: str) -> None:
    with phone.connect(FREESWITCH) as socket:
        socket.send(first)
        assert told in json.loads(socket.recv(timeout=30))["text"]
    assert board.lines == 0


# --- AudioSocket ----------------------------------------------------------------------------------------------------------------------


def frame(kind: int, payload: bytes = b"") -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


def dial(settings: Settings) -> sockets.socket:
    host, _, port = settings.live.audiosocket.rpartition(":")
    return sockets.create_connection((host, int(port)), timeout=30)


def sound_frames() -> bytes:
    sound = pcm(silence(0.2), speech(1.5), silence(1.2))[::2].tobytes()
    return b"".join(frame(0x10, sound[at : at + 320]) for at in range(0, len(sound), 320))


def test_audiosocket_with_an_announced_call(office: Office, settings: Settings, phone: Phone) -> None:
    said = {"call": str(CALL).upper(), "role": "complaints", "agent": "7", "team": "三组"}
    answer = httpx.post(f"http://{phone.place}/api/v1/live/announce", json=said, headers={"authorization": f"Bearer {phone.token}"})
    assert answer.status_code == 200
    with dial(settings) as line:
        line.sendall(frame(0x01, CALL.bytes) + frame(0x03, b"5"))
        whole = sound_frames()
        for at in range(0, len(whole), 777):  # TCP knows no frames
            line.sendall(whole[at : at + 777])
        line.sendall(frame(0x00))
        events = story(office, str(CALL))
    assert (events[0]["role"], events[0]["agent"], events[0]["team"]) == ("complaints", "7", "三组")
    assert (events[0]["rate"], events[0]["channels"]) == (8000, ["agent"])
    assert len(only(events, "alert")) == 1
    assert events[-1]["cause"] == "hung_up"


def test_audiosocket_with_frames_of_a_wrong_rate_and_a_line_that_comes_back(
    office: Office, board: Switchboard, settings: Settings, phone: Phone
) -> None:
    whole = sound_frames()
    some = 60 * 323  # bytes: 1.2 s
    with dial(settings) as line:
        line.sendall(frame(0x01, CALL.bytes) + whole[:some] + frame(0x14, b"\0" * 8) + b"\x10\x01")  # and breaks off in a frame
        eventually(lambda: str(CALL) in board._trunks)
    eventually(lambda: board._trunks[str(CALL)].away_since)
    with dial(settings) as line:
        line.sendall(frame(0x01, CALL.bytes) + sound_frames() + frame(0x00))
        events = story(office, str(CALL))
    assert [event["cause"] for event in only(events, "problem")] == ["frame", "line"]
    assert only(events, "resumed")
    assert events[-1]["at"] == pytest.approx(1.2 + 2.9, abs=0.01)


@pytest.mark.parametrize("first", [frame(0x10, b"\0" * 320), frame(0x01, b"short"), b"GET / HTTP/1.1\r\n\r\n" + b"x" * 100_000])
def test_audiosocket_refuses_who_does_not_say_which_call_it_is(settings: Settings, phone: Phone, board: Switchboard, first: bytes) -> None:
    with dial(settings) as line:
        line.sendall(first)
        line.shutdown(sockets.SHUT_WR)
        assert line.recv(100)[:1] in (b"\xff", b"")
    assert board.lines == 0


def test_what_is_announced_has_to_be_a_uuid_and_one_channel(phone: Phone) -> None:
    for wrong in ({"call": "x"}, {"call": str(CALL), "channels": ["agent", "customer"]}):
        answer = httpx.post(f"http://{phone.place}/api/v1/live/announce", json=wrong, headers={"authorization": f"Bearer {phone.token}"})
        assert answer.status_code == 422
