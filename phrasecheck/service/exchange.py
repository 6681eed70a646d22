"""Everything for calls in progress, started and stopped with the application.

In: the desk. Out: a Switchboard at app.state.exchange, its metrics, the AudioSocket door, the sender of alerts. The one decision: models are
loaded when the first call comes, so a desk that takes no live calls pays nothing for them. Live calls want one web process: calls are in its
memory.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from phrasecheck.alerts import load_rules
from phrasecheck.engines.lease import Lease
from phrasecheck.live.minds import Ears, load_ears
from phrasecheck.service.desk import Desk
from phrasecheck.service.doors.audiosocket import Announced, listen
from phrasecheck.service.sender import Sender
from phrasecheck.service.switchboard import Switchboard

KEYED = re.compile(r"(/api/v1/live/(?:twilio|freeswitch))/([\w-]{20,})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The parts that live routes share."""

    switchboard: Switchboard
    announced: Announced
    sender: Sender


def make_exchange(desk: Desk, ears: Lease[Ears] | None = None) -> Exchange:
    """Nothing runs yet. Raises InputError for rules that cannot be read."""
    board = Switchboard(desk.settings, desk.store, desk.matcher, ears or Lease(lambda: load_ears(desk.settings)))
    sender = Sender(desk.store.live, load_rules(desk.settings.live.rules), desk.store.database.now)
    board.board.also = sender.take
    desk.metrics.registry.register(_Gauges(board))
    return Exchange(switchboard=board, announced=Announced(), sender=sender)


@asynccontextmanager
async def running(exchange: Exchange) -> AsyncIterator[None]:
    """Calls are taken while the block lasts."""
    board = exchange.switchboard
    await run_in_threadpool(board.start, asyncio.get_running_loop())
    exchange.sender.start()
    housekeeping = asyncio.create_task(board.run())
    address = board.settings.live.audiosocket
    server = await listen(address, board, exchange.announced) if address else None
    try:
        yield
    finally:
        if server is not None:
            server.close()
        housekeeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await housekeeping
        await run_in_threadpool(board.stop)
        await run_in_threadpool(exchange.sender.stop)


def exchange(connection: HTTPConnection) -> Exchange:
    """The application's exchange, for requests and WebSockets alike."""
    found: Exchange = connection.app.state.exchange
    return found


Calls = Annotated[Exchange, Depends(exchange)]


def keyed(app: ASGIApp) -> ASGIApp:
    """Telephone systems that can send no headers carry their API token as the last part of the address; it becomes the header before
    anybody sees or logs it."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and (found := KEYED.fullmatch(scope["path"])):
            path, token = found.groups()
            headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
            scope = {
                **scope,
                "path": path,
                "raw_path": path.encode(),
                "headers": [*headers, (b"authorization", f"Bearer {token}".encode())],
            }
        await app(scope, receive, send)

    return run


class _Gauges(Collector):
    """What Prometheus is told of calls in progress."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def collect(self) -> Iterable[Metric]:
        """Asked anew each time."""
        yield GaugeMetricFamily("phrasecheck_live_lines", "Calls in progress", value=self._board.lines)
        yield GaugeMetricFamily("phrasecheck_live_connections", "Connections of lines, walls and hints", value=self._board.connections)
        if (hub := self._board.hub) is None:
            return
        load = hub.load
        yield GaugeMetricFamily("phrasecheck_live_waiting", "Clips that wait to be heard", value=load.waiting)
        yield GaugeMetricFamily(
            "phrasecheck_live_delay_seconds", "How long the last settled turn waited before it was heard", value=load.delay
        )
        yield GaugeMetricFamily("phrasecheck_live_overloaded", "1 while the machine is behind", value=int(load.behind))
        yield CounterMetricFamily("phrasecheck_live_heard", "Clips heard", value=load.heard)
        yield CounterMetricFamily("phrasecheck_live_given_up", "Guesses given up for want of time", value=load.given_up)
        yield CounterMetricFamily("phrasecheck_live_busy_seconds", "Time spent hearing", value=load.busy_s)
