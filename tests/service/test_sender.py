"""Alerts on their way out: once a call and phrase, not before they hold, again when they did not arrive."""

from collections.abc import Callable
from typing import Any

import pytest

from phrasecheck.alerts import AlertSendError, Outgoing, Target
from phrasecheck.service.sender import Sender
from phrasecheck.store.live import NewLive, Told
from phrasecheck.store.store import Store
from phrasecheck.types import Role
from tests.service.desks import Office

ALERT: dict[str, Any] = {
    "type": "alert", "call": "c", "seq": 2, "at": 1.0, "severity": "严重", "phrase": "9.1.14", "title": "t", "quote": "q", "start": 0.0, "end": 1.0,
    "instead": "", "sure": True, "partial": False,
}  # fmt: skip


class Post:
    """Keeps what would be sent; fails as often as it is told."""

    def __init__(self, failures: int = 0, *, final: bool = False) -> None:
        self.sent: list[Outgoing] = []
        self.failures = failures
        self.final = final

    def __call__(self, message: Outgoing) -> None:
        if self.failures:
            self.failures -= 1
            raise AlertSendError("503", final=self.final)
        self.sent.append(message)


def told(**body: Any) -> Told:
    return Told(id=1, call="c", agent="1024", team="一组", body={**ALERT, **body})


@pytest.fixture
def store(office: Office) -> Store:
    office.store.live.begin(NewLive(id="c", role=Role.SURVEY, agent="1024", team="一组", door="own", channels="agent", rate=8000))
    return office.store


@pytest.fixture
def make(store: Store) -> Callable[..., Sender]:
    def made(post: Post, **rules: Any) -> Sender:
        targets = [Target(name="群", kind="wecom", url="https://x.cn", **rules)]
        return Sender(store.live, targets, store.database.now, post)

    return made


def test_one_message_a_call_and_phrase(make: Callable[..., Sender]) -> None:
    sender = make(post := Post())
    sender.take([told(), told(seq=9), told(seq=10, phrase="9.1.10")])
    assert sender.step() == 2
    assert sender.step() == 0
    assert len(post.sent) == 2
    assert "坐席 1024" in post.sent[0].body.decode()


def test_an_early_alert_is_told_when_its_turn_bore_it_out(make: Callable[..., Sender]) -> None:
    sender = make(Post())
    sender.take([told(partial=True)])
    assert sender.step() == 0
    sender.take([told(type="utterance", seq=3, alerts=[2])])
    assert sender.step() == 1


def test_a_retracted_one_is_not_told(make: Callable[..., Sender]) -> None:
    sender = make(Post())
    sender.take([told(partial=True), told(type="retracted", seq=3, alert=2), told(type="utterance", seq=4, alerts=[2]), told(type="ended")])
    assert sender.step() == 0


def test_a_target_may_want_it_at_once(make: Callable[..., Sender]) -> None:
    sender = make(Post(), early=True)
    sender.take([told(partial=True)])
    assert sender.step() == 1


def test_the_rules_decide(make: Callable[..., Sender]) -> None:
    sender = make(Post(), roles=(Role.SALES,))
    sender.take([told()])
    assert sender.step() == 0


def test_what_did_not_arrive_is_tried_again_later(make: Callable[..., Sender], store: Store) -> None:
    sender = make(Post(failures=1))
    sender.take([told()])
    assert sender.step() == 1
    assert sender.step() == 0  # not at once
    assert store.live.dead() == []


def test_what_will_never_arrive_is_dead_and_can_be_sent_by_hand(make: Callable[..., Sender], store: Store) -> None:
    sender = make(post := Post(failures=1, final=True))
    sender.take([told()])
    sender.step()
    (dead,) = store.live.dead()
    assert (dead.target, dead.error) == ("群", "503")
    store.live.again(dead.id, "test")
    sender.step()
    assert len(post.sent) == 1


def test_a_target_that_is_no_longer_in_the_rules_gets_nothing(make: Callable[..., Sender], store: Store) -> None:
    make(Post()).take([told()])
    Sender(store.live, [Target(name="别的", kind="wecom", url="https://x.cn")], store.database.now, Post()).step()
    assert "规则里已没有" in str(store.live.dead()[0].error)
