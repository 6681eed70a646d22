"""One recogniser for all lines.

In: Asks of many lines. Out: what was heard, told to whoever asked. The one decision: what ends within a few tens of milliseconds is heard
together, shared out among the threads that are free and no more than fits into one batch's seconds; turns of agents first, then those of
customers, then guesses, and within each kind the line that was served longest ago. Of one voice nothing is begun before the last is told; and one
thread is kept for agents, for what is being heard cannot be put off any more: guesses never have it, and customers only after a while. How much
is heard together is a setting: on a CPU a batch costs as much as its clips one by one, and each of them is told only when all are heard.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Thread

from phrasecheck.live.segmenter import Kind
from phrasecheck.live.session import Ask
from phrasecheck.live.sound import RATE
from phrasecheck.settings import LiveSettings
from phrasecheck.transcribe import Heard, Recogniser

CALM = 0.5  # behind until the oldest settled turn has waited no more than this share of the limit
log = logging.getLogger(__name__)

Clock = Callable[[], float]
Answer = Heard | Exception | None
"""None: there was no time for it, and it was not settled."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Waiting:
    ask: Ask
    line: str
    since: float
    done: Callable[[Answer], None]

    @property
    def seconds(self) -> float:
        return len(self.ask.clip) / RATE

    @property
    def guess(self) -> bool:
        """Heard for early alerts only."""
        return self.ask.kind <= Kind.PAUSED

    @property
    def voice(self) -> tuple[str, int]:
        return self.line, self.ask.channel


@dataclass(slots=True, kw_only=True)
class Load:
    """How the hub has fared; read by metrics."""

    heard: int = 0
    batches: int = 0
    given_up: int = 0
    waiting: int = 0
    delay: float = 0.0  # seconds that the last settled turn waited before it was heard
    busy_s: float = 0.0
    behind: bool = False


@dataclass(slots=True)
class Hub:
    """Owns the recogniser, in `at_once` threads of its own. `submit` may be called by any thread; `done` is called by the hub's."""

    recogniser: Recogniser
    settings: LiveSettings
    changed: Callable[[bool, float], None] = lambda behind, delay: None  # the machine fell behind, or caught up
    clock: Clock = time.monotonic
    at_once: int = 1  # batches heard at the same time
    load: Load = field(default_factory=Load)
    _queue: list[_Waiting] = field(default_factory=list)
    _served: dict[str, float] = field(default_factory=dict)  # line -> when
    _voices: set[tuple[str, int]] = field(default_factory=set)  # line and channel of what is being heard
    _busy: int = 0  # batches being heard
    _wake: Condition = field(default_factory=Condition)
    _threads: list[Thread] = field(default_factory=list)
    _stopping: bool = False

    def start(self) -> None:
        """Begin to hear."""
        self._threads = [Thread(target=self._run, name=f"live-hub-{number}", daemon=True) for number in range(self.at_once)]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Hear what is settled, then end."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout)

    def submit(self, ask: Ask, line: str, done: Callable[[Answer], None]) -> None:
        """Wants a clip heard. A newer guess of a channel takes the place of one that still waits."""
        waiting = _Waiting(ask=ask, line=line, since=self.clock(), done=done)
        with self._wake:
            old = [w for w in self._queue if not w.ask.settled and w.line == line and w.ask.channel == ask.channel]
            self._queue = [w for w in self._queue if w not in old]
            self._queue.append(waiting)
            self._wake.notify()
        self._give_up(old)

    def forget(self, line: str) -> None:
        """The line is over."""
        with self._wake:
            self._served.pop(line, None)

    def step(self) -> bool:
        """One batch from what waits now; False when nothing does. What the thread does, for those who want no thread."""
        with self._wake:
            began = self.clock()
            self._measure(began)
            old = [w for w in self._queue if not w.ask.settled] if self.load.behind else []
            self._queue = [w for w in self._queue if w not in old]
            batch = self._pick()
            self._queue = [w for w in self._queue if w not in batch]
            self._served.update(dict.fromkeys((w.line for w in batch), began))
            self._busy += bool(batch)
            self._voices |= {w.voice for w in batch}
            self.load.waiting = len(self._queue)
            self.load.delay = max((began - w.since for w in batch if w.ask.settled), default=self.load.delay)
        self._give_up(old)
        if not batch:
            return False
        for waiting, heard in zip(batch, self._hear(batch), strict=True):
            _tell(waiting, heard)
        with self._wake:
            self._busy -= 1
            self._voices -= {w.voice for w in batch}
            self.load.busy_s += self.clock() - began
            self.load.batches += 1
            self.load.heard += len(batch)
            self._wake.notify_all()  # what had to wait for these voices
        return True

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._free() and not self._stopping:
                    self._wake.wait(1.0)
                    self._measure(self.clock())
                if self._stopping and not any(w.ask.settled for w in self._queue):
                    return
                if self._stopping and not self._free():
                    self._wake.wait(1.0)
            if not self._stopping:
                time.sleep(self.settings.gather_s)
            self.step()

    def _free(self) -> list[_Waiting]:
        """What may be heard now."""
        last = 1 < self.at_once <= self._busy + 1
        return [w for w in self._queue if w.voice not in self._voices and (not last or self._presses(w))]

    def _presses(self, waiting: _Waiting) -> bool:
        """Whether it may have the last free thread."""
        if not waiting.ask.settled:
            return not waiting.guess
        return waiting.ask.agent or self.clock() - waiting.since > self.settings.overload_s

    def _measure(self, now: float) -> None:
        """Whether the machine is behind, told when it changes."""
        waited = max((now - w.since for w in self._queue if w.ask.settled and w.ask.agent), default=0.0)
        limit = self.settings.overload_s * (CALM if self.load.behind else 1.0)
        if (waited > limit) is not self.load.behind:
            self.load.behind = not self.load.behind
            self.changed(self.load.behind, waited)

    def _pick(self) -> list[_Waiting]:
        """The most wanted, and behind it what fits into the same batch: padding makes every clip as long as the longest. Guesses hold nothing else
        up, and other free threads get their share."""
        pad, batch, free = self.settings.window_pad_s, list[_Waiting](), sorted(self._free(), key=self._rank)
        most = -(-len(free) // max(1, self.at_once - self._busy))
        for waiting in free:
            longest = max([waiting.seconds, *(w.seconds for w in batch)])
            alone = waiting.guess and any(not w.guess for w in batch)
            if not batch or (not alone and len(batch) < most and (longest + pad) * (len(batch) + 1) <= self.settings.batch_s):
                batch.append(waiting)
        return batch

    def _rank(self, waiting: _Waiting) -> tuple[int, float, float]:
        ask = waiting.ask
        group = 2 if ask.settled and not ask.agent else (4, 3, 1, 0)[ask.kind]
        return group, self._served.get(waiting.line, 0.0), waiting.since

    def _hear(self, batch: list[_Waiting]) -> list[Answer]:
        """All at once; after a failure one by one, so that a bad clip costs the others nothing."""
        try:
            return list(self.recogniser.recognise([w.ask.clip for w in batch]))
        except Exception as error:
            log.exception("a batch of %d clips failed", len(batch))
            if len(batch) == 1:
                return [error]
            return [answer for waiting in batch for answer in self._hear([waiting])]

    def _give_up(self, old: list[_Waiting]) -> None:
        self.load.given_up += len(old)
        for waiting in old:
            _tell(waiting, None)


def _tell(waiting: _Waiting, heard: Answer) -> None:
    """Whatever one line does with it, the others get theirs."""
    try:
        waiting.done(heard)
    except Exception:
        log.exception("line %s could not take what was heard", waiting.line)
