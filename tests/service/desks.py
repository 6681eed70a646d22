"""A desk for tests: an application over a fresh SQLite store, and clients who are signed in as whoever is wanted.

In: a folder. Out: an Office. The one decision: sessions are handed out by the store itself, for argon2 is slow on purpose; only test_accounts.py
signs in with a password.
"""

import hmac
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from threading import Thread
from time import sleep
from typing import Any

import httpx2 as httpx
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from phrasecheck.service.security import CSRF_HEADER, SESSION
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.states import Permission
from phrasecheck.store.store import Store
from phrasecheck.store.tables import TokenKind, UserRow

PAGE = {"accept": "text/html"}
_numbers = count(1)


@contextmanager
def listening(app: FastAPI, **config: Any) -> Iterator[str]:
    """The application on a port of this machine for as long as the block lasts; gives host:port."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, **config))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        sleep(0.02)
    try:
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


class Client(TestClient):
    """A browser: it sends the CSRF token of its session with what changes something, and does not follow redirects."""

    def request(self, method: str, url: Any, **more: Any) -> httpx.Response:
        secret = self.cookies.get(SESSION)
        if secret is not None:
            csrf = hmac.new(secret.encode(), b"csrf", "sha256").hexdigest()
            more["headers"] = {CSRF_HEADER: csrf, **(more.get("headers") or {})}
        return super().request(method, url, **more)


@dataclass(frozen=True)
class Office:
    """An application and its store."""

    app: FastAPI
    store: Store

    def user(self, permission: Permission, team: str | None = None, agent: str | None = None) -> UserRow:
        """A new account without a password."""
        new = NewUser(name=f"{permission}-{next(_numbers)}", permission=permission, team=team, agent=agent)
        return self.store.accounts.invite(new, "test")[0]

    def anonymous(self) -> Client:
        """Somebody who is not signed in."""
        return Client(self.app, follow_redirects=False, raise_server_exceptions=False)

    def client(self, permission: Permission = Permission.LEAD, **place: str) -> Client:
        """Somebody new with this permission, signed in; `team`, `agent` as in `user`."""
        return self.signed_in(self.user(permission, **place))

    def signed_in(self, user: UserRow) -> Client:
        """This person in a browser."""
        client = self.anonymous()
        client.cookies.set(SESSION, self.store.accounts.issue(TokenKind.SESSION, user.id, timedelta(hours=1)))
        return client

    def program(self, user: UserRow, scopes: Iterable[str]) -> Client:
        """A program with an API token of this person."""
        client = self.anonymous()
        secret = self.store.accounts.issue(TokenKind.API, user.id, timedelta(hours=1), "test", scopes)
        client.headers["authorization"] = f"Bearer {secret}"
        return client
