"""All calls in progress of this process.

In: calls from the doors. Out: lines that are heard, recorded, and at their end handed to `check`. The one decision: a door holds nothing.
Whatever happens to its connection, the call is here: it waits for the line to come back, and is ended, filed and told of when it does not.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING

from phrasecheck.errors import InputError, NotFoundError, RefusedError
from phrasecheck.events import Cause, Ended
from phrasecheck.live.hub import Hub
from phrasecheck.live.line import Line
from phrasecheck.live.recording import Recording, abandoned, agent_channel
from phrasecheck.live.session import Caller, Minds
from phrasecheck.live.sound import Format
from phrasecheck.service.board import Board
from phrasecheck.settings import Settings
from phrasecheck.store.calls import NewCall
from phrasecheck.store.live import NewLive
from phrasecheck.store.store import Store
from phrasecheck.store.tables import LiveCallRow
from phrasecheck.types import Speaker

if TYPE_CHECKING:
    from phrasecheck.engines.lease import Lease
    from phrasecheck.live.minds import Ears
    from phrasecheck.matching.matcher import Matcher

SHORTEST_S = 0.5  # a recording shorter than this is nobody's call
TICK_S = 1.0
LONGEST = timedelta(days=1)  # a call that began earlier is not in progress anywhere
KEEP_UNRECORDED = timedelta(days=30)
log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class Trunk:
    """A call with its recording. `holder` is the connection that brings its sound now, None while the line is away."""

    line: Line
    recording: Recording
    holder: object | None
    away_since: float | None = None
    closing: bool = False
    lock: RLock = field(default_factory=RLock)

    @property
    def call(self) -> str:
        """Its id."""
        return self.line.call


class Switchboard:
    """Thread-safe. `start` loads what is needed when the first call comes, not before."""

    def __init__(self, settings: Settings, store: Store, matcher: "Lease[Matcher]", ears: "Lease[Ears]") -> None:
        self.settings = settings
        self.store = store
        self.board = Board(store.live)
        self._matcher = matcher
        self._ears = ears
        self._held = ExitStack()
        self._heard_by: tuple[Hub, Ears] | None = None
        self._loading = Lock()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="live")
        self._trunks: dict[str, Trunk] = {}
        self._lock = RLock()
        self.connections = 0

    # --- its own life ----------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Housekeeping, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            await asyncio.to_thread(self.tick)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take calls. Those that a server before this one left behind are ended and filed first."""
        self.board.start(loop)
        for row in self.store.live.running():
            if abandoned(self._spool(row.id)) or row.started_at < self.store.database.now() - LONGEST:
                self._recover(row)
        self.store.live.prune(KEEP_UNRECORDED)

    def stop(self) -> None:
        """Every call is ended and filed."""
        for trunk in list(self._trunks.values()):
            self._close(trunk, Cause.SHUTDOWN)
        until = time.monotonic() + 20
        while self._trunks and time.monotonic() < until:
            time.sleep(0.05)
        if self.hub is not None:
            self.hub.stop()
        self._pool.shutdown()
        self.board.stop()
        self._held.close()

    def tick(self) -> None:
        """End calls whose line did not come back."""
        for trunk in list(self._trunks.values()):
            if trunk.away_since is not None and time.monotonic() - trunk.away_since > self.settings.live.return_s:
                self._close(trunk, Cause.LOST)

    @property
    def hub(self) -> Hub | None:
        """None until the first call."""
        return self._heard_by[0] if self._heard_by else None

    @property
    def lines(self) -> int:
        """Calls now."""
        return len(self._trunks)

    # --- what doors do ---------------------------------------------------------------------------------------------------------

    def open(self, caller: Caller, form: Format, holder: object) -> Trunk:
        """A call begins. Raises RefusedError when there are too many, or there was one of this id."""
        if len(caller.channels) != form.channels:
            raise InputError(f"channels 应说明每个声道是谁（共 {form.channels} 个），收到 {len(caller.channels)} 个")
        hub, minds = self._ready()  # the first call waits here for the models
        with self._lock:
            if len(self._trunks) >= self.settings.live.max_lines:
                raise RefusedError(f"同时最多 {self.settings.live.max_lines} 通（live.max_lines），现在已满：请稍后再接，或调高上限")
            self.store.live.begin(_row(caller, form))
            line = Line(caller, form, minds, self.settings, hub, self._pool, self.board.post)
            trunk = Trunk(line=line, recording=Recording(self._spool(caller.call), form, caller.channels), holder=holder)
            self._trunks[caller.call] = trunk
        line.start()
        if hub.load.behind:
            line.do(lambda session: session.overload(hub.load.delay))
        return trunk

    def rejoin(self, call: str, form: Format, holder: object) -> Trunk:
        """The line is back; a connection that still holds the call has lost it. Raises NotFoundError when the call is over, InputError for another format."""
        trunk = self._trunks.get(call)
        if trunk is None or trunk.closing:
            raise NotFoundError(f"通话 {call} 不在进行中：断线超过 {self.settings.live.return_s:.0f} 秒就结束了，请用新的编号重新开始")
        if form != trunk.line.session.form:
            raise InputError(f"通话 {call} 接回时的格式应与开始时一样：应为 {trunk.line.session.form}，收到 {form}")
        with trunk.lock:
            trunk.holder, trunk.away_since = holder, None
            trunk.recording.resume()
        trunk.line.do(lambda session: session.resume(line=True))
        return trunk

    def runs(self, call: str) -> bool:
        """Is a call of this id in progress?"""
        trunk = self._trunks.get(call)
        return trunk is not None and not trunk.closing

    def feed(self, trunk: Trunk, holder: object, chunk: bytes, channel: int | None = None) -> None:
        """Sound from the connection that holds the call; from one that has lost it, none."""
        with trunk.lock:
            if trunk.holder is not holder or trunk.closing:
                return
            trunk.recording.write(chunk, channel)
            trunk.line.feed(chunk, channel)

    def problem(self, trunk: Trunk, cause: Cause, text: str) -> None:
        """Tell that something is wrong with what a door gets."""
        trunk.line.do(lambda session: session.problem(cause, text))

    def drop(self, trunk: Trunk, holder: object) -> None:
        """The connection is gone without a word; the call waits for it."""
        with trunk.lock:
            if trunk.holder is not holder or trunk.closing:
                return
            trunk.holder, trunk.away_since = None, time.monotonic()
        wait = self.settings.live.return_s
        self.problem(trunk, Cause.LINE, f"线路断了：{wait:.0f} 秒内接回就继续，否则通话到此结束")

    def hang_up(self, trunk: Trunk, holder: object) -> None:
        """The call is over."""
        if trunk.holder is holder:
            self._close(trunk, Cause.HUNG_UP)

    @contextmanager
    def seat(self) -> Iterator[None]:
        """A connection, whatever it is for. Raises RefusedError when there are too many."""
        with self._lock:
            if self.connections >= self.settings.live.max_connections:
                raise RefusedError(f"同时最多 {self.settings.live.max_connections} 个连接（live.max_connections），现在已满：请稍后再试")
            self.connections += 1
        try:
            yield
        finally:
            with self._lock:
                self.connections -= 1

    # --- the end of a call -----------------------------------------------------------------------------------------------------

    def _close(self, trunk: Trunk, cause: Cause) -> None:
        with trunk.lock:
            if trunk.closing:
                return
            trunk.closing, trunk.holder = True, None

        def then() -> None:
            self._pool.submit(self._file, trunk, cause)

        trunk.line.finish(then)

    def _file(self, trunk: Trunk, cause: Cause) -> None:
        """Hand the recording to `check` and tell the last event."""
        check = None
        try:
            if trunk.recording.close() >= SHORTEST_S:
                check = self._accept(trunk.line.session.caller, trunk.recording.path, trunk.recording.agent_channel)
            trunk.recording.path.unlink()
        except Exception as error:
            log.exception("the recording of %s could not be kept", trunk.call)
            where = f"录音没能存进系统（{error}），还在 {trunk.recording.path}：请处理后用上传页补交"
            self.problem(trunk, Cause.RECORDING, where)
        trunk.line.end(cause, check)
        with self._lock:
            self._trunks.pop(trunk.call, None)

    def _accept(self, caller: Caller, path: Path, side: str) -> str:
        new = NewCall(
            source=f"{caller.call}.wav",
            role=caller.role,
            agent=caller.agent,
            team=caller.team,
            agent_channel=side,
            extra={"live": caller.call},
            said_at=self.store.live.get(caller.call).started_at,
            idempotency_key=f"live/{caller.call}",
        )
        with path.open("rb") as file:
            return self.store.calls.accept(file, new).id

    def _recover(self, row: LiveCallRow) -> None:
        """A call whose server died: what was recorded is checked."""
        path, check = self._spool(row.id), None
        speakers = tuple(map(Speaker, row.channels.split(",")))
        role = row.role if row.role_stated else None
        caller = Caller(call=row.id, role=role, agent=row.agent, team=row.team, channels=speakers, door=row.door)
        try:
            if path.exists() and path.stat().st_size > SHORTEST_S * row.rate:
                check = self._accept(caller, path, agent_channel(speakers))
                path.unlink()
        except Exception:
            log.exception("what was recorded of %s could not be kept; it lies in %s", row.id, path)
        self.board.post([Ended(call=row.id, seq=row.seq + 1, at=0.0, cause=Cause.SHUTDOWN, raised=0, check=check)])

    def _spool(self, call: str) -> Path:
        return self.settings.live.spool.expanduser() / f"{call}.wav"

    # --- what lines think with --------------------------------------------------------------------------------------------------

    def _ready(self) -> tuple[Hub, Minds]:
        """The lexicon and the allowed wordings are those in force when the call begins; they hold for all of it."""
        with self._loading:
            if self._heard_by is None:
                ears = self._held.enter_context(self._ears.use())
                hub = Hub(ears.recogniser, self.settings.live, self._changed, at_once=ears.at_once)
                hub.start()
                self._heard_by = hub, ears
        hub, ears = self._heard_by
        allowed = self.store.allowances.pairs()
        with self._matcher.use() as matcher:
            return hub, Minds(hearing=ears.hearing, matcher=matcher, listener=ears.listener, allowed=allowed)

    def _changed(self, behind: bool, delay: float) -> None:
        """The machine fell behind or caught up: every call is told, by another thread than the hub's."""

        def tell() -> None:
            for trunk in list(self._trunks.values()):
                trunk.line.do(lambda session: session.overload(delay) if behind else session.resume(line=False))

        self._pool.submit(tell)


def _row(caller: Caller, form: Format) -> NewLive:
    return NewLive(
        id=caller.call,
        role=caller.role,
        agent=caller.agent,
        team=caller.team,
        door=caller.door,
        channels=",".join(caller.channels),
        rate=form.rate,
    )
