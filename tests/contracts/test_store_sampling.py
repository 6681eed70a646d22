"""Sampling, second opinions and retention, on SQLite and on PostgreSQL."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.settings import PrivacySettings
from phrasecheck.store.retention import Keeping
from phrasecheck.store.sampling import Rule, RuleKind, by_pair
from phrasecheck.store.states import Permission, RejectReason, ReviewState, Verb
from phrasecheck.store.store import Store
from phrasecheck.store.tables import CallRow, HitRow, Listened, UserRow
from tests.contracts.test_store import RESULT, done, upload, user
from tests.stores import Clock

EVERYTHING = Rule(kind=RuleKind.PERCENT, amount=100)
CLEAN = replace(RESULT, hits=(), scorecards=())
POLICY = PrivacySettings(keep_days=30, keep_violation_days=60, keep_appeal_days=90, retention_hour=0)


@pytest.fixture
def lead(store: Store) -> UserRow:
    return user(store, "主管", Permission.LEAD)


@pytest.fixture
def team(store: Store) -> list[UserRow]:
    return [user(store, name, Permission.INSPECTOR) for name in ("甲", "乙", "丙")]


def ids(team: list[UserRow]) -> list[int]:
    return [one.id for one in team]


def hits(store: Store, call: CallRow) -> list[HitRow]:
    return store.sampling.hits(call.id)


# --- drawing ------------------------------------------------------------------------------------------------------------------------


def test_a_draw_is_repeatable_and_shared_out_evenly(store: Store, lead: UserRow, team: list[UserRow]) -> None:
    calls = [done(store) for _ in range(12)]
    count, drawn = store.sampling.preview(replace(EVERYTHING, amount=50), (), "s")
    assert (count, len(drawn)) == (12, 6)
    assert set(drawn) < {call.id for call in calls}
    sample = store.sampling.draw(replace(EVERYTHING, amount=50), ids(team), (), "s", lead)
    queues = {one.id: store.sampling.queue(one.id) for one in team}
    assert {task.call.id for tasks in queues.values() for task in tasks} == set(drawn)
    assert [len(tasks) for tasks in queues.values()] == [2, 2, 2]
    (told,) = store.sampling.samples()
    assert (told.sample.id, told.author, told.calls, told.assigned, told.done, told.sample.candidates) == (sample.id, "主管", 6, 6, 0, 12)
    assert told.rule == replace(EVERYTHING, amount=50)


def test_nobody_gets_a_call_twice_and_who_has_much_to_do_gets_less(store: Store, lead: UserRow, team: list[UserRow]) -> None:
    for _ in range(4):
        done(store)
    store.sampling.draw(EVERYTHING, ids(team[:1]), (), "s", lead)  # the others are on leave
    assert len(store.sampling.queue(team[0].id)) == 4
    with pytest.raises(RefusedError, match="没有可抽的通话"):
        store.sampling.draw(EVERYTHING, ids(team), (), "s", lead)
    for _ in range(7):
        done(store)
    store.sampling.draw(replace(EVERYTHING, double=100), ids(team), (), "s", lead)
    tasks = [task.assignment for one in team for task in store.sampling.queue(one.id)]
    assert max(Counter((task.call_id, task.user_id) for task in tasks).values()) == 1
    assert sum(task.blind for task in tasks) == 7
    assert Counter(task.user_id for task in tasks) == {one.id: 6 for one in team}
    assert [load for _, load in store.sampling.inspectors()[:3]] == [6, 6, 6]


def test_rules(store: Store, lead: UserRow, team: list[UserRow], clock: Clock) -> None:
    found, clean = done(store), done(store, CLEAN, agent="2048")
    standing = [hit for hit in hits(store, found) if not hit.doubtful]
    assert standing
    upload(store)  # not checked yet

    def fit(kind: RuleKind, fatal: str = "", **more: object) -> set[str]:
        return set(store.sampling.preview(Rule(kind=kind, amount=5, **more), {fatal}, "s")[1])  # type: ignore[arg-type]

    assert fit(RuleKind.FATAL) == set()
    assert fit(RuleKind.FATAL, standing[0].phrase_id) == {found.id}
    assert fit(RuleKind.CLEAN) == {clean.id}
    assert fit(RuleKind.DOUBTFUL) == ({found.id} if any(hit.doubtful for hit in hits(store, found)) else set())
    assert fit(RuleKind.PER_AGENT) == {found.id, clean.id}
    assert fit(RuleKind.PER_AGENT, since=clock.now + timedelta(days=1)) == set()
    assert fit(RuleKind.PER_AGENT, team="没有的组") == set()
    for hit in standing:
        store.reviews.add(hit.id, Verb.REJECT, team[0], reason=RejectReason.TONE)
    assert fit(RuleKind.FATAL, standing[0].phrase_id) == set(), "what was rejected stands no more"


@pytest.mark.parametrize(
    "rule",
    [
        Rule(kind=RuleKind.PERCENT, amount=0),
        Rule(kind=RuleKind.PERCENT, amount=101),
        Rule(kind=RuleKind.CLEAN),
        replace(EVERYTHING, double=-1),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(store: Store, rule: Rule) -> None:
    with pytest.raises(InputError):
        store.sampling.preview(rule, (), "s")


def test_only_who_may_inspect_is_given_calls(store: Store, lead: UserRow, team: list[UserRow]) -> None:
    done(store)
    agent = user(store, "坐席", Permission.AGENT, "1024")
    for wrong in ([], [agent.id], [team[0].id, agent.id], [9999]):
        with pytest.raises(InputError, match="质检"):
            store.sampling.draw(EVERYTHING, wrong, (), "s", lead)
    store.accounts.close(team[0].id, "test")
    assert {one.id for one, _ in store.sampling.inspectors()} == {team[1].id, team[2].id, lead.id}


def test_the_calls_of_somebody_away_go_to_the_others(store: Store, lead: UserRow, team: list[UserRow]) -> None:
    for _ in range(4):
        done(store)
    store.sampling.draw(replace(EVERYTHING, double=50), ids(team[:2]), (), "s", lead)
    assert [len(store.sampling.queue(one.id)) for one in team] == [3, 3, 0]
    assert store.sampling.hand_over(team[0].id, ids(team), "主管") == 3
    queues = [store.sampling.queue(one.id) for one in team]
    assert queues[0] == []
    assert sum(map(len, queues)) == 6
    tasks = [(task.call.id, one.id) for one, queue in zip(team, queues, strict=True) for task in queue]
    assert len(tasks) == len(set(tasks))


# --- listening ----------------------------------------------------------------------------------------------------------------------


def test_a_call_is_done_when_every_hit_is_judged(store: Store, lead: UserRow, team: list[UserRow]) -> None:
    call, one = done(store), team[0]
    store.sampling.draw(EVERYTHING, [one.id], (), "s", lead)
    (task,) = store.sampling.queue(one.id)
    assert task.waiting == len(hits(store, call)) > 0
    with pytest.raises(RefusedError, match=f"还有 {task.waiting} 处"):
        store.sampling.finish(task.assignment.id, one, Listened.COMPLETE)
    for hit in hits(store, call):
        store.reviews.add(hit.id, Verb.CONFIRM, one)
    with pytest.raises(InputError, match="漏检"):
        store.sampling.finish(task.assignment.id, one, Listened.MISSED, " ")
    with pytest.raises(NotFoundError):
        store.sampling.finish(task.assignment.id, team[1], Listened.COMPLETE)
    store.sampling.finish(task.assignment.id, one, Listened.MISSED, "2:10 说了「自己看」")
    assert store.sampling.queue(one.id) == []
    assert store.sampling.samples()[0].missed == 1
    assert store.sampling.finished(one.id, task.call.said_at) == 1


def test_a_second_opinion_changes_nothing_and_is_compared(store: Store, lead: UserRow, team: list[UserRow]) -> None:
    call = done(store)
    store.sampling.draw(replace(EVERYTHING, double=100), ids(team[:2]), (), "s", lead)
    tasks = {task.assignment.blind: (one, task.assignment) for one in team[:2] for task in store.sampling.queue(one.id)}
    (first, _), (second, assignment) = tasks[False], tasks[True]
    found = hits(store, call)
    for hit in found:
        store.sampling.opine(assignment.id, second, hit.id, False)
        store.sampling.opine(assignment.id, second, hit.id, True, " 重说 ")
    assert {hit.state for hit in hits(store, call)} == {ReviewState.NEW}
    assert store.sampling.judged_twice() == [], "the first has not judged yet"
    for hit in found:
        store.reviews.add(hit.id, Verb.REJECT, first, reason=RejectReason.TONE)
    store.reviews.add(found[0].id, Verb.CONFIRM, first)  # second thoughts count
    judged = store.sampling.judged_twice()
    assert {(item.hit.id, item.verdicts) for item in judged} == {(hit.id, (hit.id == found[0].id, True)) for hit in found}
    assert judged[0].comment == "重说"
    ((pair, found_agreement),) = by_pair(judged).items()
    assert pair == tuple(sorted((first.id, second.id)))
    assert found_agreement.items == len(found)
    with pytest.raises(RefusedError, match="复评"):
        store.sampling.opine(tasks[False][1].id, first, found[0].id, True)
    with pytest.raises(NotFoundError):
        store.sampling.opine(assignment.id, second, 99999, True)
    store.sampling.finish(assignment.id, second, Listened.COMPLETE)
    with pytest.raises(RefusedError, match="复评"):
        store.sampling.opine(assignment.id, second, found[0].id, True)


# --- retention ----------------------------------------------------------------------------------------------------------------------


def test_calls_are_kept_by_their_class(store: Store, team: list[UserRow], clock: Clock) -> None:
    agent = user(store, "坐席", Permission.AGENT, "1024")
    found, clean, appealed, queued = done(store), done(store, CLEAN), done(store), upload(store)
    hit = next(hit for hit in hits(store, appealed) if not hit.doubtful)
    store.reviews.add(hit.id, Verb.APPEAL, agent)
    store.retention.assign(POLICY)
    days = {call.id: (store.calls.get(call.id).keep_until or clock.now) - clock.now for call in (found, clean, appealed)}
    assert days == {found.id: timedelta(60), clean.id: timedelta(30), appealed.id: timedelta(90)}
    assert [(kept.keeping, kept.calls, kept.soon) for kept in store.retention.overview(POLICY, clock.now + timedelta(40))] == [
        (Keeping.ORDINARY, 2, 2),
        (Keeping.VIOLATION, 1, 0),
        (Keeping.APPEAL, 1, 0),
    ]
    clock.later(days=70)
    assert [leaving.call.id for leaving in store.retention.leaving(clock.now)] == [clean.id, found.id], "what is queued does not go"
    assert store.retention.run(POLICY) == 2
    clock.later(days=30)
    assert store.retention.run(POLICY) == 0, "an appeal is open"
    store.reviews.add(hit.id, Verb.DISMISS, user(store, "主管", Permission.LEAD))
    assert store.retention.run(POLICY) == 1
    assert {entry.subject: entry.details["why"] for entry in store.retention.gone()} == {
        f"call:{clean.id}": "保存期满（普通通话）",
        f"call:{found.id}": "保存期满（有违规的通话）",
        f"call:{appealed.id}": "保存期满（有申诉的通话）",
    }
    assert store.calls.get(queued.id)


def test_what_is_on_hold_stays_until_it_is_taken_off(store: Store, clock: Clock) -> None:
    call = done(store, CLEAN)
    with pytest.raises(InputError, match="理由"):
        store.retention.hold(call.id, True, " ", "主管")
    store.retention.hold(call.id, True, "诉讼 2026-17", "主管")
    ((held),) = store.retention.held()
    assert held.entry is not None
    assert (held.entry.actor, held.entry.details["why"]) == ("主管", "诉讼 2026-17")
    clock.later(days=365)
    assert store.retention.run(POLICY) == 0
    store.retention.hold(call.id, False, "结案", "主管")
    assert store.retention.held() == []
    assert store.retention.run(POLICY) == 1


def test_it_runs_once_a_day_from_its_hour(store: Store, clock: Clock) -> None:
    assert store.retention.run_once_a_day(POLICY) == 0
    assert store.retention.run_once_a_day(POLICY) is None
    clock.later(days=1)
    hour = clock.now.astimezone().hour
    assert store.retention.run_once_a_day(POLICY.model_copy(update={"retention_hour": hour + 1})) is None
    assert store.retention.run_once_a_day(POLICY.model_copy(update={"retention_hour": hour})) == 0


def test_for_ever_is_for_ever(store: Store, clock: Clock) -> None:
    call = done(store, CLEAN)
    store.retention.assign(POLICY)
    store.retention.assign(POLICY.model_copy(update={"keep_days": None}))
    assert store.calls.get(call.id).keep_until is None
