"""An office that takes calls: a real server on a port, ears that know a tone from silence, and a recogniser that says what it is told.

In: an Office. Out: connections to it. The one decision: a real server and a real client, because what matters in a door is what it does when
connections break.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from websockets.sync.client import ClientConnection, connect

from phrasecheck.engines.lease import Lease
from phrasecheck.live.minds import Ears
from phrasecheck.service.access import Scope
from phrasecheck.service.switchboard import Switchboard
from phrasecheck.store.states import Permission
from phrasecheck.store.tables import TokenKind, UserRow
from tests.live.fakes import Sayer, hearing, matcher
from tests.service.desks import Office, listening

MATCHER = matcher()
START = {"type": "start", "call": "call-1", "role": "survey", "encoding": "pcm16", "rate": 16_000, "agent": "1024", "team": "一组"}


def equip(office: Office, sayer: Sayer) -> Switchboard:
    """Fake ears and a matcher without encoders."""
    board: Switchboard = office.app.state.exchange.switchboard
    board._ears = Lease(lambda: Ears(recogniser=sayer, hearing=hearing))
    board._matcher = Lease(lambda: MATCHER)
    return board


@dataclass(frozen=True)
class Phone:
    """A telephone system that has a token."""

    place: str  # host:port
    token: str

    def connect(self, path: str = "/api/v1/live", **headers: str) -> ClientConnection:
        """A connection with the token in its header."""
        known = {"authorization": f"Bearer {self.token}", **headers} if self.token else headers
        return connect(f"ws://{self.place}{path}", additional_headers=known, max_size=None, close_timeout=2)


@contextmanager
def served(office: Office) -> Iterator[str]:
    """The application on a port of this machine; gives host:port."""
    with listening(office.app, log_level="error", ws_max_size=1 << 22) as place:
        yield place


def token(office: Office, user: UserRow | None = None) -> str:
    """An API token for live calls."""
    owner = user or office.user(Permission.ADMIN)
    return office.store.accounts.issue(TokenKind.API, owner.id, timedelta(hours=1), "test", [Scope.LIVE])


def eventually(true: Callable[[], object]) -> None:
    """Waits until it is; machines that run tests are slow at times."""
    for _ in range(1500):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never came true")


def until(socket: ClientConnection, kind: str, most: int = 60) -> list[dict[str, Any]]:
    """Messages up to the first of this type."""
    got: list[dict[str, Any]] = []
    for _ in range(most):
        message = json.loads(socket.recv(timeout=60))
        got.append(message.get("event", message))
        if got[-1].get("type") == kind:
            return got
    raise AssertionError(f"no {kind} among {[m.get('type') for m in got]}")


def only(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Those of one type."""
    return [event for event in events if event.get("type") == kind]
