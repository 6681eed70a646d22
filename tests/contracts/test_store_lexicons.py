"""Versions of the lexicon and rescorings: what the store keeps to, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from phrasecheck.errors import LeaseLostError, LexiconError, NotFoundError, RefusedError
from phrasecheck.rescore import changes
from phrasecheck.settings import Settings
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.lexicons import blank, compare, lexicon_in_force, lexicon_of, tried
from phrasecheck.store.listing import Filter
from phrasecheck.store.rescores import Judged
from phrasecheck.store.states import Permission
from phrasecheck.store.store import Store
from phrasecheck.store.tables import ItemState, RescoreItemRow, RescoreRow, RescoreState, UserRow
from phrasecheck.types import CallResult
from tests.contracts.test_store import RESULT, done, other_lexicon, rows
from tests.stores import Clock

ONE = blank(()).replace("phrases: []", 'phrases:\n  - {id: "9.1.04", severity: 较重}  # 柜台不得空岗\n')
TWO = blank(()).replace("phrases: []", 'phrases:\n  - {id: "9.1.04", enabled: false}\n')


@pytest.fixture
def lead(store: Store) -> UserRow:
    return store.accounts.invite(NewUser(name="lead", permission=Permission.LEAD), "test")[0]


def test_the_new_tables_are_those_of_the_migration(store: Store) -> None:
    assert [d for d in store.database.differences() if any(name in str(d) for name in ("lexicon_versions", "rescore", "prints"))] == []


# --- versions ---------------------------------------------------------------------------------------------------------------------


def test_a_version_is_saved_put_in_force_and_gone_back_to(store: Store, lead: UserRow) -> None:
    assert (store.lexicons.active(), store.lexicons.active_number(), store.lexicons.latest()) == (None, 0, 0)
    plain = lexicon_in_force(store.lexicons, Settings())
    first = store.lexicons.add(ONE, "1" * 64, "柜台", lead, after=0)
    assert (first.id, first.active, store.lexicons.active_number()) == (1, False, 0)
    store.lexicons.add(TWO, "2" * 64, "停用", lead, after=1, active=True)
    assert "9.1.04" not in lexicon_in_force(store.lexicons, Settings()).phrases
    store.lexicons.activate(1, lead)
    now = lexicon_in_force(store.lexicons, Settings())
    assert (store.lexicons.active_number(), now.phrases["9.1.04"].severity) == (1, "较重")
    assert now.version.endswith("+1")
    store.lexicons.activate(None, lead)
    assert lexicon_in_force(store.lexicons, Settings()).sha256 == plain.sha256
    assert [(row.id, name) for row, name in store.lexicons.versions()] == [(2, "lead"), (1, "lead")]
    assert [entry.action for entry in store.audit.entries()][:4] == ["lexicon.activate", "lexicon.activate", "lexicon.save", "lexicon.save"]


def test_comments_stay_and_the_number_is_written_in(store: Store, lead: UserRow) -> None:
    body = store.lexicons.add(ONE, "1" * 64, "", lead, after=0).body
    assert "# 柜台不得空岗" in body
    assert 'version: "1"' in body


def test_who_saves_over_another_is_told(store: Store, lead: UserRow) -> None:
    store.lexicons.add(ONE, "1" * 64, "", lead, after=0)
    with pytest.raises(RefusedError, match="现在已有第 1 版"):
        store.lexicons.add(TWO, "2" * 64, "", lead, after=0)
    with pytest.raises(NotFoundError, match="第 7 版"):
        store.lexicons.activate(7, lead)
    with pytest.raises(NotFoundError, match="第 7 版"):
        store.lexicons.get(7)


def test_of_two_who_save_at_once_one_is_refused(store: Store, lead: UserRow) -> None:
    def save(number: int) -> int:
        try:
            return store.lexicons.add(ONE, "1" * 64, str(number), lead, after=0).id
        except RefusedError:
            return 0

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(save, range(4))) == [0, 0, 0, 1]


def test_the_lexicon_of_a_result_is_found_by_its_digest(store: Store, lead: UserRow) -> None:
    made = lexicon_of(ONE, ())
    store.lexicons.add(ONE, made.sha256, "", lead, after=0)
    found = store.lexicons.with_sha256(made.sha256)
    assert found is not None and lexicon_of(found.body, ()).sha256 == made.sha256
    assert store.lexicons.with_sha256("0" * 64) is None


def test_what_is_wrong_with_a_body_is_told_by_line() -> None:
    made, fields, faults = tried(ONE.replace("较重", "很重"), ())
    assert (made, fields) == (None, None)
    assert [(fault.line, fault.where) for fault in faults] == [(7, ("phrases", 0, "severity"))]
    with pytest.raises(LexiconError, match="公司补充:7"):
        lexicon_of(ONE.replace("较重", "很重"), ())


def test_two_lexicons_compared() -> None:
    plain, one, two = lexicon_of(None, ()), lexicon_of(ONE, ()), lexicon_of(TWO, ())
    (changed,) = compare(plain, one)
    assert (changed.kind, changed.fields) == ("changed", {"severity": (plain.phrases["9.1.04"].severity, "较重")})
    (gone,), (back,) = compare(plain, two), compare(two, plain)
    assert (gone.kind, back.kind) == ("removed", "added")
    assert compare(one, one) == []


# --- rescorings -------------------------------------------------------------------------------------------------------------------


def fewer() -> CallResult:
    return other_lexicon(hits=RESULT.hits[:1])


def preview(store: Store, row: RescoreRow, new: CallResult | None = None) -> None:
    """A worker judges all of it."""
    claim = store.rescores.claim()
    assert claim is not None and claim.id == row.id
    while waiting := store.rescores.waiting(claim, 2):
        judged = [Judged(open=one, result=new or one.result, changes=changes(one.result, new or one.result)) for one in waiting]
        store.rescores.judged(claim, judged, {})
    store.rescores.judged(claim, [], {})


def apply(store: Store) -> None:
    claim = store.rescores.claim()
    assert claim is not None
    while store.rescores.put_next(claim, 2):
        pass


def test_a_preview_changes_nothing_and_its_application_what_it_showed(store: Store, lead: UserRow) -> None:
    calls = [done(store), done(store), done(store)]
    row = store.rescores.begin(None, Filter(), lead)
    assert store.rescores.get(row.id).items == {ItemState.WAITING: 3}
    preview(store, row, fewer())
    standing = store.rescores.get(row.id)
    assert (standing.rescore.state, standing.items, standing.done) == (RescoreState.READY, {ItemState.DIFFERS: 3}, 3)
    assert (standing.vanished, standing.appeared) == (3 * (len(RESULT.hits) - 1), 0)
    assert store.results.get(calls[0].id).hits == RESULT.hits
    assert len(store.rescores.differences(row.id)) == 3
    store.rescores.apply(row.id, lead)
    apply(store)
    standing = store.rescores.get(row.id)
    assert (standing.rescore.state, standing.items, standing.author) == (RescoreState.DONE, {ItemState.APPLIED: 3}, "lead")
    assert all(store.results.get(call.id).hits == RESULT.hits[:1] for call in calls)
    assert all(len(store.results.versions(call.id)) == 2 for call in calls)
    assert store.rescores.claim() is None


def test_a_filter_chooses_the_calls(store: Store, lead: UserRow) -> None:
    done(store, team="一组")
    chosen = done(store, team="二组")
    row = store.rescores.begin(None, Filter(team="二组"), lead)
    preview(store, row, fewer())
    assert [one.call.id for one in store.rescores.differences(row.id)] == [chosen.id]
    assert store.rescores.wanted(row) == Filter(team="二组")
    with pytest.raises(RefusedError, match="没有符合条件"):
        store.rescores.begin(None, Filter(team="三组"), lead)
    assert len(store.rescores.latest()) == 1


def test_a_call_that_got_another_result_meanwhile_is_left_alone(store: Store, lead: UserRow) -> None:
    call = done(store)
    row = store.rescores.begin(None, Filter(), lead)
    preview(store, row, fewer())
    newer = replace(RESULT, provenance=replace(RESULT.provenance, lexicon="sample 3", lexicon_sha256="d" * 64))
    store.results.rescore(call.id, newer, "test")
    store.rescores.apply(row.id, lead)
    apply(store)
    assert store.rescores.get(row.id).items == {ItemState.STALE: 1}
    assert store.results.get(call.id).provenance.lexicon == "sample 3"


def test_a_worker_that_died_is_followed_by_another(store: Store, lead: UserRow, clock: Clock) -> None:
    done(store)
    row = store.rescores.begin(None, Filter(), lead)
    dead = store.rescores.claim()
    assert dead is not None and store.rescores.claim() is None
    clock.later(minutes=3)
    preview(store, row)
    with pytest.raises(LeaseLostError):
        store.rescores.judged(dead, [], {})


def test_stopped_is_stopped(store: Store, lead: UserRow) -> None:
    done(store)
    row = store.rescores.begin(None, Filter(), lead)
    claim = store.rescores.claim()
    assert claim is not None
    store.rescores.cancel(row.id, lead)
    with pytest.raises(LeaseLostError, match="已取消"):
        store.rescores.judged(claim, [], {})
    with pytest.raises(RefusedError, match="cancelled"):
        store.rescores.apply(row.id, lead)
    assert store.rescores.claim() is None
    assert store.rescores.get(row.id).rescore.ended_at is not None


def test_one_call_that_cannot_be_judged_holds_up_no_other(store: Store, lead: UserRow) -> None:
    done(store), done(store)
    row = store.rescores.begin(None, Filter(), lead)
    claim = store.rescores.claim()
    assert claim is not None
    first, second = store.rescores.waiting(claim, 10)
    store.rescores.judged(
        claim, [Judged(open=second, result=second.result, changes=changes(second.result, second.result))], {first.item: "读不了"}
    )
    store.rescores.judged(claim, [], {})
    assert store.rescores.get(row.id).items == {ItemState.FAILED: 1, ItemState.SAME: 1}
    assert [one.item.reason for one in store.rescores.differences(row.id)] == ["读不了"]


def test_what_is_over_keeps_no_bodies(store: Store, lead: UserRow) -> None:
    done(store)
    row = store.rescores.begin(None, Filter(), lead)
    preview(store, row, fewer())
    store.rescores.cancel(row.id, lead)
    with store.database.read() as session:
        (item,) = session.query(RescoreItemRow).all()
        assert item.body is None
    assert rows(store, RescoreItemRow) == 1
