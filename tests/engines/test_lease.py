"""Loaded once, shared, let go of by the last."""

from collections.abc import Iterator
from threading import Barrier, Thread

import pytest

from phrasecheck.engines.lease import Lease


class Loader:
    """Counts how often it loads."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> object:
        self.times += 1
        return object()


def test_threads_share_one_load() -> None:
    loader, barrier, seen = Loader(), Barrier(8), set()
    lease = Lease(loader)

    def work() -> None:
        barrier.wait()
        with lease.use() as value:
            seen.add(id(value))

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loader.times == 1
    assert len(seen) == 1


def test_unloading_waits_for_the_last_user() -> None:
    loader = Loader()
    lease = Lease(loader)
    with lease.use():
        assert not lease.unload()
        assert lease.loaded
    assert not lease.loaded
    with lease.use():
        pass
    assert loader.times == 2
    assert lease.unload()
    assert not lease.loaded


def test_a_new_user_keeps_what_was_to_go() -> None:
    lease = Lease(Loader())
    with lease.use():
        lease.unload()
        with lease.use():
            pass
        assert lease.loaded
    assert lease.loaded


def test_a_failed_load_is_tried_again() -> None:
    outcomes: Iterator[Exception | int] = iter([ValueError("no"), 7])

    def load() -> int:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    lease = Lease(load)
    with pytest.raises(ValueError, match="no"), lease.use():
        pass
    with lease.use() as value:
        assert value == 7
