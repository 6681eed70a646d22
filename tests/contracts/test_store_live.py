"""Calls in progress, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.calls import NewCall
from phrasecheck.store.live import BACKOFF, LiveCalls, NewLive
from phrasecheck.store.states import Permission
from phrasecheck.store.store import Store
from phrasecheck.store.tables import MessageState
from phrasecheck.types import Role
from tests.stores import Clock


@pytest.fixture
def live(store: Store) -> LiveCalls:
    begin(store.live, "a")
    return store.live


def begin(live: LiveCalls, call: str) -> None:
    live.begin(NewLive(id=call, role=Role.SURVEY, agent="1024", team="一组", door="own", channels="agent,customer", rate=8000))


def event(kind: str, seq: int, call: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": kind, "call": call, "seq": seq, "at": float(seq), **more}


def test_events_are_read_by_number_and_by_call(live: LiveCalls) -> None:
    begin(live, "b")
    told = live.tell([event("started", 1), event("started", 1, "b"), event("alert", 2)])
    assert [t.id for t in told] == sorted({t.id for t in told})
    assert [(t.call, t.body["seq"]) for t in live.since(told[0].id)] == [("b", 1), ("a", 2)]
    assert [t.body["type"] for t in live.events("a", after=1)] == ["alert"]
    assert live.last() == told[-1].id
    assert live.get("a").seq == 2
    assert {(t.agent, t.team) for t in [*told, *live.since(0)]} == {("1024", "一组")}


def test_a_call_begins_once(live: LiveCalls) -> None:
    with pytest.raises(RefusedError, match="after"):
        begin(live, "a")


def test_the_end_links_the_recording_and_drops_what_was_heard_in_passing(store: Store, live: LiveCalls) -> None:
    row = store.calls.accept(BytesIO(b"RIFF"), NewCall(source="a.wav", role=Role.SURVEY))
    live.tell([event("partial", 1), event("utterance", 2)])
    assert [call.id for call in live.running()] == ["a"]
    assert [t.body["type"] for t in live.so_far()] == ["utterance"]
    live.tell([event("ended", 3, check=row.id)])
    assert live.running() == []
    assert [t.body["type"] for t in live.events("a")] == ["utterance", "ended"]
    found = live.of_check(row.id)
    assert found is not None
    assert found.id == "a"
    store.calls.delete(row.id, "test", "retention")
    with pytest.raises(NotFoundError):
        live.get("a")


def test_many_writers_give_every_event_a_number_of_its_own(live: LiveCalls) -> None:
    for call in "bcd":
        begin(live, call)

    def write(call: str) -> list[int]:
        return [t.id for seq in range(1, 6) for t in live.tell([event("alert", seq, call)])]

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for written in pool.map(write, "abcd") for number in written]
    assert len(set(numbers)) == 20
    assert {t.id for t in live.since(0)} == set(numbers)


def test_notes_belong_to_alerts(store: Store, live: LiveCalls) -> None:
    user = store.accounts.invite(NewUser(name="王班长", permission=Permission.SUPERVISOR, team="一组"), "test")[0]
    live.tell([event("started", 1), event("alert", 2)])
    live.note("a", 2, user.id)
    live.note("a", 2, user.id, " 下班后谈一下 ")
    assert [(n.name, n.text) for n in live.notes(["a"])] == [("王班长", ""), ("王班长", "下班后谈一下")]
    with pytest.raises(NotFoundError, match="没有第 1 号提醒"):
        live.note("a", 1, user.id)
    with pytest.raises(InputError, match="缩短"):
        live.note("a", 2, user.id, "长" * 2001)


def test_one_message_for_a_target_call_and_phrase(store: Store, live: LiveCalls) -> None:
    now = store.database.now()
    assert live.queue("群", "a", "9.1.01", {}, now)
    assert not live.queue("群", "a", "9.1.01", {}, now)
    assert live.queue("群", "a", "9.1.02", {}, now)
    assert live.queue("别的群", "a", "9.1.01", {}, now)


def test_a_message_is_tried_again_ever_later_until_it_is_dead(live: LiveCalls, clock: Clock) -> None:
    live.queue("群", "a", "9.1.01", {"x": 1}, clock.now)
    for wait in BACKOFF:
        (message,) = live.due()
        assert live.due() == []
        assert live.failed(message.id, "502") is MessageState.WAITING
        clock.later(seconds=wait)
    (message,) = live.due()
    assert live.failed(message.id, "502") is MessageState.DEAD
    clock.later(days=1)
    assert live.due() == []
    assert [m.error for m in live.dead()] == ["502"]
    live.again(message.id, "test")
    (message,) = live.due()
    live.sent(message.id)
    assert (live.due(), live.dead()) == ([], [])
    with pytest.raises(NotFoundError):
        live.again(message.id, "test")


def test_old_calls_that_were_never_recorded_are_pruned(live: LiveCalls, clock: Clock) -> None:
    begin(live, "still running")
    live.tell([event("ended", 1, check=None)])
    assert live.prune(timedelta(days=1)) == 0
    clock.later(days=2)
    assert live.prune(timedelta(days=1)) == 1
    assert [call.id for call in live.running()] == ["still running"]


def test_the_tables_are_those_of_the_code(store: Store) -> None:
    assert [d for d in store.database.differences() if "live" in str(d)] == []
