"""What the store keeps to, on SQLite and on PostgreSQL."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from phrasecheck.errors import InputError, LeaseLostError, NotFoundError, RefusedError, StoreError
from phrasecheck.report.json import from_json, to_json
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.calls import Claim, NewCall
from phrasecheck.store.database import MIGRATIONS, Database, head
from phrasecheck.store.desk import allowed
from phrasecheck.store.listing import MANY, Filter, Order
from phrasecheck.store.results import version_of
from phrasecheck.store.search import sounds
from phrasecheck.store.states import CallState, Permission, RejectReason, ReviewState, Verb
from phrasecheck.store.store import Store
from phrasecheck.store.tables import AuditRow, Base, CallRow, HitRow, ResultRow, ReviewRow, TokenKind, TokenRow, UserRow, UtteranceRow
from phrasecheck.types import CallResult, Role
from tests.report.samples import call_result
from tests.stores import Clock, Server, store_at

PASSWORD = "correct horse battery"
RESULT = from_json(to_json(call_result()))  # as it is once it was stored


def upload(store: Store, sound: bytes = b"RIFF", **known: Any) -> CallRow:
    new = NewCall(source="录音 1.WAV", role=Role.SURVEY, agent="1024", team="一组")
    return store.calls.accept(BytesIO(sound), replace(new, **known))


def claimed(store: Store) -> Claim:
    claim = store.calls.claim()
    assert claim is not None
    return claim


def done(store: Store, result: CallResult = RESULT, **known: Any) -> CallRow:
    row = upload(store, **known)
    store.results.finish(claimed(store), result)
    return store.calls.get(row.id)


def other_lexicon(result: CallResult = RESULT, **changes: object) -> CallResult:
    return replace(result, provenance=replace(result.provenance, lexicon="sample 2", lexicon_sha256="c" * 64), **changes)  # type: ignore[arg-type]


def user(store: Store, name: str, permission: Permission, agent: str | None = None) -> UserRow:
    return store.accounts.invite(NewUser(name=name, permission=permission, agent=agent), "test")[0]


def rows(store: Store, table: type[Base]) -> int:
    with store.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


# --- tables -----------------------------------------------------------------------------------------------------------------------


def test_migrations_lead_from_nothing_to_the_tables_of_the_code(databases: Server) -> None:
    database = Database(databases.empty())
    with pytest.raises(StoreError, match="phrasecheck db upgrade"):
        database.check()
    database.upgrade()
    database.upgrade()
    database.check()
    assert database.revision() == head()
    assert database.differences() == []


def test_what_the_first_version_kept_is_found_and_scored_after_the_upgrade(databases: Server, tmp_path: Path) -> None:
    url = databases.empty()
    database = Database(url)
    with database.write() as session:
        config = Config(attributes={"connection": session.connection()})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(config, "0001")
        at = {"at": database.now()}
        old = "INSERT INTO calls (id, source, sha256, recording, role, agent_channel, said_at, extra, uploaded_at, state, tries, hold) "
        session.execute(text(old + "VALUES ('c', 'a.wav', 'x', 'x', 'sales', 'auto', :at, '{}', :at, 'done', 0, false)"), at)
        old = "INSERT INTO results (id, call_id, version, current, lexicon, points, seconds, unsure, body, made_at) "
        session.execute(text(old + "VALUES (1, 'c', 'v', true, 'x', 80, 1, false, :body, :at)"), {**at, "body": b""})
        old = "INSERT INTO utterances (id, call_id, utterance_id, speaker, start_s, text, pinyin) "
        session.execute(text(old + "VALUES (1, 'c', 'u0', 'agent', 0, '系统的', ' xi tong de '), (2, 'c', 'u1', 'agent', 1, '。', '')"))
    database.upgrade()
    assert database.differences() == []
    store = store_at(url, tmp_path)
    assert [found.utterance_id for found in store.listing.said("西统")] == ["u0"]
    assert [line.points for line in store.listing.page(Filter(text="统的"))] == [80]


def test_tables_of_another_version_are_refused(url: str, tmp_path: Path) -> None:
    database = Database(url)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(StoreError, match=head()):
        store_at(url, tmp_path)


def test_several_processes_may_start_on_an_empty_database(databases: Server, tmp_path: Path) -> None:
    url = databases.empty()
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: store_at(url, tmp_path), range(4)))
    assert [store.calls.claim() for store in stores] == [None] * 4


@pytest.mark.parametrize("wrong", ["phrasecheck.db", "sqlite://", "nosql:///x", "postgresql://nobody@127.0.0.1:1/x"])
def test_a_database_that_cannot_be_used_is_named(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"数据库|store\.database"):
        store_at(wrong, tmp_path)


def test_a_password_in_the_url_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as told:
        store_at("postgresql://me:geheim@127.0.0.1:1/x", tmp_path)
    assert "geheim" not in str(told.value).partition("postgresql")[2].partition("：")[0]


# --- handing in -------------------------------------------------------------------------------------------------------------------


def test_a_recording_is_kept_under_its_hash_and_queued(store: Store) -> None:
    row = upload(store, b"sound", extra={"机构": "杭州"})
    assert (row.state, row.source, row.agent, row.extra) == (CallState.QUEUED, "录音 1.WAV", "1024", {"机构": "杭州"})
    assert row.recording.endswith(f"{row.sha256}.wav")
    with store.recordings.local(row.recording) as path:
        assert path.read_bytes() == b"sound"
    assert [same.id for same in store.calls.same_recording(row.sha256)] == [row.id]


def test_the_same_key_is_the_same_call(store: Store) -> None:
    first = upload(store, idempotency_key="k")
    assert upload(store, idempotency_key="k").id == first.id
    assert rows(store, CallRow) == 1
    with pytest.raises(InputError, match="幂等键「k」"):
        upload(store, b"another", idempotency_key="k")


def test_a_key_is_its_senders_own(store: Store) -> None:
    one, two = user(store, "one", Permission.LEAD), user(store, "two", Permission.LEAD)
    new = NewCall(source="a.wav", role=Role.SALES, idempotency_key="k")
    assert len({store.calls.accept(BytesIO(b"x"), new, sender.id).id for sender in (one, two, one)}) == 2


def test_one_key_sent_at_once_is_one_call(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: upload(store, idempotency_key="k").id, range(8)))
    assert len(ids) == rows(store, CallRow) == 1


def test_a_call_may_wait_for_its_metadata(store: Store) -> None:
    row = upload(store, released=False)
    assert store.calls.claim() is None
    assert store.calls.release(row.id, "test").state is CallState.QUEUED
    assert claimed(store).call.id == row.id


def test_times_without_a_zone_are_refused(store: Store) -> None:
    with pytest.raises(Exception, match="without a zone"):
        upload(store, said_at=datetime(2026, 11, 1))


# --- working ----------------------------------------------------------------------------------------------------------------------


def test_calls_are_handed_out_in_the_order_they_came(store: Store, clock: Clock) -> None:
    ids = []
    for _ in range(3):
        ids.append(upload(store).id)
        clock.later(seconds=1)
    assert [store.calls.ahead(call) for call in ids] == [0, 1, 2]
    assert [claimed(store).call.id for _ in ids] == ids
    assert store.calls.claim() is None


def test_workers_at_once_never_get_the_same_call(url: str, tmp_path: Path) -> None:
    workers = [store_at(url, tmp_path) for _ in range(4)]
    expected = {upload(workers[0]).id for _ in range(40)}

    def work(store: Store) -> list[str]:
        taken = []
        while (claim := store.calls.claim()) is not None:
            taken.append(claim.call.id)
            store.results.finish(claim, RESULT)
        return taken

    with ThreadPoolExecutor(len(workers)) as pool:
        taken = Counter(call for calls in pool.map(work, workers) for call in calls)
    assert set(taken) == expected
    assert set(taken.values()) == {1}
    assert rows(workers[0], ResultRow) == 40


KILLED = """
import os, signal, sys
from pathlib import Path
from typing import Any
from tests.stores import store_at
claim = store_at(sys.argv[1], Path(sys.argv[2]), lease_s=60).calls.claim()
print(claim.call.id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_workers_call_is_handed_out_again(url: str, tmp_path: Path) -> None:
    store = store_at(url, tmp_path)
    call = upload(store).id
    died = subprocess.run([sys.executable, "-c", KILLED, url, str(tmp_path)], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert (died.stdout.strip(), died.returncode) == (call, -9), died.stderr
    assert store.calls.claim() is None  # its lease lasts
    afterwards = store_at(url, tmp_path, Clock(datetime.now(UTC) + timedelta(seconds=61)))
    again = claimed(afterwards)
    assert (again.call.id, again.call.tries) == (call, 2)
    store.results.finish(again, RESULT)
    assert store.calls.get(call).state is CallState.DONE


def test_a_worker_that_says_it_is_alive_keeps_its_call(store: Store, clock: Clock) -> None:
    upload(store)
    claim = claimed(store)
    for _ in range(3):
        clock.later(seconds=50)
        assert store.calls.heartbeat(claim) == clock.now + timedelta(seconds=60)
        assert store.calls.claim() is None


def test_a_worker_thought_dead_cannot_spoil_what_its_successor_does(store: Store, clock: Clock) -> None:
    call = upload(store).id
    slow = claimed(store)
    clock.later(seconds=61)
    successor = claimed(store)
    for word in (store.calls.heartbeat, store.calls.give_back, lambda claim: store.calls.fail(claim, "?", again=True)):
        with pytest.raises(LeaseLostError):
            word(slow)
    with pytest.raises(LeaseLostError):
        store.results.finish(slow, RESULT)
    assert rows(store, ResultRow) == 0
    store.results.finish(successor, RESULT)
    with pytest.raises(LeaseLostError):
        store.results.finish(successor, RESULT)
    assert [row.call_id for row in store.results.versions(call)] == [call]


def test_a_slow_worker_that_nobody_replaced_may_finish(store: Store, clock: Clock) -> None:
    upload(store)
    claim = claimed(store)
    clock.later(hours=1)
    assert store.results.finish(claim, RESULT).current


def test_a_call_that_kills_its_workers_fails_with_the_reason(store: Store, clock: Clock) -> None:
    poison = upload(store)
    clock.later(seconds=1)
    fine = upload(store, b"other")
    for _ in range(3):
        assert claimed(store).call.id == poison.id
        clock.later(seconds=61)
    assert claimed(store).call.id == fine.id
    row = store.calls.get(poison.id)
    assert (row.state, row.tries, row.lease) == (CallState.FAILED, 3, None)
    assert "连续 3 次" in (row.reason or "")


def test_a_failed_call_says_why_and_can_be_run_again(store: Store) -> None:
    call = upload(store).id
    assert store.calls.fail(claimed(store), "解不开录音", again=False) is CallState.FAILED
    assert store.calls.get(call).reason == "解不开录音"
    assert store.calls.claim() is None
    again = store.calls.run_again(call, "test")
    assert (again.state, again.tries, again.reason) == (CallState.QUEUED, 0, None)
    store.results.finish(claimed(store), RESULT)
    assert store.calls.counts() == dict.fromkeys(CallState, 0) | {CallState.DONE: 1}


def test_a_passing_trouble_is_tried_again_but_not_for_ever(store: Store) -> None:
    upload(store)
    ends = [store.calls.fail(claimed(store), "内存不足", again=True) for _ in range(3)]
    assert ends == [CallState.QUEUED, CallState.QUEUED, CallState.FAILED]


def test_a_worker_that_stops_in_good_order_costs_no_try(store: Store) -> None:
    upload(store)
    for _ in range(5):
        store.calls.give_back(claimed(store))
    assert claimed(store).call.tries == 1


@pytest.mark.parametrize("state", [CallState.QUEUED, CallState.CHECKING])
def test_a_call_under_way_is_not_queued_again(store: Store, state: CallState) -> None:
    call = upload(store).id
    if state is CallState.CHECKING:
        claimed(store)
    with pytest.raises(RefusedError, match=state):
        store.calls.run_again(call, "test")
    with pytest.raises(RefusedError, match=state):
        store.results.rescore(call, RESULT, "test")


# --- results ----------------------------------------------------------------------------------------------------------------------


def test_a_result_comes_back_as_it_was(store: Store) -> None:
    call = done(store)
    expected = replace(RESULT, call=replace(RESULT.call, id=call.id, source=call.source))
    assert store.results.get(call.id) == expected
    assert [hit.quote for hit in store.results.hits(call.id)] == [hit.quote for hit in RESULT.hits]


def test_result_and_state_are_stored_together_or_not_at_all(store: Store) -> None:
    call = upload(store).id
    broken = replace(RESULT, hits=(replace(RESULT.hits[0], phrase_id="9." + "1" * 40, quote=None),))  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"hits|quote"):
        store.results.finish(claimed(store), broken)
    assert store.calls.get(call).state is CallState.CHECKING
    assert [rows(store, table) for table in (ResultRow, HitRow, UtteranceRow)] == [0, 0, 0]


def test_one_result_a_version(store: Store) -> None:
    call = done(store).id
    store.calls.run_again(call, "test")
    assert store.results.get(call).hits == RESULT.hits  # the old one stays until the next comes
    store.results.finish(claimed(store), RESULT)
    newer = store.results.rescore(call, other_lexicon(), "test")
    assert store.results.versions(call)[0].id == newer.id
    assert len(store.results.versions(call)) == 2
    store.results.rescore(call, RESULT, "test")
    versions = store.results.versions(call)
    assert [row.current for row in versions] == [False, True]
    assert versions[1].version == version_of(RESULT.provenance)
    assert store.results.get(call, newer.version).provenance.lexicon == "sample 2"


def test_the_database_itself_holds_to_one_current_result(store: Store) -> None:
    call = done(store).id
    values = {"call_id": call, "lexicon": "x", "seconds": 1.0, "unsure": False, "body": {}, "made_at": store.database.now()}
    for wrong in ({"version": version_of(RESULT.provenance), "current": False}, {"version": "other", "current": True}):
        with pytest.raises(DBAPIError), store.database.write() as session:
            session.execute(insert(ResultRow).values(values | wrong))


def test_a_verdict_outlives_the_lexicon_it_was_given_under(store: Store) -> None:
    call = done(store).id
    inspector = user(store, "q", Permission.INSPECTOR)
    first, second = store.results.hits(call)[:2]
    store.reviews.add(first.id, Verb.CONFIRM, inspector)
    store.results.rescore(call, other_lexicon(hits=(replace(RESULT.hits[0], score=0.7), *RESULT.hits[2:])), "test")
    now = store.results.hits(call)
    assert (now[0].id, now[0].score, now[0].state) == (first.id, 0.7, ReviewState.CONFIRMED)
    assert second.id not in [hit.id for hit in now]  # the new lexicon does not find it
    assert [review.verb for review in store.reviews.of_call(call)] == [Verb.CONFIRM]


def test_no_result_is_said_so(store: Store) -> None:
    with pytest.raises(NotFoundError, match="还没有结果"):
        store.results.get(upload(store).id)
    with pytest.raises(NotFoundError, match="没有通话"):
        store.calls.get("nowhere")


# --- review -----------------------------------------------------------------------------------------------------------------------

PEOPLE = tuple(Permission)
REACHED: dict[ReviewState, tuple[tuple[Verb, Permission], ...]] = {
    ReviewState.NEW: (),
    ReviewState.CONFIRMED: ((Verb.CONFIRM, Permission.INSPECTOR),),
    ReviewState.REJECTED: ((Verb.REJECT, Permission.INSPECTOR),),
    ReviewState.APPEALED: ((Verb.APPEAL, Permission.AGENT),),
    ReviewState.UPHELD: ((Verb.APPEAL, Permission.AGENT), (Verb.UPHOLD, Permission.LEAD)),
    ReviewState.DISMISSED: ((Verb.APPEAL, Permission.AGENT), (Verb.DISMISS, Permission.LEAD)),
}
MAY = {  # written out once more, by who presses what: all that is not here is refused
    (ReviewState.NEW, Verb.CONFIRM): "lead inspector",
    (ReviewState.NEW, Verb.REJECT): "lead inspector",
    (ReviewState.NEW, Verb.APPEAL): "agent",
    (ReviewState.CONFIRMED, Verb.REJECT): "lead inspector",
    (ReviewState.CONFIRMED, Verb.APPEAL): "agent",
    (ReviewState.REJECTED, Verb.CONFIRM): "lead inspector",
    (ReviewState.APPEALED, Verb.UPHOLD): "lead",
    (ReviewState.APPEALED, Verb.DISMISS): "lead",
}


def review(store: Store, hit: int, verb: Verb, who: UserRow) -> ReviewRow:
    return store.reviews.add(hit, verb, who, reason=RejectReason.TONE if verb is Verb.REJECT else None)


@pytest.mark.parametrize("state", list(ReviewState))
def test_who_may_do_what_to_a_hit(store: Store, state: ReviewState) -> None:
    call = done(store).id
    people = {permission: user(store, permission, permission, "1024") for permission in PEOPLE}
    hit = store.results.hits(call)[0].id
    for verb, permission in REACHED[state]:
        review(store, hit, verb, people[permission])
    allowed_moves = {(verb, p) for (s, verb), by in MAY.items() if s is state for p in by.split()}
    history = len(REACHED[state])
    for verb in Verb:
        for permission in PEOPLE:
            if (verb, permission) in allowed_moves:
                continue
            with pytest.raises(RefusedError):
                review(store, hit, verb, people[permission])
    assert len(store.reviews.of_call(call)) == history
    assert store.results.hits(call)[0].state is state
    for verb, who in sorted(allowed_moves)[:1]:
        row = review(store, hit, verb, people[Permission(who)])
        assert row.before is state
        assert store.results.hits(call)[0].state is row.after


def test_a_review_is_a_row_beside_the_hit_and_cannot_be_changed(store: Store) -> None:
    call = done(store).id
    inspector = user(store, "q", Permission.INSPECTOR)
    hit = store.results.hits(call)[0].id
    store.reviews.add(hit, Verb.REJECT, inspector, reason=RejectReason.QUOTED, comment="在念条款")
    store.reviews.add(hit, Verb.CONFIRM, inspector)
    told = [(r.verb, r.before, r.after, r.reason, r.comment, r.user_id) for r in store.reviews.of_call(call)]
    assert told == [
        (Verb.REJECT, ReviewState.NEW, ReviewState.REJECTED, RejectReason.QUOTED, "在念条款", inspector.id),
        (Verb.CONFIRM, ReviewState.REJECTED, ReviewState.CONFIRMED, None, "", inspector.id),
    ]
    with pytest.raises(Exception, match="append-only"), store.database.write() as session:
        session.execute(text("UPDATE reviews SET comment = '没有的事'"))


def test_of_two_who_judge_at_once_one_is_told(store: Store) -> None:
    call = done(store).id
    inspectors = [user(store, name, Permission.INSPECTOR) for name in ("a", "b", "c", "d")]
    hit = store.results.hits(call)[0].id

    def confirm(who: UserRow) -> bool:
        try:
            return bool(store.reviews.add(hit, Verb.CONFIRM, who))
        except RefusedError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(confirm, inspectors)) == [False, False, False, True]
    assert rows(store, ReviewRow) == 1


def test_a_rejection_has_a_reason(store: Store) -> None:
    hit = store.results.hits(done(store).id)[0].id
    inspector = user(store, "q", Permission.INSPECTOR)
    with pytest.raises(InputError, match="原因"):
        store.reviews.add(hit, Verb.REJECT, inspector)
    with pytest.raises(InputError, match="原因"):
        store.reviews.add(hit, Verb.CONFIRM, inspector, reason=RejectReason.TONE)
    with pytest.raises(InputError, match="备注"):
        store.reviews.add(hit, Verb.REJECT, inspector, reason=RejectReason.OTHER, comment=" ")
    with pytest.raises(NotFoundError):
        store.reviews.add(hit + 1000, Verb.CONFIRM, inspector)


def test_appeals_are_ones_own_in_time_and_about_something(store: Store, clock: Clock) -> None:
    call = done(store).id
    hits = store.results.hits(call)
    doubtful = next(hit for hit in hits if hit.doubtful)
    agent, stranger = user(store, "a", Permission.AGENT, "1024"), user(store, "s", Permission.AGENT, "2048")
    with pytest.raises(RefusedError, match="自己的通话"):
        review(store, hits[0].id, Verb.APPEAL, stranger)
    with pytest.raises(RefusedError, match="存疑"):
        review(store, doubtful.id, Verb.APPEAL, agent)
    clock.later(days=6)
    review(store, hits[1].id, Verb.CONFIRM, user(store, "q", Permission.INSPECTOR))
    clock.later(days=2)
    with pytest.raises(RefusedError, match="7 天"):
        review(store, hits[0].id, Verb.APPEAL, agent)
    assert review(store, hits[1].id, Verb.APPEAL, agent).after is ReviewState.APPEALED
    assert [hit.id for hit in store.reviews.waiting([ReviewState.APPEALED])] == [hits[1].id]


# --- finding ----------------------------------------------------------------------------------------------------------------------


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The SQL that is sent in the block."""
    sent: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if statement != "BEGIN":
            sent.append(statement)

    with store.database.read() as session:
        engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_three_thousand_calls_are_one_query(store: Store) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    many = range(3000)
    with store.database.write() as session:
        session.execute(insert(CallRow), [_call(n, start + timedelta(minutes=n)) for n in many])
        session.execute(insert(ResultRow), [_result(n) for n in many if n % 10])
        ids = dict(session.execute(select(ResultRow.call_id, ResultRow.id)).all())
        session.execute(insert(HitRow), [_hit(n, k, ids[f"{n:05}"]) for n in many if n % 10 for k in range(n % 3)])
    with statements(store) as sent:
        everything = store.listing.page(Filter(), limit=None)
        twos = store.listing.page(Filter(team="2组", section="9.1", since=start, points_at_most=80, unsure=False), limit=None)
    assert len(sent) == 2
    assert len(everything) == 3000
    assert [line.call.id for line in everything[:2]] == ["02999", "02998"]
    assert {line.violations for line in everything} == {0, 1, 2}
    expected = [n for n in reversed(many) if n % 10 and n % 5 == 2 and n % 3 and 100 - n % 30 <= 80]
    assert [int(line.call.id) for line in twos] == expected
    assert store.listing.count(Filter(team="2组")) == 600
    pages, after = [], None
    while page := store.listing.page(Filter(team="2组"), after, limit=250):
        pages += page
        after = page[-1].call
    assert [line.call.id for line in pages] == [f"{n:05}" for n in reversed(many) if n % 5 == 2]


def _call(n: int, said_at: datetime) -> dict[str, object]:
    known = {
        "id": f"{n:05}",
        "source": f"{n}.wav",
        "sha256": f"{n:064}",
        "recording": f"00/{n:064}",
        "role": Role.SALES,
        "team": f"{n % 5}组",
    }
    return known | {"said_at": said_at, "uploaded_at": said_at, "state": CallState.DONE if n % 10 else CallState.FAILED}


def _result(n: int) -> dict[str, object]:
    made = {"call_id": f"{n:05}", "version": "v", "current": True, "lexicon": "x", "body": {}, "made_at": datetime.now(UTC)}
    return made | {"points": 100.0 - n % 30, "judged_points": 100.0 - n % 30, "seconds": 60.0, "unsure": False}


def _hit(n: int, k: int, result: int) -> dict[str, object]:
    claim = {"call_id": f"{n:05}", "result_id": result, "utterance_id": f"u{k}", "phrase_id": "9.1.06", "section": "9.1"}
    return claim | {"quote": "自己看", "score": 0.9, "doubtful": False, "at_s": 1.0}


def test_what_counts_follows_the_verdicts(store: Store) -> None:
    call = done(store)
    inspector = user(store, "q", Permission.INSPECTOR)
    (line,) = store.listing.page(Filter())
    assert (line.violations, line.doubtful, line.unsure, line.points) == (4, 2, True, min(card.points for card in RESULT.scorecards))
    hits = store.results.hits(call.id)
    review(store, hits[0].id, Verb.REJECT, inspector)
    review(store, next(hit.id for hit in hits if hit.doubtful), Verb.CONFIRM, inspector)
    (line,) = store.listing.page(Filter())
    assert (line.violations, line.doubtful) == (4, 1)
    assert store.listing.count(Filter(review=ReviewState.REJECTED, phrase=hits[0].phrase_id)) == 1
    assert store.listing.count(Filter(review=ReviewState.REJECTED, phrase="9.2.04")) == 0


def test_points_follow_the_verdicts_in_the_same_breath(store: Store) -> None:
    call = done(store)  # 你问我 10, 有意见告去 20, again in one breath, 要就要 10, 快点 (doubtful) 5, 有意见告去 (unsure) 20
    inspector, lead, agent = (user(store, p, p, "1024") for p in (Permission.INSPECTOR, Permission.LEAD, Permission.AGENT))
    hits = store.results.hits(call.id)

    def points() -> tuple[float | None, float | None]:
        (line,) = store.listing.page(Filter())
        return line.points, line.machine_points

    assert points() == (60, 60)
    for place, verb, who, left in (
        (0, Verb.REJECT, inspector, 70),
        (1, Verb.REJECT, inspector, 70),  # the one said again in the same breath costs instead
        (2, Verb.REJECT, inspector, 90),
        (4, Verb.CONFIRM, inspector, 85),
        (5, Verb.CONFIRM, inspector, 65),
        (5, Verb.APPEAL, agent, 65),
        (5, Verb.UPHOLD, lead, 85),
        (0, Verb.CONFIRM, lead, 75),
    ):
        review(store, hits[place].id, verb, who)
        assert points() == (left, 60), place
    assert store.listing.count(Filter(points_at_most=75)) == 1
    assert store.listing.count(Filter(points_at_most=74)) == 0
    store.results.rescore(call.id, other_lexicon(), "test")
    assert points() == (75, 60)  # verdicts outlive the lexicon


def test_who_judges_on_an_old_page_is_told(store: Store) -> None:
    call = done(store)
    one, two = user(store, "张三", Permission.INSPECTOR), user(store, "李四", Permission.INSPECTOR)
    hit = store.results.hits(call.id)[0]
    store.reviews.add(hit.id, Verb.REJECT, one, reason=RejectReason.TONE, seen=ReviewState.NEW)
    with pytest.raises(RefusedError, match="张三"):
        store.reviews.add(hit.id, Verb.CONFIRM, two, seen=ReviewState.NEW)
    store.reviews.add(hit.id, Verb.CONFIRM, two, seen=ReviewState.REJECTED)
    assert [review.user_id for review in store.reviews.of_call(call.id)] == [one.id, two.id]


def test_verdicts_at_once_on_several_hits_are_all_in_the_points(store: Store) -> None:
    call = done(store)
    inspector = user(store, "q", Permission.INSPECTOR)
    hits = store.results.hits(call.id)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda hit: review(store, hit.id, Verb.REJECT, inspector), hits))
    assert store.listing.page(Filter())[0].points == 100


def test_appeals_stand_in_line_with_their_calls(store: Store) -> None:
    call = done(store)
    lead, agent = user(store, "l", Permission.LEAD), user(store, "a", Permission.AGENT, "1024")
    hits = store.results.hits(call.id)
    for hit in hits[:3]:
        store.reviews.add(hit.id, Verb.APPEAL, agent, comment=f"第 {hit.id} 处")
    queue = store.reviews.queue({ReviewState.APPEALED})
    assert [(q.hit.id, q.call.id, q.last.comment) for q in queue] == [(h.id, call.id, f"第 {h.id} 处") for h in hits[2::-1]]
    assert [q.hit.id for q in store.reviews.queue({ReviewState.APPEALED}, after=queue[0].last.id)] == [hits[1].id, hits[0].id]
    assert store.reviews.queue({ReviewState.APPEALED}, agent="2048") == store.reviews.queue({ReviewState.APPEALED}, team="二组") == []
    review(store, hits[0].id, Verb.UPHOLD, lead)
    assert [q.hit.id for q in store.reviews.queue({ReviewState.UPHELD, ReviewState.DISMISSED}, agent="1024")] == [hits[0].id]


def test_calls_in_another_order(store: Store) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    with store.database.write() as session:
        session.execute(insert(CallRow), [_call(n, start + timedelta(minutes=n)) for n in range(50)])
        session.execute(insert(ResultRow), [_result(n) | {"judged_points": 100.0 - n % 7 if n % 9 else None} for n in range(40)])
    worst = [f"{n:05}" for n in sorted((n for n in range(40) if n % 9), key=lambda n: (100 - n % 7, n))]
    for order, expected in ((Order.OLDEST, [f"{n:05}" for n in range(50)]), (Order.WORST, worst)):
        pages, after = [], None
        while page := store.listing.page(Filter(), after, limit=7, order=order):
            pages += page
            after = page[-1].call
        assert [line.call.id for line in pages] == expected


def test_old_results_are_not_counted(store: Store) -> None:
    call = done(store)
    store.results.rescore(call.id, other_lexicon(hits=RESULT.hits[:1], scorecards=()), "test")
    (line,) = store.listing.page(Filter())
    assert (line.violations, line.points) == (1, None)
    assert store.listing.count(Filter(phrase="9.2.04")) == 0


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("有意见告去", ["u2", "u3", "u7"]),
        ("有一件搞去", ["u2", "u3", "u7"]),  # as a recogniser hears it
        ("我问睡", ["u2"]),  # accents: shui, sui
        ("意见高", ["u2", "u3", "u7"]),  # sounds alike, whole syllables
        ("<B>态度", ["u4"]),
        ("%", []),
        ("_", []),
        (" ", []),
        ("理赔", []),
    ],
)
def test_words_are_found_by_their_sound(store: Store, words: str, found: list[str]) -> None:
    done(store)
    assert [f.utterance_id for f in store.listing.said(words)] == found
    assert store.listing.count(Filter(text=words)) == (1 if found else 0) or not words.strip()


def test_what_half_the_house_says_is_found_too(store: Store) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    with store.database.write() as session:
        session.execute(insert(CallRow), [_call(n, start + timedelta(minutes=n)) for n in range(100)])
        words = [("您好请问", sounds("您好请问")) if k % 2 else ("稍等", sounds("稍等")) for k in range(MANY * 2 // 100 + 2)]
        spoken = [
            {"call_id": f"{n:05}", "utterance_id": f"u{k}", "speaker": "agent", "start_s": 1.0, "text": text, "pinyin": pinyin}
            for n in range(100)
            for k, (text, pinyin) in enumerate(words)
        ]
        session.execute(insert(UtteranceRow), spoken)
    assert [line.call.id for line in store.listing.page(Filter(text="您好"), limit=3)] == ["00099", "00098", "00097"]
    assert store.listing.count(Filter(text="宁好")) == 100
    assert {found.call.id for found in store.listing.said("您好", limit=10)} == {"00099"}


def test_words_of_a_deleted_call_are_found_no_more(store: Store) -> None:
    call = done(store)
    assert store.listing.said("有意见告去")
    store.calls.delete(call.id, "test", "retention")
    assert store.listing.said("有意见告去") == []
    assert store.listing.count(Filter(text="有意见告去")) == 0


def test_the_very_words_come_first(store: Store, clock: Clock) -> None:
    done(store)
    clock.later(days=1)
    garbled = replace(RESULT.transcript.utterances[0], text="有一件搞去啊")
    done(store, replace(RESULT, hits=(), transcript=replace(RESULT.transcript, utterances=(garbled,))), team="二组")
    assert [(f.exact, f.call.team) for f in store.listing.said("有意见告去")] == [(True, "一组")] * 3 + [(False, "二组")]
    assert [f.call.team for f in store.listing.said("有意见告去", Filter(team="二组"))] == ["二组"]


def test_filters_are_kept_by_name(store: Store) -> None:
    one, two = user(store, "one", Permission.LEAD), user(store, "two", Permission.LEAD)
    wanted = Filter(role=Role.SALES, since=datetime(2026, 11, 1, tzinfo=UTC), review=ReviewState.APPEALED, points_at_most=60)
    store.filters.save(one.id, "申诉", Filter(team="一组"))
    store.filters.save(one.id, " 申诉 ", wanted)
    assert store.filters.of(one.id) == {"申诉": wanted}
    assert store.filters.of(two.id) == {}
    store.filters.delete(two.id, "申诉")
    store.filters.delete(one.id, "申诉")
    assert store.filters.of(one.id) == {}


# --- allow-list -------------------------------------------------------------------------------------------------------------------


def test_an_allowance_spares_one_wording_of_one_phrase_until_it_is_removed(store: Store) -> None:
    lead = user(store, "主管", Permission.LEAD)
    hit = RESULT.hits[0]
    row = store.allowances.add(hit.phrase_id, f"「{hit.quote}」。", lead)
    assert store.allowances.add(hit.phrase_id, hit.quote, lead).id == row.id
    assert (row.author_id, row.created_at) == (lead.id, store.database.now())
    assert [allowed(h, store.allowances.active()) for h in RESULT.hits] == [True] + [False] * 5
    assert not allowed(replace(hit, phrase_id="9.1.06"), store.allowances.active())
    store.allowances.remove(row.id, lead)
    assert store.allowances.active() == []
    assert [(r.id, r.removed_by) for r in store.allowances.removed()] == [(row.id, lead.id)]
    with pytest.raises(NotFoundError):
        store.allowances.remove(row.id, lead)
    assert store.allowances.add(hit.phrase_id, hit.quote, lead).id != row.id
    with pytest.raises(InputError):
        store.allowances.add(hit.phrase_id, "。！", lead)


# --- accounts ---------------------------------------------------------------------------------------------------------------------


def test_the_first_link_makes_one_administrator(store: Store) -> None:
    old, link = store.accounts.first_link(), store.accounts.first_link()
    assert old and link
    with pytest.raises(RefusedError):
        store.accounts.make_first(old, "eve", PASSWORD)
    with pytest.raises(InputError, match="10 个字符"):
        store.accounts.make_first(link, "admin", "short")
    admin = store.accounts.make_first(link, "admin", PASSWORD)
    assert admin.permission is Permission.ADMIN
    with pytest.raises(RefusedError):
        store.accounts.make_first(link, "eve", PASSWORD)
    assert store.accounts.first_link() is None
    signed_in = store.accounts.sign_in("admin", PASSWORD)
    assert signed_in is not None and signed_in.id == admin.id


def test_the_first_link_used_at_once_makes_one(store: Store) -> None:
    link = store.accounts.first_link() or ""

    def make(name: str) -> bool:
        try:
            return bool(store.accounts.make_first(link, name, PASSWORD))
        except RefusedError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(make, "abcd")) == [False, False, False, True]


def test_an_invitation_sets_a_password_once_and_in_time(store: Store, clock: Clock) -> None:
    new = NewUser(name="小王", permission=Permission.AGENT, team="一组", agent="1024")
    account, link = store.accounts.invite(new, "admin")
    assert store.accounts.sign_in("小王", PASSWORD) is None  # no password yet
    assert store.accounts.accept(link, PASSWORD).agent == "1024"
    with pytest.raises(RefusedError):
        store.accounts.accept(link, PASSWORD)
    again = store.accounts.reinvite(account.id, "admin")
    clock.later(days=8)
    with pytest.raises(RefusedError, match="过期"):
        store.accounts.accept(again, PASSWORD)
    with pytest.raises(InputError, match="小王"):
        store.accounts.invite(new, "admin")
    assert store.accounts.teams() == ["一组"]


def test_wrong_passwords_lock_for_a_while(store: Store, clock: Clock) -> None:
    _, link = store.accounts.invite(NewUser(name="u", permission=Permission.LEAD), "admin")
    store.accounts.accept(link, PASSWORD)
    assert [store.accounts.sign_in("u", "wrong" * 3) for _ in range(5)] == [None] * 5
    with pytest.raises(RefusedError, match="锁定"):
        store.accounts.sign_in("u", PASSWORD)
    clock.later(minutes=16)
    assert store.accounts.sign_in("u", PASSWORD) is not None
    assert store.accounts.sign_in("nobody", PASSWORD) is None


def test_tokens_are_hashed_of_one_kind_and_end(store: Store, clock: Clock) -> None:
    account = user(store, "u", Permission.LEAD)
    secret = store.accounts.issue(TokenKind.API, account.id, timedelta(days=1), "导入", ["calls:write", "calls:read"])
    with store.database.read() as session:
        assert secret not in str([vars(row) for row in session.scalars(select(TokenRow))])
    found = store.accounts.whose(secret, TokenKind.API)
    assert found is not None and (found[0].id, found[1].scopes) == (account.id, "calls:write calls:read")
    assert store.accounts.whose(secret, TokenKind.SESSION) is None
    assert store.accounts.whose(secret[:-1], TokenKind.API) is None
    clock.later(days=2)
    assert store.accounts.whose(secret, TokenKind.API) is None
    session_secret = store.accounts.issue(TokenKind.SESSION, account.id, timedelta(days=1))
    store.accounts.revoke(session_secret)
    assert store.accounts.whose(session_secret, TokenKind.SESSION) is None


def test_a_closed_account_is_out_at_once(store: Store) -> None:
    account, link = store.accounts.invite(NewUser(name="u", permission=Permission.LEAD), "admin")
    store.accounts.accept(link, PASSWORD)
    secret = store.accounts.issue(TokenKind.SESSION, account.id, timedelta(days=1))
    store.accounts.change(account.id, "admin", permission=Permission.INSPECTOR, team="二组", agent=None)
    found = store.accounts.whose(secret, TokenKind.SESSION)
    assert found is not None and found[0].permission is Permission.INSPECTOR
    store.accounts.close(account.id, "admin")
    assert store.accounts.whose(secret, TokenKind.SESSION) is None
    assert store.accounts.sign_in("u", PASSWORD) is None
    assert [row.name for row in store.accounts.users()] == ["u"]
    with pytest.raises(NotFoundError):
        store.accounts.reinvite(account.id, "admin")


# --- audit ------------------------------------------------------------------------------------------------------------------------


def test_the_audit_trail_cannot_be_changed(store: Store) -> None:
    store.audit.note("小王", "call.listen", "call:1", seconds=12.5)
    (entry,) = store.audit.entries("call:1")
    assert (entry.actor, entry.action, entry.details) == ("小王", "call.listen", {"seconds": 12.5})
    for change in ("UPDATE audit SET actor = '别人'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="append-only"), store.database.write() as session:
            session.execute(text(change))
    assert store.audit.first_broken() is None


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = '别人' WHERE id = 2", "DELETE FROM audit WHERE id = 2"])
def test_what_goes_round_the_triggers_shows(store: Store, change: str) -> None:
    for number in range(4):
        store.audit.note("a", "export", f"list:{number}")
    with store.database.write() as session:
        off = (
            ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete")
            if store.database.is_sqlite
            else ("ALTER TABLE audit DISABLE TRIGGER ALL",)
        )
        for statement in (*off, change):
            session.execute(text(statement))
    assert store.audit.first_broken() == (2 if change.startswith("UPDATE") else 3)


def test_the_chain_holds_when_many_write_at_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.audit.note("a", "export", f"list:{n}"), range(40)))
    assert rows(store, AuditRow) == 40
    assert store.audit.first_broken() is None
    assert store.audit.last_digest() == store.audit.entries(limit=1)[0].digest
    newest = store.audit.entries(limit=10)
    assert [row.id for row in store.audit.entries(before=newest[-1].id, limit=100)] == list(range(30, 0, -1))


def test_a_change_that_fails_leaves_no_entry(store: Store) -> None:
    call = upload(store).id
    before = rows(store, AuditRow)
    with pytest.raises(RefusedError):
        store.calls.run_again(call, "test")
    assert rows(store, AuditRow) == before


# --- deleting ---------------------------------------------------------------------------------------------------------------------


def test_a_deleted_call_is_gone_with_everything(store: Store) -> None:
    call = done(store)
    review(store, store.results.hits(call.id)[0].id, Verb.CONFIRM, user(store, "q", Permission.INSPECTOR))
    store.calls.delete(call.id, "admin", "保存期满")
    assert {table: rows(store, table) for table in (CallRow, ResultRow, HitRow, ReviewRow, UtteranceRow)} == dict.fromkeys(
        (CallRow, ResultRow, HitRow, ReviewRow, UtteranceRow), 0
    )
    assert not store.recordings.exists(call.recording)
    assert store.audit.entries(f"call:{call.id}")[0].details == {"sha256": call.sha256, "why": "保存期满"}
    assert store.audit.first_broken() is None


def test_a_recording_that_another_call_has_stays(store: Store) -> None:
    one, two = upload(store), upload(store)
    store.calls.delete(one.id, "admin", "重复")
    assert store.recordings.exists(two.recording)
    store.calls.delete(two.id, "admin", "重复")
    assert not store.recordings.exists(two.recording)


def test_a_worker_whose_call_was_deleted_is_told(store: Store) -> None:
    claim = (upload(store), claimed(store))[1]
    store.calls.delete(claim.call.id, "admin", "客户要求")
    with pytest.raises(LeaseLostError):
        store.results.finish(claim, RESULT)


def test_retention_and_legal_hold(store: Store, clock: Clock) -> None:
    soon = clock.now + timedelta(days=30)
    kept, short = upload(store), upload(store, keep_until=soon)
    held = upload(store, keep_until=soon)
    store.calls.set_hold(held.id, True, "admin")
    assert store.calls.expired() == []
    clock.later(days=31)
    assert store.calls.expired() == [short.id]
    with pytest.raises(RefusedError, match="法律保留"):
        store.calls.delete(held.id, "admin", "保存期满")
    store.calls.set_hold(held.id, False, "admin")
    assert set(store.calls.expired()) == {short.id, held.id}
    assert kept.id not in store.calls.expired()
