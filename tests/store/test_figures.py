"""The dashboard's numbers against a month whose plan is known."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from phrasecheck.store.figures import Stretch
from phrasecheck.store.store import Store
from tests import month
from tests.stores import KINDS, server, store_at

WHOLE = Stretch(since=datetime(2026, 9, 30, 16, tzinfo=UTC), until=datetime(2026, 10, 31, 16, tzinfo=UTC))


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with server(request.param, tmp_path_factory.mktemp("figures")) as running:
        opened = store_at(running.fresh(), tmp_path_factory.mktemp("recordings"))
        month.pour(opened, month.plan())
        yield opened
        opened.close()


def repeats(call: month.Planned) -> int:
    """The index of hits knows no breaths: what the card counts once stands twice among the hits."""
    return sum(plant.repeated for plant in call.plants)


def test_shares_by_role_and_team_are_those_of_the_plan(store: Store) -> None:
    overview = store.figures.overview(WHOLE)
    assert (overview.calls, overview.violated) == (600, sum(bool(call.counted) for call in month.plan()))
    for shares, name in ((overview.roles, "role"), (overview.teams, "team")):
        calls = Counter(str(getattr(call, name)) for call in month.plan())
        violated = Counter(str(getattr(call, name)) for call in month.plan() if call.counted)
        assert {one.key: (one.calls, one.violated) for one in shares} == {key: (calls[key], violated[key]) for key in calls}
        assert [one.share for one in shares] == sorted((one.share for one in shares), reverse=True)


def test_sections_count_calls_not_hits(store: Store) -> None:
    expected = Counter(section for call in month.plan() for section in {plant.phrase[:3] for plant in call.counted})
    assert {one.key: one.violated for one in store.figures.overview(WHOLE).sections} == dict(expected)


def test_weeks_begin_on_monday_by_the_offices_clock(store: Store) -> None:
    weeks = store.figures.overview(WHOLE).weeks
    local = [(call.said_at + timedelta(hours=8)).date() for call in month.plan()]
    expected = Counter((day - timedelta(days=day.weekday())).isoformat() for day in local)
    assert [week.key for week in weeks] == ["2026-09-28", "2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26"]
    assert {week.key: week.calls for week in weeks} == dict(expected)


def test_a_late_call_belongs_to_the_monday_of_the_office(store: Store) -> None:
    sunday = datetime(2026, 10, 4, 16, tzinfo=UTC)  # Monday, the 5th, in China
    early = store.figures.overview(Stretch(since=sunday, until=sunday + timedelta(days=7)))
    assert [week.key for week in early.weeks] == ["2026-10-05"]
    abroad = store.figures.overview(Stretch(since=sunday, until=sunday + timedelta(days=7), utc_offset=0))
    assert [week.key for week in abroad.weeks] == ["2026-09-28", "2026-10-05"]
    assert sum(week.calls for week in abroad.weeks) == early.calls


def test_weeks_without_calls_are_there(store: Store) -> None:
    later = Stretch(since=WHOLE.until + timedelta(days=7), until=WHOLE.until + timedelta(days=28))
    overview = store.figures.overview(later)
    assert overview.calls == 0
    assert len(overview.weeks) >= 3
    assert date.fromisoformat(overview.weeks[0].key).weekday() == 0


def test_phrases_with_what_became_of_them(store: Store) -> None:
    overview = store.figures.overview(WHOLE)
    plants = [(plant, call) for call in month.plan() for plant in call.plants]
    counting = Counter(plant.phrase for plant, _ in plants if plant.counts or plant.repeated)
    assert {p.phrase_id: p.counting for p in overview.phrases if p.counting} == dict(counting)
    assert [p.counting for p in overview.frequent] == sorted(counting.values(), reverse=True)[:10]
    rejected = next(p for p in overview.phrases if p.phrase_id == "9.1.14")
    assert rejected.agreed == rejected.counting == 0 < rejected.refused
    assert overview.noisy[0].refused_share == 1
    assert {p.phrase_id for p in overview.noisy} == {plant.phrase for plant, _ in plants if plant.verdict != "none"}


def test_one_team_alone(store: Store) -> None:
    team = store.figures.overview(Stretch(since=WHOLE.since, until=WHOLE.until, team="甲组"))
    assert [one.key for one in team.teams] == ["甲组"]
    assert team.calls == sum(call.team == "甲组" for call in month.plan())


def test_what_waits(store: Store) -> None:
    waiting = store.figures.waiting()
    unseen = [plant for call in month.plan() for plant in call.plants if plant.verdict == "none"]
    assert (waiting.hits, waiting.doubtful) == (sum(not p.doubtful for p in unseen), sum(p.doubtful for p in unseen))
    assert waiting.appeals == sum(plant.verdict == "appeal" for call in month.plan() for plant in call.plants)
    assert (waiting.calls, waiting.failed) == (0, 0)
    assert store.figures.waiting(team="甲组").hits < waiting.hits


def test_how_often_each_phrase_was_caught_lately(store: Store) -> None:
    caught = store.figures.caught(datetime(2026, 10, 1, tzinfo=UTC))
    assert caught == {p.phrase_id: p.counting for p in store.figures.overview(WHOLE).phrases if p.counting}
    assert store.figures.caught(datetime(2027, 1, 1, tzinfo=UTC)) == {}
    assert sorted(store.figures.teams()) == ["丁组", "丙组", "乙组", "戊组", "甲组"]
