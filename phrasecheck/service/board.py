"""Where events of running calls are put up, and read by whoever may.

In: events from lines. Out: the same, stored, numbered, in order. The one decision: readers have no queues. Each remembers the last number it has
sent on and reads from there: from the last few thousand here, or from the store if it fell behind those. So one who reads slowly costs nothing,
and one who was away has missed nothing.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from starlette.concurrency import run_in_threadpool

from phrasecheck.errors import StoreError
from phrasecheck.events import Event, to_json
from phrasecheck.store.live import LiveCalls, Note, Told

KEPT = 5000
RETRY_S = 0.5
POLL_S = 0.5  # how soon events of other web processes are seen
AT_ONCE = 500  # events handed on together
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Board:
    """One a web process. `post` is for any thread, `follow` for the event loop."""

    live: LiveCalls
    also: Callable[[Sequence[Told]], None] = lambda told: None  # whoever else wants them, in the writer's thread
    _loop: asyncio.AbstractEventLoop | None = None
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _queue: SimpleQueue[Sequence[Event] | None] = field(default_factory=SimpleQueue)
    _told: deque[Told] = field(default_factory=lambda: deque(maxlen=KEPT))
    _floor: int = 0  # the last number before those in `_told`
    _notes: list[Note] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _thread: Thread | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to write."""
        self._loop, self._floor = loop, self.live.last()
        self._thread = Thread(target=self._write, name="live-board", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what there is, then end."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(10)

    def post(self, events: Sequence[Event]) -> None:
        """Events of one call, in order."""
        self._queue.put(events)

    def say(self, note: Note) -> None:
        """A note for those who look on now; the others get it with the rest of the call."""
        with self._lock:
            self._notes.append(note)
        self._ring()

    async def follow(self, number: int) -> AsyncIterator[list[Told | Note]]:
        """What comes behind `number`, for ever."""
        noted = len(self._notes)
        while True:
            bell = self._bell
            told = self._after(number)
            if told is None:
                told = await run_in_threadpool(self.live.since, number, AT_ONCE)
            notes = self._notes[noted:]
            noted += len(notes)
            if told or notes:
                number = told[-1].id if told else number
                yield [*told, *notes]
            else:
                await bell.wait()

    @property
    def last(self) -> int:
        """The number of the last event that can be read."""
        with self._lock:
            return self._told[-1].id if self._told else self._floor

    def _after(self, number: int) -> list[Told] | None:
        """None: only the store knows."""
        with self._lock:
            if number < self._floor:
                return None
            found: list[Told] = []
            for told in reversed(self._told):
                if told.id <= number:
                    break
                found.append(told)
        return found[::-1][:AT_ONCE]

    def _write(self) -> None:
        going = True
        while going:
            batch: list[Event] = []
            with contextlib.suppress(Empty):
                events = self._queue.get(timeout=POLL_S)
                while events is not None:
                    batch += events
                    events = self._queue.get_nowait()
                going = False
            if batch:
                self._store(batch)
            self._put_up()

    def _store(self, batch: Sequence[Event]) -> None:
        """Stored, however long it takes: the calls go on meanwhile, and nothing is told that could not be read again."""
        rows = [to_json(event) for event in batch]
        while True:
            try:
                self.live.tell(rows)
            except StoreError as error:
                log.error("live events wait for the database: %s", error)
                time.sleep(RETRY_S)
            except Exception:  # a call that was deleted under way: its events go nowhere, the others' do
                if len(rows) > 1:
                    for event in batch:
                        self._store([event])
                else:
                    log.exception("a live event could not be stored")
                return
            else:
                return

    def _put_up(self) -> None:
        """What is in the store and not here yet, other web processes' events among it."""
        told: list[Told] = []
        with contextlib.suppress(StoreError):  # told by whoever writes; read when it is back
            told = self.live.since(self.last)
        if not told:
            return
        with self._lock:
            for each in told:
                if len(self._told) == KEPT:
                    self._floor = self._told[0].id
                self._told.append(each)
        self._ring()
        try:
            self.also(told)
        except Exception:
            log.exception("whoever else wanted live events failed")
        if len(told) >= AT_ONCE:
            self._put_up()

    def _ring(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._bell, bell = asyncio.Event(), self._bell
        bell.set()
