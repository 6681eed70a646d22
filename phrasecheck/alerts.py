"""Who outside is told of an alert, and in which words.

In: alert events, and rules (docs/live-alerts.md). Out: HTTP requests. The one decision: making a request is a pure function of alert, target and
time, so that every form is tested byte by byte; keeping, repeating and giving up are the store's and the sender's.
"""

import base64
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from phrasecheck.errors import InputError, PhrasecheckError
from phrasecheck.types import Role, Severity

WAIT_S = 10.0
CHINA = timezone(timedelta(hours=8))
TEMPORARY = (408, 425, 429)  # of the 4xx, those that may go better later


class Target(BaseModel):
    """One who is told. Without a condition everything is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    kind: Literal["webhook", "dingtalk", "wecom", "feishu"]
    url: str
    secret: str = ""
    secret_env: str = ""  # the environment variable that holds the secret
    severities: tuple[Severity, ...] = tuple(Severity)
    roles: tuple[Role, ...] = tuple(Role)
    teams: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()  # such as 22:00-07:00, in China's time; what comes then is told when they end
    early: bool = False  # early alerts too, before their turn is over

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise ValueError("应为 http:// 或 https:// 的地址")
        return url

    @field_validator("quiet")
    @classmethod
    def _hours(cls, quiet: tuple[str, ...]) -> tuple[str, ...]:
        for hours in quiet:
            _between(hours)
        return quiet

    def key(self) -> str:
        """The secret."""
        return os.environ.get(self.secret_env, "") if self.secret_env else self.secret


class AlertSendError(PhrasecheckError):
    """A message did not arrive. `final`: repeating it will not help."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """An HTTP POST."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def load_rules(file: Path | None) -> list[Target]:
    """The targets of a rules file. Raises InputError."""
    if file is None:
        return []
    try:
        given = yaml.safe_load(file.expanduser().read_text(encoding="utf-8")) or {}
        targets = [Target(**row) for row in given["targets"]]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise InputError(f"读不了提醒规则 {file}：{error!r}；应为 targets: 下的列表，请参照 docs/live-alerts.md") from error
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}（收到 {e['input']!r}）" for e in error.errors()]
        raise InputError(f"提醒规则 {file} 有误，请参照 docs/live-alerts.md：\n" + "\n".join(lines)) from error
    names = [target.name for target in targets]
    if len(set(names)) < len(names):
        raise InputError(f"提醒规则 {file} 里有重名的 targets：每个 name 只能用一次，收到 {'、'.join(names)}")
    return targets


def wanted(targets: Sequence[Target], alert: Mapping[str, Any], role: str, team: str | None) -> list[Target]:
    """Who is told of an alert."""
    return [t for t in targets if alert["severity"] in t.severities and role in t.roles and (not t.teams or team in t.teams)]


def due(target: Target, now: datetime) -> datetime:
    """When it may be told: now, or when its quiet hours end."""
    here = now.astimezone(CHINA)
    for hours in target.quiet:
        begin, end = _between(hours)
        at = here.time().replace(tzinfo=None)
        if (begin <= at < end) if begin <= end else (at >= begin or at < end):
            then = here.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
            return then if then > here else then + timedelta(days=1)
    return now


def _between(hours: str) -> tuple[time, time]:
    begin, dash, end = hours.partition("-")
    try:
        return time.fromisoformat(begin.strip()), time.fromisoformat(end.strip() if dash else "")
    except ValueError as error:
        raise ValueError(f"安静时段应为 22:00-07:00 的样子，收到「{hours}」") from error


def words(alert: Mapping[str, Any]) -> str:
    """An alert in Chinese, a line a matter."""
    who = "　".join(part for part in (f"坐席 {alert['agent']}" if alert.get("agent") else "", alert.get("team") or "") if part)
    lines = (
        f"【{alert['severity']}】服务禁语提醒" + ("（说话人未确定）" if not alert.get("sure", True) else ""),
        f"原话：{alert['quote']}",
        f"禁语：{alert['phrase']}　{alert['title']}",
        f"可以说：{alert['instead']}" if alert.get("instead") else "",
        who,
        f"通话 {alert['call']}，第 {int(alert['start']) // 60}:{int(alert['start']) % 60:02d}",
    )
    return "\n".join(line for line in lines if line)


def outgoing(target: Target, alert: Mapping[str, Any], number: int, now: datetime) -> Outgoing:
    """The request that tells `target`; `number` is the message's own, the same in every attempt."""
    return FORMS[target.kind](target, alert, number, now)


def _webhook(target: Target, alert: Mapping[str, Any], number: int, now: datetime) -> Outgoing:
    body = json.dumps({"event": "alert", "id": number, "alert": dict(alert)}, ensure_ascii=False, sort_keys=True).encode()
    stamp = str(int(now.timestamp()))
    headers = {"X-Phrasecheck-Id": str(number), "X-Phrasecheck-Timestamp": stamp}
    if target.key():
        headers["X-Phrasecheck-Signature"] = "sha256=" + hmac.new(target.key().encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    return _json(target.url, body, headers)


def _dingtalk(target: Target, alert: Mapping[str, Any], _: int, now: datetime) -> Outgoing:
    """open.dingtalk.com, custom robots: the signature goes into the address, made of milliseconds and the secret."""
    url = target.url
    if target.key():
        stamp = str(round(now.timestamp() * 1000))
        sign = base64.b64encode(hmac.new(target.key().encode(), f"{stamp}\n{target.key()}".encode(), sha256).digest())
        url = _with_query(url, timestamp=stamp, sign=sign.decode())
    text = words(alert).replace("\n", "\n\n")  # their Markdown joins lines
    return _json(url, _body({"msgtype": "markdown", "markdown": {"title": f"服务禁语：{alert['severity']}", "text": text}}))


def _wecom(target: Target, alert: Mapping[str, Any], _: int, now: datetime) -> Outgoing:
    """developer.work.weixin.qq.com, group robots: the key in the address is all there is."""
    return _json(target.url, _body({"msgtype": "markdown", "markdown": {"content": words(alert)}}))


def _feishu(target: Target, alert: Mapping[str, Any], _: int, now: datetime) -> Outgoing:
    """open.feishu.cn, custom robots: the signature goes into the body; time and secret are the key, the message is empty."""
    said: dict[str, Any] = {"msg_type": "text", "content": {"text": words(alert)}}
    if target.key():
        stamp = str(int(now.timestamp()))
        sign = base64.b64encode(hmac.new(f"{stamp}\n{target.key()}".encode(), b"", sha256).digest()).decode()
        said = {"timestamp": stamp, "sign": sign, **said}
    return _json(target.url, _body(said))


FORMS = {"webhook": _webhook, "dingtalk": _dingtalk, "wecom": _wecom, "feishu": _feishu}


def _body(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()


def _json(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Outgoing:
    return Outgoing(url=url, body=body, headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def _with_query(url: str, **more: str) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(more, quote_via=quote)) if part)
    return urlunsplit(parts._replace(query=query))


def send(message: Outgoing) -> None:
    """Raises AlertSendError unless the other side says that it took it; robots say so in the body of a 200."""
    request = Request(message.url, data=message.body, headers=dict(message.headers), method="POST")
    try:
        with urlopen(request, timeout=WAIT_S) as response:
            answer = response.read(10_000)
    except HTTPError as error:
        final = 400 <= error.code < 500 and error.code not in TEMPORARY
        raise AlertSendError(f"对方答 HTTP {error.code}：{error.read(300).decode(errors='replace')}", final=final) from error
    except OSError as error:
        raise AlertSendError(f"连不上 {urlsplit(message.url).netloc}：{error}") from error
    try:
        said = json.loads(answer)
    except ValueError:
        return
    code = next((said[name] for name in ("errcode", "code", "StatusCode") if isinstance(said, dict) and name in said), 0)
    if code != 0:
        raise AlertSendError(f"对方没有接受：{answer.decode(errors='replace')[:300]}")
