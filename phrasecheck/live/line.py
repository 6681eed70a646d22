"""A session at work: between a door that brings sound, the hub that hears, and whoever wants the events.

In: sound from one thread at a time, answers from the hub's. Out: events to `tell`, in order. The one decision: one lock a line; a line's words
are matched in the line's own turn of a small pool, never in the hub's thread, which is to hear the next batch meanwhile.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from threading import Lock, RLock

from phrasecheck.events import Cause, Event
from phrasecheck.live.hub import Answer, Hub
from phrasecheck.live.session import Ask, Caller, Minds, Session
from phrasecheck.live.sound import Format
from phrasecheck.settings import Settings

log = logging.getLogger(__name__)

Tell = Callable[[Sequence[Event]], None]


class Line:
    """One running call. Thread-safe."""

    def __init__(self, caller: Caller, form: Format, minds: Minds, settings: Settings, hub: Hub, pool: Executor, tell: Tell) -> None:
        self.session = Session(caller, form, minds, settings)
        self._hub = hub
        self._pool = pool
        self._tell = tell
        self._lock = RLock()
        self._answers: deque[tuple[Ask, Answer]] = deque()
        self._answering = Lock()
        self._after: Callable[[], None] | None = None

    @property
    def call(self) -> str:
        """The call's id."""
        return self.session.caller.call

    def start(self) -> None:
        """Tells that the call began."""
        self.do(Session.start)

    def feed(self, chunk: bytes, channel: int | None = None) -> None:
        """The next sound."""
        self.do(lambda session: session.feed(chunk, channel))

    def do(self, what: Callable[[Session], list[Event]]) -> None:
        """Anything that makes events."""
        with self._lock:
            events = what(self.session)
            asks = self.session.asks()
            if events:
                self._tell(events)
        for ask in asks:
            self._submit(ask)
        self._maybe_over()

    def finish(self, then: Callable[[], None]) -> None:
        """No more sound; `then` is called once when all of it has been heard, by whatever thread."""
        self.do(Session.finish)
        with self._lock:
            self._after = then
        self._maybe_over()

    def end(self, cause: Cause, check: str | None) -> None:
        """The last event."""
        self.do(lambda session: session.end(cause, check))
        self._hub.forget(self.call)

    def _submit(self, ask: Ask) -> None:
        self._hub.submit(ask, self.call, lambda answer: self._answered(ask, answer))

    def _answered(self, ask: Ask, answer: Answer) -> None:
        self._answers.append((ask, answer))
        self._pool.submit(self._work)

    def _work(self) -> None:
        """Answers in the order they came; one thread at a time, the others leave theirs to it."""
        while self._answers and self._answering.acquire(blocking=False):
            try:
                while self._answers:
                    self._take(*self._answers.popleft())
            finally:
                self._answering.release()

    def _take(self, ask: Ask, answer: Answer) -> None:
        try:
            if isinstance(answer, Exception):
                raise answer
            self.do(partial(Session.answer, ask=ask, heard=answer))
        except Exception as error:  # one turn that cannot be heard or judged must not end the call
            log.warning("call %s: a turn was lost", self.call, exc_info=error)
            self.do(partial(Session.unheard, ask=ask, why=f"{type(error).__name__} {error}"))

    def _maybe_over(self) -> None:
        with self._lock:
            if self.session.open or self._answers or self._after is None:
                return
            then, self._after = self._after, None
        then()
