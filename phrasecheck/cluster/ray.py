"""Workers as actors of a Ray cluster: as many as there is work for, on whichever machines have room.

In: settings, and what loads a Check in each actor. Out: an Executor. The one decision: an actor takes its calls from the table like any other worker and ends
when it finds none for a while; Ray only says where actors live and tells us when they die. So a node that vanishes costs a lease's time, never a call.
"""

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from threading import Event, Thread
from time import monotonic
from typing import Any

from phrasecheck.cluster import Progress
from phrasecheck.errors import InputError, StoreError
from phrasecheck.settings import Settings
from phrasecheck.store.store import open_store
from phrasecheck.worker import Load, load_check, run

log = logging.getLogger(__name__)

LOOK_S = 0.5  # how often the queue is looked at and dead actors are looked for
STEADY_S = 10.0  # after an actor whose engines could not be loaded none is begun for as long


class Actor:
    """A worker in a process of Ray's. `work` runs in one of its threads, `wake` and `stop` in the other."""

    def __init__(self, settings: Settings, load: Load) -> None:
        self._settings, self._store = settings, open_store(settings.store)
        self._check = load(settings, self._store)
        self._stop, self._wake = Event(), Event()

    def work(self, stays: bool) -> None:
        """Until `stop`; one that does not stay ends when there was none for a while."""
        cluster = self._settings.cluster
        idle_s = None if stays else cluster.idle_s
        run(self._store, self._check, self._stop, poll_s=cluster.poll_s, patience_s=cluster.patience_s, idle_s=idle_s, wake=self._wake)

    def wake(self) -> None:
        """There is work."""
        self._wake.set()

    def stop(self) -> None:
        """Give back what is held."""
        self._stop.set()
        self._wake.set()


@dataclass(slots=True)
class _Hand:
    """An actor, what its `work` will come to, and whether it stays when there is none."""

    actor: Any
    work: Any
    stays: bool


class RayExecutor:
    """A pool of actors that grows and shrinks with the queue."""

    def __init__(self, settings: Settings, load: Load = load_check) -> None:
        """Starts nothing yet. Raises StoreError, InputError when Ray is not installed."""
        self._ray = connected(settings)
        self._settings, self._load = threaded(settings), load
        self._store = open_store(settings.store)
        self._hands: list[_Hand] = []
        self._not_before = 0.0
        self._stopping = Event()
        self._keeper = Thread(target=self._keep, name="keeper of actors", daemon=True)

    def start(self) -> None:
        """Returns at once."""
        self._keeper.start()

    def submit(self, call_id: str) -> None:
        """Wakes the actors there are; the keeper begins others if they do not suffice."""
        for hand in self._hands:
            hand.actor.wake.remote()

    def alive(self) -> int:
        """Actors that were begun and have not ended; some may still wait for room on the cluster."""
        return len(self._hands)

    def progress(self) -> Progress:
        """By the table."""
        return Progress(calls=self._store.calls.counts(), workers=self.alive())

    def cancel(self, call_id: str, actor: str) -> None:
        """The worker that has it hears of it with its next heartbeat."""
        self._store.calls.cancel(call_id, actor)

    def stop(self, wait_s: float = 30.0) -> None:
        """Afterwards none is left. The cluster stays."""
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for hand in self._hands:
            hand.actor.stop.remote()
        if self._hands:
            self._ray.wait([hand.work for hand in self._hands], num_returns=len(self._hands), timeout=wait_s)
        for hand in self._hands:
            self._ray.kill(hand.actor)
        self._hands = []
        self._store.close()

    def _keep(self) -> None:
        while not self._stopping.wait(LOOK_S):
            with suppress(StoreError):  # the database is away; the actors wait for it too
                self._reap()
                self._grow()

    def _reap(self) -> None:
        """Actors that ended: for want of work, or with their machine."""
        works = [hand.work for hand in self._hands]
        ended = set(self._ray.wait(works, num_returns=len(works), timeout=0)[0]) if works else set()
        for hand in self._hands:
            if hand.work not in ended:
                continue
            try:
                self._ray.get(hand.work)
            except Exception as error:  # its machine is gone, it was killed, or its engines could not be loaded
                log.warning("a worker on Ray ended: %s", error)
                if getattr(error, "actor_init_failed", True):
                    self._not_before = monotonic() + STEADY_S
            self._ray.kill(hand.actor)
        self._hands = [hand for hand in self._hands if hand.work not in ended]

    def _grow(self) -> None:
        """One actor for each call that waits, as far as there may be. One stays, so that the first call of the morning finds its models loaded."""
        if monotonic() < self._not_before:
            return
        wanted = max(1, min(self._store.calls.waiting(), self._most()))
        for _ in range(wanted - len(self._hands)):
            self._hands = [*self._hands, self._begin(stays=not any(hand.stays for hand in self._hands))]

    def _most(self) -> int:
        cluster = self._settings.cluster
        if cluster.workers:
            return cluster.workers
        there = self._ray.cluster_resources()
        rooms = [int(there.get(name, 0) / each) for name, each in (("CPU", cluster.cpus), ("GPU", cluster.gpus)) if each]
        return min(rooms, default=1)

    def _begin(self, *, stays: bool) -> _Hand:
        cluster = self._settings.cluster
        remote = self._ray.remote(Actor).options(num_cpus=cluster.cpus, num_gpus=cluster.gpus, max_concurrency=2)
        actor = remote.remote(self._settings, self._load)
        return _Hand(actor=actor, work=actor.work.remote(stays), stays=stays)


def connected(settings: Settings) -> Any:
    """The ray module, connected to the cluster that the settings name. Nothing is sent to Ray's makers. Raises InputError."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise InputError("cluster.executor 是 ray，但没有装 Ray：请运行 pip install 'phrasecheck[fleet]'，或改用 local") from error
    address = settings.cluster.address
    try:
        ray.init(address=address, ignore_reinit_error=True, logging_level=logging.WARNING, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(f"连不上 Ray 集群 {address or '（本机）'}：{error}。cluster.address 应为 主机:6379 或 ray://主机:10001") from error
    return ray


def threaded(settings: Settings) -> Settings:
    """Each actor computes with the cores that are reserved for it, not with all of its machine."""
    threads = settings.asr.threads or max(1, ceil(settings.cluster.cpus))
    return settings.model_copy(update={"asr": settings.asr.model_copy(update={"threads": threads})})
