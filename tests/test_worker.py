"""One worker: what becomes of a claimed call, whatever happens while it is checked."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import sleep
from unittest.mock import ANY

import pytest

from phrasecheck import current, pipeline
from phrasecheck.current import CurrentMatcher
from phrasecheck.errors import ModelError, StoreError
from phrasecheck.pipeline import Allowed, Engines, Progress, Request, Senses
from phrasecheck.settings import Settings
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.calls import Claim
from phrasecheck.store.desk import Allowances
from phrasecheck.store.lexicons import blank
from phrasecheck.store.results import Results
from phrasecheck.store.states import CallState, Permission
from phrasecheck.store.store import Store
from phrasecheck.store.tables import AllowanceRow, ResultRow
from phrasecheck.types import CallResult, Role
from phrasecheck.worker import PAUSES, Check, load_check, run
from tests.desk_lexicons import build as fake_matcher
from tests.stores import Server, server, store_at
from tests.workers import SAID, load_fake, result_of, results, upload

FAKE = load_fake(Settings())


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server("sqlite", tmp_path_factory.mktemp("sqlite")) as running:
        yield running


@pytest.fixture
def url(databases: Server) -> str:
    return databases.fresh()


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    opened = store_at(url, tmp_path, lease_s=0.6)
    yield opened
    opened.close()


@pytest.fixture
def told() -> list[CallState]:
    return []


def drain(store: Store, check: Check = FAKE, told: list[CallState] | None = None) -> None:
    """Until there is nothing to do."""
    run(store, check, Event(), poll_s=0.01, idle_s=0.0, told=lambda _, state: told.append(state) if told is not None else None)


def test_a_call_gets_its_result(store: Store, told: list[CallState]) -> None:
    call = upload(store, SAID)
    drain(store, told=told)
    assert (store.calls.get(call).state, told) == (CallState.DONE, [CallState.DONE])
    assert store.results.get(call).hits == result_of(SAID).hits
    assert store.results.get(call).call.source == "录音.wav"


def test_the_request_says_what_is_known_of_the_call(store: Store) -> None:
    seen: list[Request] = []

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        seen.append(request)
        return result_of("")

    upload(store, "words", agent="1024", team="一组", agent_channel="right", extra={"机构": "杭州"})
    drain(store, check)
    (request,) = seen
    assert (request.role, request.agent, request.team, request.agent_channel) == (Role.SURVEY, "1024", "一组", "right")
    assert request.metadata == {"机构": "杭州"}


def test_a_role_that_nobody_stated_is_not_made_up_for_the_check(store: Store) -> None:
    seen: list[Role | None] = []

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        seen.append(request.role)
        return result_of("")

    call = upload(store, "words", role=None)
    drain(store, check)
    assert seen == [None]
    assert store.calls.get(call).role is Role.RECEPTION


def test_what_cannot_be_read_fails_at_once_with_its_reason(store: Store, told: list[CallState]) -> None:
    call = upload(store, "broken")
    drain(store, told=told)
    row = store.calls.get(call)
    assert (row.state, row.tries, row.reason, told) == (CallState.FAILED, 1, "不是录音", [CallState.FAILED])


@pytest.mark.parametrize(
    ("error", "reason"), [(MemoryError(), "内存不足"), (ValueError("x"), "内部错误 ValueError：x"), (ModelError("缺权重"), "缺权重")]
)
def test_what_may_go_better_is_tried_again(store: Store, told: list[CallState], error: Exception, reason: str) -> None:
    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        raise error

    call = upload(store, "words")
    drain(store, check, told)
    row = store.calls.get(call)
    assert told == [CallState.QUEUED, CallState.QUEUED, CallState.FAILED]
    assert (row.state, row.tries) == (CallState.FAILED, 3)
    assert (row.reason or "").startswith(reason)


def test_a_recording_that_is_gone_fails_at_once(store: Store) -> None:
    call = upload(store, "words")
    store.recordings.delete(store.calls.get(call).recording)
    drain(store)
    assert (store.calls.get(call).state, store.calls.get(call).tries) == (CallState.FAILED, 1)


def test_a_result_that_cannot_be_stored_is_a_failure_with_its_reason(store: Store) -> None:
    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        return replace(result_of("words"), hits=(object(),))  # type: ignore[arg-type]

    call = upload(store, "words")
    drain(store, check)
    assert "内部错误 Pydantic" in (store.calls.get(call).reason or "")


def test_a_long_check_keeps_its_lease(url: str, store: Store, tmp_path: Path) -> None:
    rival = store_at(url, tmp_path, lease_s=0.6)
    handed: list[object] = []

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        for _ in range(15):
            sleep(0.1)
            handed.append(rival.calls.claim())
        return result_of("words")

    call = upload(store, "words")
    drain(store, check)
    assert set(handed) == {None}
    assert store.calls.get(call).state is CallState.DONE


def test_a_cancelled_call_is_given_up_and_the_next_is_taken(store: Store, told: list[CallState]) -> None:
    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        if request.path.read_bytes() == b"long":
            store.calls.cancel(long, "lead")
            for done in range(1000):
                sleep(0.01)
                progress(done, 1000)
        return result_of("words")

    long, short = upload(store, "long"), upload(store, "short")
    drain(store, check, told)
    assert store.calls.get(long).state is CallState.FAILED
    assert "lead" in (store.calls.get(long).reason or "")
    assert (store.calls.get(short).state, told) == (CallState.DONE, [CallState.DONE])


def test_a_result_whose_lease_was_lost_is_dropped(store: Store, told: list[CallState]) -> None:
    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        store.calls.cancel(call, "lead")
        return result_of("words")

    call = upload(store, "words")
    drain(store, check, told)
    assert (results(store, [call]), told) == ({call: 0}, [])


def test_a_worker_that_is_stopped_gives_its_call_back(store: Store) -> None:
    stop = Event()

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        stop.set()
        progress(1, 2)
        raise AssertionError("not reached")

    call = upload(store, "words")
    run(store, check, stop)
    row = store.calls.get(call)
    assert (row.state, row.tries, row.lease) == (CallState.QUEUED, 0, None)


def test_a_store_that_is_away_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = iter([True, False, True])
    checks: list[Request] = []

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        checks.append(request)
        return result_of("words")

    def away(*of: object) -> None:
        if next(refusals, False):
            raise StoreError("数据库不在")

    finish, active = type(store.results).finish, type(store.allowances).active

    def finish_later(self: Results, claim: Claim, result: CallResult) -> ResultRow:
        away()
        return finish(self, claim, result)

    def active_later(self: Allowances) -> list[AllowanceRow]:
        if not checks:
            away()
        return active(self)

    monkeypatch.setattr(type(store.results), "finish", finish_later)
    monkeypatch.setattr(type(store.allowances), "active", active_later)
    call = upload(store, "words")
    drain(store, check)
    assert (store.calls.get(call).state, store.calls.get(call).tries) == (CallState.DONE, 1)
    assert len(checks) == 1
    assert list(refusals) == []


def test_an_object_store_that_refuses_is_asked_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = iter([OSError("SlowDown")] * 2)
    exists = type(store.recordings).exists

    def sometimes(self: object, key: str) -> bool:
        for refusal in refusals:
            raise refusal
        return exists(store.recordings, key)

    call = upload(store, "words")
    monkeypatch.setattr(type(store.recordings), "exists", sometimes)
    drain(store)
    assert (store.calls.get(call).state, store.calls.get(call).tries) == (CallState.DONE, 1)
    assert sum(PAUSES) < 60


def test_allowed_wordings_reach_the_check(store: Store) -> None:
    seen: list[Allowed] = []

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        seen.append(allowed)
        return result_of("words")

    author = store.accounts.invite(NewUser(name="lead", permission=Permission.LEAD), "test")[0]
    store.allowances.add("9.1.14", "你问我，我问谁？", author)
    upload(store, "words")
    drain(store, check)
    assert seen == [{("9.1.14", SAID)}]


def test_a_call_without_headway_ends_its_worker(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()
    monkeypatch.setattr(os, "_exit", lambda code: ended.set())

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        assert ended.wait(10)
        return result_of("words")

    upload(store, "words")
    assert store.calls.lease < timedelta(seconds=1)
    run(store, check, Event(), poll_s=0.01, idle_s=0.0, patience_s=0.1)
    assert ended.is_set()


def test_something_else_is_done_between_calls_and_its_failure_harms_none(store: Store) -> None:
    done: list[str] = []

    class Busy:
        def __call__(self, request: Request, allowed: Allowed, progress: Progress) -> CallResult:
            done.append("call")
            return result_of("words")

        def spare(self) -> bool:
            done.append("spare")
            if done.count("spare") > 3:
                raise RuntimeError("no more")
            return True

    upload(store, "one")
    upload(store, "two")
    run(store, Busy(), Event(), poll_s=0.01, idle_s=0.0)
    assert done[:5] == ["call", "spare", "call", "spare", "spare"]


def test_the_lexicon_in_force_is_asked_before_every_call(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []
    monkeypatch.setattr(pipeline, "load_senses", lambda settings: Senses(vad=ANY, recogniser=ANY))
    monkeypatch.setattr(current, "CurrentMatcher", lambda settings, store: CurrentMatcher(settings, store, fake_matcher))

    def check_call(request: Request, engines: Engines, *others: object) -> CallResult:
        used.append(engines.matcher.parts.lexicon.name)
        return result_of("words")

    monkeypatch.setattr(pipeline, "check_call", check_call)
    check = load_check(Settings(), store)
    author = store.accounts.invite(NewUser(name="lead", permission=Permission.LEAD), "test")[0]
    for active in (False, True):
        if active:
            store.lexicons.add(blank([]), "0" * 64, "", author, after=0, active=True)
        upload(store, "words")
        drain(store, check)
    before, after = used
    assert "company" not in before
    assert "company" in after
