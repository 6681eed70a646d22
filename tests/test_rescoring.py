"""The worker's part of rescorings: previews, applications, prints; with a fake encoder and a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from phrasecheck.current import CurrentMatcher
from phrasecheck.pipeline import rejudge
from phrasecheck.report.json import from_json, to_json
from phrasecheck.rescoring import AT_ONCE, Rescoring
from phrasecheck.settings import Settings
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.lexicons import blank, lexicon_of
from phrasecheck.store.listing import Filter
from phrasecheck.store.states import Permission
from phrasecheck.store.store import Store
from phrasecheck.store.tables import ItemState, RescoreState, ResultRow, UserRow
from tests.desk_lexicons import current, stored, transcript
from tests.matching.fakes import FakeEncoder
from tests.stores import server, store_at

SETTINGS = Settings()
OWN = blank(()).replace(
    "phrases: []",
    """phrases:
  - {id: co-01, section: "9.1", text: 代步车没有，自己想办法, severity: 较重, severity_reason: 推诿, why: 合同里有, instead: 我给您登记明天的}
""",
)
SAID = transcript("您好，请问有什么可以帮您", "代步车没有，自己想办法", "有意见，告去", "车牌号麻烦您报一下")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with server("sqlite", tmp_path) as running:
        opened = store_at(running.fresh(), tmp_path)
        yield opened
        opened.close()


@pytest.fixture
def matchers(store: Store) -> CurrentMatcher:
    return current(SETTINGS, store)


@pytest.fixture
def lead(store: Store) -> UserRow:
    return store.accounts.invite(NewUser(name="lead", permission=Permission.LEAD), "test")[0]


def saved(store: Store, lead: UserRow, body: str = OWN, *, active: bool = False) -> int:
    return store.lexicons.add(body, lexicon_of(body, ()).sha256, "试", lead, after=store.lexicons.latest(), active=active).id


def calls(store: Store, matchers: CurrentMatcher, number: int) -> list[str]:
    with matchers.use() as matcher:
        return [stored(store, matcher, SETTINGS, SAID) for _ in range(number)]


def turns(rescoring: Rescoring) -> int:
    made = 0
    while rescoring.turn():
        made += 1
    return made


def test_the_matcher_follows_the_version_in_force(store: Store, matchers: CurrentMatcher, lead: UserRow) -> None:
    with matchers.use() as before:
        assert "co-01" not in before.parts.lexicon.phrases
        number = saved(store, lead, active=True)
        with matchers.use() as after:
            assert "co-01" in after.parts.lexicon.phrases
            assert after.parts.encoders[0] is before.parts.encoders[0]
        with matchers.use() as same:
            assert same is after
        assert "co-01" not in before.parts.lexicon.phrases
    store.lexicons.activate(None, lead)
    with matchers.use() as plain, matchers.version(number) as named:
        assert plain is before and named is after
    assert matchers.unload()


def test_a_rescoring_from_preview_to_results(store: Store, matchers: CurrentMatcher, lead: UserRow) -> None:
    ids = calls(store, matchers, AT_ONCE + 2)
    number, rescoring = saved(store, lead), Rescoring(store, SETTINGS, matchers)
    row = store.rescores.begin(number, Filter(), lead)
    turns(rescoring)
    standing = store.rescores.get(row.id)
    assert (standing.rescore.state, standing.items) == (RescoreState.READY, {ItemState.DIFFERS: len(ids)})
    assert (standing.appeared, standing.vanished, standing.altered) == (len(ids), 0, 0)
    old = store.results.get(ids[0])
    store.rescores.apply(row.id, lead)
    turns(rescoring)
    with matchers.version(number) as matcher:
        assert store.results.get(ids[0]) == from_json(to_json(rejudge(old, matcher, SETTINGS)))
    assert store.results.get(ids[-1]).provenance.lexicon_sha256 == store.lexicons.get(number).sha256
    assert store.rescores.get(row.id).items == {ItemState.APPLIED: len(ids)}


def test_the_way_back_is_a_rescoring_too(store: Store, matchers: CurrentMatcher, lead: UserRow) -> None:
    (call,) = calls(store, matchers, 1)
    old, rescoring = store.results.get(call), Rescoring(store, SETTINGS, matchers)
    for version in (saved(store, lead), None):
        row = store.rescores.begin(version, Filter(), lead)
        turns(rescoring)
        store.rescores.apply(row.id, lead)
        turns(rescoring)
    assert store.results.get(call) == old
    assert len(store.results.versions(call)) == 2


def test_words_are_read_once(store: Store, matchers: CurrentMatcher, lead: UserRow) -> None:
    calls(store, matchers, 3)
    rescoring = Rescoring(store, SETTINGS, matchers)
    assert turns(rescoring) == 1  # prints of calls that had none
    with matchers.use() as matcher:
        encoder = matcher.parts.encoders[0]
    assert isinstance(encoder, FakeEncoder)
    number = saved(store, lead)
    with matchers.version(number):
        encoder.seen.clear()  # the version's own lines are read already
    store.rescores.begin(number, Filter(), lead)
    turns(rescoring)
    assert encoder.seen.count("代步车没有，自己想办法") >= 3
    assert "车牌号麻烦您报一下" not in encoder.seen
    assert not rescoring.turn()


def test_it_goes_on_where_another_worker_stood(store: Store, matchers: CurrentMatcher, lead: UserRow) -> None:
    calls(store, matchers, 3)
    row = store.rescores.begin(saved(store, lead), Filter(), lead)
    first = store.rescores.claim()
    assert first is not None
    Rescoring(store, SETTINGS, matchers)._preview(first)
    store.rescores.let_go(first)  # it was stopped in good order; a dead one is followed when its lease ends
    turns(Rescoring(store, SETTINGS, current(SETTINGS, store)))
    assert store.rescores.get(row.id).rescore.state is RescoreState.READY


def test_a_version_that_does_not_fit_the_files_any_more_fails_with_its_reason(
    store: Store, matchers: CurrentMatcher, lead: UserRow
) -> None:
    calls(store, matchers, 1)
    number = store.lexicons.add(OWN.replace('"9.1"', '"7.7"'), "0" * 64, "", lead, after=0).id
    row = store.rescores.begin(number, Filter(), lead)
    assert Rescoring(store, SETTINGS, matchers).turn()
    standing = store.rescores.get(row.id)
    assert standing.rescore.state is RescoreState.FAILED
    assert "7.7" in (standing.rescore.reason or "")


def test_results_of_an_unknown_lexicon_are_judged_whole(store: Store, matchers: CurrentMatcher, lead: UserRow) -> None:
    number = saved(store, lead)
    with matchers.version(number) as matcher:
        stored(store, matcher, SETTINGS, SAID)
    with store.database.write() as session:
        row = session.merge(store.lexicons.get(number))
        row.sha256 = "f" * 64  # the lexicon files below were others then
    row = store.rescores.begin(None, Filter(), lead)  # type: ignore[assignment]
    turns(Rescoring(store, SETTINGS, matchers))
    assert store.rescores.get(row.id).vanished == 1


def test_a_result_that_cannot_be_read_is_not_tried_for_ever(store: Store, matchers: CurrentMatcher) -> None:
    (call,) = calls(store, matchers, 1)
    with store.database.write() as session:
        session.execute(update(ResultRow).where(ResultRow.call_id == call).values(body={}))
    rescoring = Rescoring(store, SETTINGS, matchers)
    assert [rescoring.turn() for _ in range(3)] == [True, False, False]
