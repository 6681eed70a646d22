"""Who is told, when, and in exactly which bytes; against a server of this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from phrasecheck.alerts import AlertSendError, Target, due, load_rules, outgoing, send, wanted
from phrasecheck.errors import InputError
from phrasecheck.types import Role, Severity

NOW = datetime(2026, 11, 23, 2, 0, 0, 123_000, tzinfo=UTC)  # 10:00 in China
ALERT = {
    "type": "alert", "call": "c-1", "seq": 7, "at": 65.2, "severity": "严重", "phrase": "9.1.14", "title": "你问我,我问谁。", "quote": "你问我我问谁",
    "start": 63.0, "end": 65.0, "instead": "我帮您问一下。", "agent": "1024", "team": "一组", "sure": True, "partial": False,
}  # fmt: skip
TEXT = "【严重】服务禁语提醒\n原话：你问我我问谁\n禁语：9.1.14　你问我,我问谁。\n可以说：我帮您问一下。\n坐席 1024　一组\n通话 c-1，第 1:03"


class Ear(BaseHTTPRequestHandler):
    """Keeps what it is told, and answers what it was told to."""

    heard: list[tuple[str, dict[str, str], bytes]]
    answer: tuple[int, bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.path, dict(self.headers), body))
        self.send_response(self.answer[0])
        self.end_headers()
        self.wfile.write(self.answer[1])

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def listening(
    status: int = 200, body: bytes = b'{"errcode":0,"errmsg":"ok"}'
) -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    kind = type("OneEar", (Ear,), {"heard": [], "answer": (status, body)})
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", kind.heard  # type: ignore[attr-defined]
        server.shutdown()


def target(kind: Any, url: str = "https://example.cn/x", **more: Any) -> Target:
    return Target(name="群", kind=kind, url=url, **more)


# The signatures below were computed by hand with openssl from the platforms' own documents.


def test_dingtalk() -> None:
    with listening() as (url, heard):
        send(outgoing(target("dingtalk", f"{url}/robot/send?access_token=abc", secret="SECxyz"), ALERT, 1, NOW))
    ((path, headers, body),) = heard
    assert path == "/robot/send?access_token=abc&timestamp=1795399200123&sign=7bitoPnH%2F7O7gpsIWdGN8%2B0a1r7HA33XS9H3Zm%2BialE%3D"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(body) == {"msgtype": "markdown", "markdown": {"title": "服务禁语：严重", "text": TEXT.replace("\n", "\n\n")}}


def test_wecom() -> None:
    with listening() as (url, heard):
        send(outgoing(target("wecom", f"{url}/cgi-bin/webhook/send?key=k"), ALERT, 1, NOW))
    ((path, _, body),) = heard
    assert path == "/cgi-bin/webhook/send?key=k"
    assert body == json.dumps({"msgtype": "markdown", "markdown": {"content": TEXT}}, ensure_ascii=False).encode()


def test_feishu() -> None:
    with listening(body=b'{"code":0,"msg":"success"}') as (url, heard):
        send(outgoing(target("feishu", f"{url}/open-apis/bot/v2/hook/x", secret="abc"), ALERT, 1, NOW))
    assert json.loads(heard[0][2]) == {
        "timestamp": "1795399200",
        "sign": "hRq0jEq/NP98IfWzE+LF/04oEWutexAKYD8Lcuj5aF4=",
        "msg_type": "text",
        "content": {"text": TEXT},
    }


def test_a_webhook_is_signed_over_time_and_body() -> None:
    with listening(body=b"thanks") as (url, heard):
        send(outgoing(target("webhook", url, secret="key"), ALERT, 42, NOW))
    _, headers, body = heard[0]
    assert json.loads(body) == {"event": "alert", "id": 42, "alert": ALERT}
    assert headers["X-Phrasecheck-Id"] == "42"
    assert headers["X-Phrasecheck-Timestamp"] == "1795399200"
    assert headers["X-Phrasecheck-Signature"] == "sha256=0f53e027aa2e8896ee9833d450650a33ba0e9e476f4eb053d37efe3e6d3dbea6"


@pytest.mark.parametrize(
    ("status", "body", "final"),
    [
        (200, b'{"errcode":310000,"errmsg":"sign not match"}', False),
        (200, b'{"code":19021,"msg":"sign match fail"}', False),
        (500, b"", False),
        (429, b"", False),
        (404, b"", True),
    ],
)
def test_what_did_not_arrive_is_told(status: int, body: bytes, final: bool) -> None:
    with listening(status, body) as (url, _), pytest.raises(AlertSendError) as caught:
        send(outgoing(target("wecom", url), ALERT, 1, NOW))
    assert caught.value.final is final


def test_nobody_there() -> None:
    with pytest.raises(AlertSendError, match="连不上") as caught:
        send(outgoing(target("webhook", "http://127.0.0.1:9"), ALERT, 1, NOW))
    assert not caught.value.final


def test_a_speaker_who_is_not_known_is_told_as_such() -> None:
    body = json.loads(outgoing(target("wecom"), {**ALERT, "sure": False, "agent": None, "team": None}, 1, NOW).body)
    assert "说话人未确定" in body["markdown"]["content"]
    assert "坐席" not in body["markdown"]["content"]


def test_rules_choose_by_severity_role_and_team() -> None:
    targets = [
        target("wecom"),
        target("wecom", severities=(Severity.MINOR,)),
        target("wecom", roles=(Role.SURVEY,)),
        target("wecom", teams=("一组",)),
        target("wecom", teams=("二组",)),
    ]
    chosen = wanted(targets, ALERT, "claims_report", "一组")
    assert [targets.index(t) for t in chosen] == [0, 3]


@pytest.mark.parametrize(
    ("quiet", "told"),
    [
        ((), "2026-11-23T10:00"),
        (("09:00-12:30",), "2026-11-23T12:30"),
        (("22:00-07:00",), "2026-11-23T10:00"),
        (("23:00-10:30",), "2026-11-23T10:30"),
        (("09:30-09:00",), "2026-11-24T09:00"),
    ],
)
def test_in_quiet_hours_a_message_waits_until_they_end(quiet: tuple[str, ...], told: str) -> None:
    from phrasecheck.alerts import CHINA

    assert due(target("wecom", quiet=quiet), NOW).astimezone(CHINA).strftime("%Y-%m-%dT%H:%M") == told


def test_rules_are_read_and_a_secret_may_stand_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(
        "targets:\n  - {name: 班组长, kind: dingtalk, url: 'https://x.cn', secret_env: DING, severities: [严重], quiet: ['22:00-07:00']}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("DING", "SEC1")
    (read,) = load_rules(file)
    assert (read.key(), read.severities) == ("SEC1", (Severity.SEVERE,))
    assert load_rules(None) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("targets: [{name: a, kind: smoke, url: 'https://x.cn'}]", "kind"),
        ("targets: [{name: a, kind: wecom, url: 'ftp://x.cn'}]", "http"),
        ("targets: [{name: a, kind: wecom, url: 'https://x.cn', quiet: [nachts]}]", "22:00-07:00"),
        ("targets: [{name: a, kind: wecom, url: 'https://x.cn'}, {name: a, kind: wecom, url: 'https://x.cn'}]", "重名"),
        ("[]", "targets"),
        (": :", "targets"),
    ],
)
def test_wrong_rules_say_what_is_expected(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        load_rules(file)
