"""A worker: claims a call, checks it, stores what it came to; again and again until it is told to stop.

In: a Store, something that checks a recording, a `stop`. Out: the calls table moves on. The one decision: the table alone says what is to be done and what
was done, so a worker may die at any moment: what it held is handed out again when its lease ends, and a result whose lease is lost is dropped.
"""

import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain, repeat
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Protocol, Self, TypeVar, runtime_checkable

from phrasecheck.errors import AudioError, LeaseLostError, NotFoundError, PhrasecheckError, StoreError
from phrasecheck.pipeline import Allowed, Progress, Request
from phrasecheck.settings import Settings
from phrasecheck.store.calls import Claim
from phrasecheck.store.states import CallState
from phrasecheck.store.store import Store
from phrasecheck.types import CallResult

T = TypeVar("T")
log = logging.getLogger(__name__)

HOPELESS = (AudioError, NotFoundError)  # another try would end the same
PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # seconds between tries to reach a store that is away


class Check(Protocol):
    """What a worker does to a recording: the whole pipeline, or a fake in tests."""

    def __call__(self, request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        """Raises AudioError when it cannot be read. `progress` may raise, to have the check given up."""
        ...


Load = Callable[[Settings, Store | None], Check]  # called once in each worker process, where it has to be importable by name
Told = Callable[[str, CallState], None]  # a call's id and where it stands now


class StoppedError(Exception):
    """The worker was asked to stop while a call was being checked."""


@runtime_checkable
class Sparing(Protocol):
    """A Check that has something to do between calls."""

    def spare(self) -> bool:
        """Some seconds of it; False when there is nothing to do."""
        ...


def load_check(settings: Settings, store: Store | None = None) -> Check:
    """The real pipeline with its weights, and the lexicon that is in force in the store when a call is checked. Raises ModelError, LexiconError, InputError."""
    from phrasecheck.pipeline import check_call, load_engines

    if store is not None:
        return Desked(settings, store)
    engines = load_engines(settings)

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        return check_call(request, engines, settings, progress, allowed)

    return check


class Desked:
    """The real pipeline beside a store: it follows the lexicon in force, and rescores between calls."""

    def __init__(self, settings: Settings, store: Store) -> None:
        """Raises ModelError, LexiconError, InputError."""
        from phrasecheck.current import CurrentMatcher
        from phrasecheck.pipeline import load_senses
        from phrasecheck.rescoring import Rescoring

        self._settings, self._senses, self._matchers = settings, load_senses(settings), CurrentMatcher(settings, store)
        self._rescoring = Rescoring(store, settings, self._matchers)
        with self._matchers.use():
            pass  # what cannot be loaded is to be known now

    def __call__(self, request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        """Raises AudioError."""
        from phrasecheck.pipeline import Engines, check_call

        with self._matchers.use() as matcher:
            senses = self._senses
            engines = Engines(vad=senses.vad, recogniser=senses.recogniser, voice=senses.voice, matcher=matcher)
            return check_call(request, engines, self._settings, progress, allowed)

    def spare(self) -> bool:
        """A little of a rescoring."""
        return self._rescoring.turn()


def announce(call_id: str, state: CallState) -> None:
    """The place where the end of a check is told; what must not be missed is written to the store in the transaction that ends it."""
    log.info("call %s: %s", call_id, state, extra={"call": call_id})


def run(
    store: Store,
    check: Check,
    stop: Event,
    *,
    poll_s: float = 1.0,
    patience_s: float = 1800.0,
    idle_s: float | None = None,
    wake: Event | None = None,
    told: Told = announce,
) -> None:
    """Work until `stop` is set, or until there was nothing to do for `idle_s`. Without work it looks for some every `poll_s`, at once after a `wake`."""
    wake, worked = wake or Event(), monotonic()
    while not stop.is_set():
        wake.clear()
        claim = _claim(store)
        if claim is not None:
            work(store, claim, check, stop, patience_s=patience_s, told=told)
        spared = not stop.is_set() and _spare(check)
        if claim is not None or spared:
            worked = monotonic()
        elif idle_s is not None and monotonic() - worked > idle_s:
            return
        elif not stop.is_set():
            wake.wait(poll_s)


def _spare(check: Check) -> bool:
    """What the check does between calls; whatever goes wrong there, calls are checked."""
    try:
        return isinstance(check, Sparing) and check.spare()
    except Exception as error:
        log.warning("what is done between calls went wrong", exc_info=error)
        return False


def _claim(store: Store) -> Claim | None:
    """A database that is away for a while is waited for."""
    try:
        return store.calls.claim()
    except StoreError as error:
        log.warning("%s", error)
        return None


def work(store: Store, claim: Claim, check: Check, stop: Event, *, patience_s: float = 1800.0, told: Told = announce) -> None:
    """One claimed call to its end: a result, a failure with its reason, or back into the queue when `stop` is set."""
    call_id = claim.call.id
    try:
        with Pulse(store, claim, stop, patience_s) as pulse:
            told(call_id, _ended(store, claim, check, pulse))
    except LeaseLostError as error:  # also when an earlier try to store was committed and only its answer got lost
        log.warning("%s", error, extra={"call": call_id})


def _ended(store: Store, claim: Claim, check: Check, pulse: "Pulse") -> CallState:
    try:
        result = _checked(store, claim, check, pulse)
        _stored(pulse, lambda: store.results.finish(claim, result))
        return CallState.DONE
    except LeaseLostError:
        raise
    except StoppedError:
        _stored(pulse, lambda: store.calls.give_back(claim))
        return CallState.QUEUED
    except Exception as error:
        reason, again = _reason(error), not isinstance(error, HOPELESS)
        log.warning("call %s could not be checked", claim.call.id, exc_info=error, extra={"call": claim.call.id})
        return _stored(pulse, lambda: store.calls.fail(claim, reason, again=again))


def _checked(store: Store, claim: Claim, check: Check, pulse: "Pulse") -> CallResult:
    call = claim.call
    with ExitStack() as stack:
        path = _fetched(pulse, lambda: stack.enter_context(store.recordings.local(call.recording)))
        allowed = _fetched(pulse, store.allowances.pairs)
        request = Request(
            path=path,
            role=call.role if call.role_stated else None,
            agent_channel=call.agent_channel,  # type: ignore[arg-type]  # what handed it in has checked it
            agent=call.agent,
            team=call.team,
            metadata={name: str(value) for name, value in call.extra.items()},
        )
        return check(request, allowed, pulse.progress)


def _fetched(pulse: "Pulse", fetch: Callable[[], T]) -> T:
    """A store that is away or refuses now and then is asked again: it is not the recording's fault, and tries are few."""
    for pause in PAUSES:
        try:
            return fetch()
        except NotFoundError:
            raise
        except Exception as error:  # whatever fsspec's many stores raise
            log.warning("%s: %s", type(error).__name__, error)
        pulse.over.wait(pause)
        pulse.progress(0, 0)
    return fetch()


def _stored(pulse: "Pulse", write: Callable[[], T]) -> T:
    """Write, waiting for a database that is away as long as the lease may still be ours: checking again would cost more. Raises LeaseLostError."""
    for pause in chain(PAUSES, repeat(PAUSES[-1])):
        try:
            return write()
        except StoreError as error:
            log.warning("%s", error)
            if pulse.over.wait(pause) or pulse.expired:
                raise LeaseLostError("数据库离开太久，这次的结果不保存：通话会重新检查") from error
    raise AssertionError("repeat does not end")


def _reason(error: Exception) -> str:
    """What the user reads."""
    if isinstance(error, MemoryError):
        return "内存不足：请减少同时工作的进程（cluster.workers），或换内存更大的机器后重新运行"
    if isinstance(error, PhrasecheckError):
        return str(error)
    return f"内部错误 {type(error).__name__}：{error}。请重新运行；若再失败，把录音和这行字发给维护人员"


class Pulse:
    """Says `heartbeat` every third of a lease in a thread of its own while the block lasts; a call without headway for `patience_s` ends the process,
    since nothing else frees a thread that hangs."""

    def __init__(self, store: Store, claim: Claim, stop: Event, patience_s: float) -> None:
        self.over = Event()  # the block has ended, or the lease is lost
        self._store, self._claim, self._stop, self._patience_s = store, claim, stop, patience_s
        self._until, self._moved, self._lost = claim.until, monotonic(), False
        self._thread = Thread(target=self._beat, name=f"pulse {claim.call.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.over.set()
        self._thread.join()

    @property
    def expired(self) -> bool:
        """Has the lease run out long ago for want of heartbeats? Just so, the call may still be ours: `held` decides."""
        return self._store.database.now() > self._until + self._store.calls.lease

    def progress(self, done: float, of: float) -> None:
        """The check made headway. Raises StoppedError or LeaseLostError when there is no use in going on."""
        self._moved = monotonic()
        if self._lost:
            raise LeaseLostError(f"通话 {self._claim.call.id} 已交给别的进程、取消或删除：不再检查")
        if self._stop.is_set():
            raise StoppedError

    def _beat(self) -> None:
        every = self._store.calls.lease.total_seconds() / 3
        while not self.over.wait(every):
            if monotonic() - self._moved > self._patience_s:
                log.error("call %s: no headway for %s s, this worker ends itself", self._claim.call.id, self._patience_s)
                os._exit(70)  # EX_SOFTWARE; the lease runs out and the try counts
            try:
                self._until = self._store.calls.heartbeat(self._claim)
            except LeaseLostError:
                self._lost = True
                self.over.set()
            except Exception as error:  # the database is away; the next beat may reach it
                log.warning("heartbeat of call %s: %s", self._claim.call.id, error)
