"""What every Executor keeps to, with real processes: local ones, and those of a Ray cluster of two nodes."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from phrasecheck.cluster import Executor, make_executor
from phrasecheck.errors import RefusedError
from phrasecheck.pipeline import Request, check_call, load_engines
from phrasecheck.report.json import from_json, to_json
from phrasecheck.settings import Settings
from phrasecheck.store.calls import NewCall
from phrasecheck.store.states import CallState
from phrasecheck.store.store import Store, open_store
from phrasecheck.types import Role
from phrasecheck.worker import Load
from tests.cluster.rays import ray_cluster
from tests.stores import Server, server
from tests.workers import SAID, load_fake, load_nothing, load_pausing, result_of, results, settings_at, settle, upload

pytestmark = pytest.mark.processes

KINDS = ("local", "ray")
Make = Callable[..., Executor]
DEMO = Path(__file__).parents[2] / "examples" / "demo-call.flac"


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server("sqlite", tmp_path_factory.mktemp("sqlite")) as running:
        yield running


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A real Ray cluster: a head without room for workers, and nodes to be added."""
    with ray_cluster(0, 1, 1) as cluster:
        yield cluster


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, databases: Server, tmp_path: Path) -> Settings:
    made = settings_at(databases.fresh(), tmp_path / "recordings")
    address = request.getfixturevalue("nodes").address if request.param == "ray" else None
    return made.model_copy(update={"cluster": made.cluster.model_copy(update={"executor": request.param, "address": address})})


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings.store)
    yield opened
    opened.close()


@pytest.fixture
def make(settings: Settings) -> Iterator[Make]:
    """Executors that are stopped at the end."""
    made: list[Executor] = []

    def start(load: Load = load_fake) -> Executor:
        made.append(make_executor(settings, load))
        made[-1].start()
        return made[-1]

    yield start
    for executor in made:
        executor.stop(5)


def until(reached: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_what_is_submitted_gets_its_result(store: Store, make: Make) -> None:
    calls = [upload(store, f"{SAID}{number}") for number in range(10)]
    executor = make()
    for call in calls:
        executor.submit(call)
    assert settle(store, 360)[CallState.DONE] == 10
    assert results(store, calls) == dict.fromkeys(calls, 1)
    assert store.results.get(calls[3]).hits == result_of(f"{SAID}3").hits


def test_what_nobody_submitted_is_found_all_the_same(store: Store, make: Make) -> None:
    make()
    call = upload(store, SAID)
    assert settle(store, 360)[CallState.DONE] == 1
    assert results(store, [call]) == {call: 1}


def test_progress_is_what_the_table_says(store: Store, make: Make) -> None:
    upload(store, "broken")
    upload(store, "words")
    executor = make()
    until(lambda: executor.progress().waiting == 0)
    progress = executor.progress()
    assert (progress.calls[CallState.DONE], progress.calls[CallState.FAILED]) == (1, 1)


def test_a_poison_call_stops_after_its_tries_and_the_others_go_on(store: Store, make: Make) -> None:
    poison = upload(store, "poison")
    calls = [upload(store, f"{number}") for number in range(5)]
    make()
    counts = settle(store, 360)
    assert (counts[CallState.DONE], counts[CallState.FAILED]) == (5, 1)
    assert results(store, calls) == dict.fromkeys(calls, 1)
    assert "连续 3 次" in (store.calls.get(poison).reason or "")


def test_a_call_is_cancelled_while_it_waits_and_while_it_is_checked(store: Store, make: Make) -> None:
    slow, waiting = upload(store, "slow"), upload(store, "words")
    executor = make()
    executor.cancel(waiting, "lead")
    until(lambda: store.calls.get(slow).state is CallState.CHECKING)
    executor.cancel(slow, "lead")
    after = upload(store, SAID)
    until(lambda: store.calls.get(after).state is CallState.DONE)
    assert [store.calls.get(call).state for call in (slow, waiting)] == [CallState.FAILED] * 2
    assert results(store, [slow, waiting]) == {slow: 0, waiting: 0}
    with pytest.raises(RefusedError):
        executor.cancel(after, "lead")


def test_stopping_gives_back_what_is_held(store: Store, make: Make) -> None:
    call = upload(store, "slow")
    executor = make()
    until(lambda: store.calls.get(call).state is CallState.CHECKING)
    executor.stop(10)
    row = store.calls.get(call)
    assert (row.state, row.tries) == (CallState.QUEUED, 0)


def test_workers_that_cannot_load_leave_the_queue_as_it_is(store: Store, make: Make) -> None:
    call = upload(store, "words")
    executor = make(load_nothing)
    time.sleep(3)
    executor.stop(5)
    assert (store.calls.get(call).state, store.calls.get(call).tries) == (CallState.QUEUED, 0)


@pytest.mark.model
def test_real_weights_come_to_what_one_process_comes_to(settings: Settings, store: Store) -> None:
    one = settings.model_copy(
        update={"asr": settings.asr.model_copy(update={"threads": 1}), "cluster": settings.cluster.model_copy(update={"workers": 1})}
    )
    call = NewCall(source="demo.flac", role=Role.CLAIMS_REPORT, agent_channel="left")
    calls = [store.calls.accept(BytesIO(DEMO.read_bytes()), call).id for _ in range(2)]
    executor = make_executor(one)
    executor.start()
    try:
        assert settle(store, 300)[CallState.DONE] == 2
    finally:
        executor.stop(10)
    alone = check_call(Request(path=DEMO, role=Role.CLAIMS_REPORT, agent_channel="left"), load_engines(one), one)
    stored = from_json(to_json(alone))
    for done in map(store.results.get, calls):
        assert (done.transcript, done.hits, done.scorecards) == (stored.transcript, stored.hits, stored.scorecards)
    assert stored.hits


# --- a machine that dies in the middle --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", ["ray"], indirect=True)
def test_a_node_that_is_killed_costs_no_call(nodes: Any, store: Store, make: Make) -> None:
    words = [f"{number} {SAID if number % 3 else '您好'}" for number in range(100)]
    calls = {upload(store, said): said for said in words}
    doomed = nodes.add_node(num_cpus=1)
    executor = make(partial(load_pausing, 0.05))
    until(lambda: store.calls.counts()[CallState.DONE] >= 30)
    nodes.remove_node(doomed, allow_graceful=False)
    assert settle(store, 360)[CallState.DONE] == 100
    assert results(store, calls) == dict.fromkeys(calls, 1)
    assert all(store.results.get(call).hits == result_of(said).hits for call, said in calls.items())
    until(lambda: executor.alive() == 1)  # without work the pool shrinks to the one that stays


@pytest.mark.parametrize("settings", ["local"], indirect=True)
def test_a_killed_process_is_replaced(store: Store, make: Make) -> None:
    from phrasecheck.cluster.local import LocalExecutor

    executor = make()
    assert isinstance(executor, LocalExecutor)
    until(lambda: len(executor.pids) == 2)
    before = set(executor.pids)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(executor.pids) - before) == 2)
    call = upload(store, "words")
    assert settle(store, 360)[CallState.DONE] == 1
    assert results(store, [call]) == {call: 1}
