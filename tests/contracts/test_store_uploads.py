"""Uploads, the queue and the outbox of webhooks, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from threading import Barrier

import pytest

from phrasecheck.errors import NotFoundError, RefusedError
from phrasecheck.metadata import known
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.calls import NewCall
from phrasecheck.store.queue import pace_of
from phrasecheck.store.states import CallState, Permission
from phrasecheck.store.store import Store
from phrasecheck.store.tables import MessageState, Outcome, UploadItemRow, UploadRow, UserRow
from phrasecheck.store.uploads import NewUpload
from phrasecheck.types import Role
from tests.stores import Clock
from tests.workers import result_of


@pytest.fixture
def user(store: Store) -> UserRow:
    return store.accounts.invite(NewUser(name="clerk", permission=Permission.INSPECTOR), "test")[0]


def begun(store: Store, user: UserRow, length: int = 6, batch: str = "b") -> UploadRow:
    wishes = {"facts": {}, "wait": False, "again": False}
    return store.uploads.begin(user.id, NewUpload(name="a.wav", length=length, batch=batch, known=wishes, lasts=timedelta(hours=1)))


def handed_in(store: Store, words: bytes, user: UserRow | None = None, **more: object) -> str:
    new = NewCall(source="a.wav", role=Role.SURVEY, **more)  # type: ignore[arg-type]
    return store.calls.accept(BytesIO(words), new, user.id if user else None).id


# --- uploads ------------------------------------------------------------------------------------------------------------------------


def test_parts_are_appended_where_they_belong(store: Store, user: UserRow) -> None:
    row = begun(store, user)
    assert store.uploads.append(row, 0, b"abc") == 3
    for wrong in (0, 2, 5):
        with pytest.raises(RefusedError, match="第 3 字节"):
            store.uploads.append(row, wrong, b"x")
    with pytest.raises(RefusedError, match="应为 6 字节"):
        store.uploads.append(row, 3, b"defg")
    store.uploads.append(row, 3, b"def")
    assert store.uploads.path(row).read_bytes() == b"abcdef"


def test_of_two_connections_one_goes_on(store: Store, user: UserRow) -> None:
    row, start = begun(store, user, 8), Barrier(2)

    def send(letter: bytes) -> bool:
        start.wait()
        try:
            return store.uploads.append(row, 0, letter * 8) == 8
        except RefusedError:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, (b"a", b"b"))) == [False, True]
    assert store.uploads.path(row).read_bytes() in (b"a" * 8, b"b" * 8)


def test_a_whole_upload_is_taken_in_by_one_at_a_time(store: Store, user: UserRow, clock: Clock) -> None:
    row = begun(store, user)
    assert store.uploads.claim(row.id) is None
    store.uploads.append(row, 0, b"abcdef")
    store.uploads.whole(row)
    with ThreadPoolExecutor(4) as pool:
        assert len([found for found in pool.map(store.uploads.claim, [row.id] * 4) if found]) == 1
    assert store.uploads.stranded() == []
    clock.later(seconds=61)
    assert store.uploads.stranded() == [row.id]
    assert store.uploads.claim(row.id) is not None
    for _ in range(2):  # noted twice is noted once
        store.uploads.add(row.id, UploadItemRow(number=0, name="a.wav", outcome=Outcome.REFUSED, call_id=None, told="不是录音"))
    assert [item.told for item in store.uploads.items(row.id)] == ["不是录音"]
    store.uploads.taken(row)
    assert store.uploads.claim(row.id) is None
    assert not store.uploads.path(row).exists()


def test_a_kill_between_the_last_byte_and_the_word_that_it_is_whole(store: Store, user: UserRow) -> None:
    full, part = begun(store, user), begun(store, user)
    store.uploads.append(full, 0, b"abcdef")
    store.uploads.append(part, 0, b"abc")
    assert store.uploads.stranded() == [full.id]
    row = store.uploads.claim(full.id)
    assert row is not None
    store.uploads.taken(row)
    store.uploads.whole(full)  # whoever wrote the last byte is late
    assert store.uploads.get(full.id).state == "taken"


def test_what_expired_is_swept(store: Store, user: UserRow, clock: Clock) -> None:
    old, whole = begun(store, user), begun(store, user)
    store.uploads.append(whole, 0, b"abcdef")
    store.uploads.whole(whole)
    clock.later(hours=2)
    new = begun(store, user)
    assert store.uploads.sweep() == 1
    assert not store.uploads.path(old).exists()
    assert store.uploads.path(whole).exists()
    assert store.uploads.path(new).exists()
    with pytest.raises(NotFoundError):
        store.uploads.get(old.id)


def test_facts_wait_for_their_recording(store: Store, user: UserRow) -> None:
    store.uploads.keep_facts(user.id, "b", {"a.wav": {"agent": "1"}})
    store.uploads.keep_facts(user.id, "b", {"a.wav": {"agent": "2"}, "b.wav": {"agent": "3"}})
    assert store.uploads.fact(user.id, "b", "a.wav") == {"agent": "2"}
    assert store.uploads.fact(user.id, "other", "a.wav") is None
    assert store.uploads.fact(user.id + 1, "b", "a.wav") is None


def test_a_call_that_waits_is_completed_and_queued(store: Store, user: UserRow) -> None:
    call = handed_in(store, b"1", user, released=False, extra={"文件夹": "x"})
    handed_in(store, b"2", user)
    assert [row.id for row in store.uploads.incomplete(user.id, "b")] == [call]
    done = store.uploads.complete(call, known({"agent": "7", "role": "定损", "time": "2026-11-02T10:00:00+08:00", "保单号": "P"}), "clerk")
    assert (done.state, done.agent, done.role, done.extra) == (CallState.QUEUED, "7", Role.LOSS_ASSESSMENT, {"文件夹": "x", "保单号": "P"})
    assert done.said_at == datetime(2026, 11, 2, 2, tzinfo=UTC)
    assert {claim.call.id for _ in range(2) if (claim := store.calls.claim())} >= {call}
    with pytest.raises(RefusedError, match="已经开始检查"):
        store.uploads.complete(call, known({}), "clerk")


def test_deleting_a_call_takes_its_items_and_messages_along(store: Store, user: UserRow) -> None:
    store.webhooks.add("https://a.example/", user)
    call, row = handed_in(store, b"1"), begun(store, user)
    store.uploads.add(row.id, UploadItemRow(number=0, name="a.wav", outcome=Outcome.ACCEPTED, call_id=call, told=""))
    store.calls.cancel(call, "test")
    assert len(store.webhooks.messages(MessageState.WAITING)) == 1
    store.calls.delete(call, "test", "retention")
    assert store.uploads.items(row.id) == []
    assert store.webhooks.messages(MessageState.WAITING) == []


# --- the queue ----------------------------------------------------------------------------------------------------------------------


def test_the_line_is_the_order_of_checking(store: Store, clock: Clock) -> None:
    calls = []
    for words in (b"1", b"2", b"3"):
        calls.append(handed_in(store, words))
        clock.later(seconds=1)
    assert [call.id for call in store.queue.line(CallState.QUEUED, 2)] == calls[:2]
    store.calls.cancel(calls[1], "test")
    assert store.queue.failed() == [calls[1]]


def test_the_pace_is_that_of_the_results(store: Store, clock: Clock) -> None:
    for words in (b"1", b"2", b"3", b"4", b"5"):
        handed_in(store, words)
    assert store.queue.pace() is None
    for _ in range(5):
        clock.later(seconds=20)
        claim = store.calls.claim()
        assert claim is not None
        store.results.finish(claim, result_of("你好"))
    assert store.queue.pace() == 20
    clock.later(days=2)
    assert store.queue.pace() is None


def test_time_without_work_is_not_counted() -> None:
    start = datetime(2026, 11, 2, 9, tzinfo=UTC)
    at = [start + timedelta(seconds=seconds) for seconds in (10, 20, 5000, 5010)]
    uploaded = [start, start, at[2] - timedelta(seconds=10), at[2] - timedelta(seconds=10)]
    assert pace_of(list(zip(at, uploaded, strict=True))) == 10


# --- webhooks -----------------------------------------------------------------------------------------------------------------------


def test_each_end_is_told_once_to_each_address(store: Store, user: UserRow) -> None:
    store.webhooks.add("https://a.example/", user)
    store.webhooks.add("https://b.example/", user)
    ended = store.webhooks.add("https://c.example/", user)
    store.webhooks.end(ended.id, "clerk")
    calls = {handed_in(store, words) for words in (b"1", b"2")}
    for call in calls:
        store.calls.cancel(call, "test")
    with ThreadPoolExecutor(4) as pool:
        got = [message for found in pool.map(lambda _: store.webhooks.due(1), range(8)) for message, _ in found]
    assert {(message.webhook_id, message.call_id) for message in got} == {
        (hook.id, call) for hook in store.webhooks.active() for call in calls
    }
    assert len(got) == 4


def test_a_sender_that_dies_loses_no_message(store: Store, user: UserRow, clock: Clock) -> None:
    store.webhooks.add("https://a.example/", user)
    store.calls.cancel(handed_in(store, b"1"), "test")
    assert store.webhooks.any_due()
    assert len(store.webhooks.due()) == 1
    assert not store.webhooks.any_due()
    assert store.webhooks.due() == []
    clock.later(seconds=11)
    ((message, _),) = store.webhooks.due()
    assert message.tries == 2
    store.webhooks.sent(message.id)
    clock.later(days=40)
    assert store.webhooks.due() == []
    store.webhooks.sweep()
    assert store.webhooks.messages(MessageState.SENT) == []


def test_a_call_that_will_be_tried_again_is_not_told(store: Store, user: UserRow) -> None:
    store.webhooks.add("https://a.example/", user)
    handed_in(store, b"1")
    claim = store.calls.claim()
    assert claim is not None
    store.calls.fail(claim, "内存不足", again=True)
    assert store.webhooks.messages(MessageState.WAITING) == []
