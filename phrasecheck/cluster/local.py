"""Worker processes on this machine, started anew when they die.

In: settings, and what loads a Check in each process. Out: an Executor. The one decision: each process hangs on a pipe of its own and on nothing shared, since
a process that is killed may die with a shared lock in its hand; and when the pipe breaks because we were killed, it stops by itself.
"""

import logging
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from threading import Event, Lock, Thread
from time import monotonic

from phrasecheck.cluster import Progress
from phrasecheck.engines.machine import cores
from phrasecheck.settings import Settings
from phrasecheck.store.store import open_store
from phrasecheck.worker import Load, load_check, run

log = logging.getLogger(__name__)

STOP, WAKE = b"stop", b"wake"
LOOK_S = 0.2  # how often dead workers are looked for
STEADY_S = 10.0  # one that ended by its own error before it was so old is replaced only then: it may be the engines that cannot be loaded


@dataclass(slots=True)
class _Hand:
    """A process, our end of its pipe, and when it began."""

    process: SpawnProcess
    pipe: Connection
    began: float


class LocalExecutor:
    """N worker processes."""

    def __init__(self, settings: Settings, load: Load = load_check) -> None:
        """Starts nothing yet. Raises StoreError."""
        self._settings, self._load = shared_out(settings), load
        self._store = open_store(settings.store)
        self._hands: list[_Hand] = []
        self._lock, self._stopping = Lock(), Event()
        self._keeper = Thread(target=self._keep, name="keeper of workers", daemon=True)

    def start(self) -> None:
        """Returns at once."""
        self._keeper.start()

    def submit(self, call_id: str) -> None:
        """Wakes them all; the table says who gets it."""
        self._tell(WAKE)

    def alive(self) -> int:
        """Processes that live."""
        return len(self.pids)

    def progress(self) -> Progress:
        """By the table."""
        return Progress(calls=self._store.calls.counts(), workers=self.alive())

    def cancel(self, call_id: str, actor: str) -> None:
        """The worker that has it hears of it with its next heartbeat."""
        self._store.calls.cancel(call_id, actor)

    def stop(self, wait_s: float = 30.0) -> None:
        """Afterwards none is left."""
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        self._tell(STOP)
        until = monotonic() + wait_s
        for hand in self._hands:
            hand.process.join(max(0.0, until - monotonic()))
            if hand.process.is_alive():
                hand.process.kill()
                hand.process.join()
            hand.pipe.close()
        self._hands.clear()
        self._store.close()

    @property
    def pids(self) -> list[int]:
        """The processes, for whoever wants to look at them (or kill them, in tests)."""
        with self._lock:
            return [hand.process.pid for hand in self._hands if hand.process.pid is not None and hand.process.is_alive()]

    def _tell(self, word: bytes) -> None:
        with self._lock:
            for hand in self._hands:
                with suppress(OSError):  # it is dead; the keeper sees it too
                    hand.pipe.send_bytes(word)

    def _keep(self) -> None:
        """As many as there should be, until we stop."""
        while not self._stopping.is_set():
            with self._lock:
                self._hands = [hand for hand in self._hands if not self._gone(hand)]
                missing = self._settings.cluster.workers - len(self._hands)
                self._hands += [self._begin() for _ in range(missing)]
            self._stopping.wait(LOOK_S)

    def _gone(self, hand: _Hand) -> bool:
        """Dead, and to be replaced: at once when it was killed."""
        code = hand.process.exitcode
        if code is None or (code > 0 and monotonic() - hand.began < STEADY_S):
            return False
        log.warning("worker %s ended with %s, another is started", hand.process.pid, code)
        hand.pipe.close()
        return True

    def _begin(self) -> _Hand:
        ours, theirs = get_context("spawn").Pipe()
        process = get_context("spawn").Process(
            target=_process, args=(self._settings, self._load, theirs), name="phrasecheck worker", daemon=True
        )
        process.start()
        theirs.close()
        return _Hand(process=process, pipe=ours, began=monotonic())


def shared_out(settings: Settings) -> Settings:
    """The number of workers decided, and the cores shared among them: one worker for two cores unless told, each with its share of threads."""
    workers = settings.cluster.workers or max(1, cores() // 2)
    threads = settings.asr.threads or max(1, cores() // workers)
    return settings.model_copy(
        update={
            "asr": settings.asr.model_copy(update={"threads": threads}),
            "cluster": settings.cluster.model_copy(update={"workers": workers}),
        }
    )


def _process(settings: Settings, load: Load, pipe: Connection) -> None:
    """What a worker process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; ours tells us by the pipe
    stop, wake = Event(), Event()
    signal.signal(signal.SIGTERM, lambda *_: _stop(stop, wake))
    Thread(target=_listen, args=(pipe, stop, wake), daemon=True).start()
    store = open_store(settings.store)
    check = load(settings, store)
    cluster = settings.cluster
    run(store, check, stop, poll_s=cluster.poll_s, patience_s=cluster.patience_s, wake=wake)
    store.close()


def _listen(pipe: Connection, stop: Event, wake: Event) -> None:
    """A broken pipe is a stop too: who started us is no more, and another has its place by now."""
    with suppress(EOFError, OSError):
        while pipe.recv_bytes() == WAKE:
            wake.set()
    _stop(stop, wake)


def _stop(stop: Event, wake: Event) -> None:
    """Now, and not only when the worker next looks for work."""
    stop.set()
    wake.set()
