"""The server is killed thirty times at random moments while two hundred uploads come in: every accepted one has exactly one result.

Real processes and sockets; a worker in this process checks beside it (with a fake: what is heard does not matter here). Half of the recordings
come by POST with an idempotency key, half in parts by tus; their senders do what senders do: try again.
"""

import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from phrasecheck.settings import Settings
from phrasecheck.store.states import CallState, Permission
from phrasecheck.store.store import Store, open_store
from phrasecheck.store.tables import TokenKind
from phrasecheck.worker import run
from tests.service.desks import Office
from tests.service.senders import API, PARTS, metadata, sound
from tests.workers import result_of, results

KILLS, UPLOADS, PATIENCE_S = 30, 200, 540.0
SERVER = """
import socket, sys
import uvicorn
from phrasecheck.service.app import create_app
from phrasecheck.settings import Settings
app = create_app(Settings.model_validate_json(sys.argv[1]))
uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[socket.socket(fileno=int(sys.argv[2]))])
"""


@pytest.mark.model
def test_every_accepted_upload_has_exactly_one_result(office: Office, settings: Settings) -> None:
    user = office.user(Permission.INSPECTOR)
    token = office.store.accounts.issue(TokenKind.API, user.id, timedelta(hours=1), "test", ["upload", "read"])
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    began = time.monotonic()
    until = began + PATIENCE_S
    kills, over = [0], Event()
    killer = Thread(target=kill_again_and_again, args=(settings, listening, kills, over))
    killer.start()
    try:
        with working(settings.store), httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:

            def send(number: int) -> str:
                time.sleep(max(0.0, began + number * KILLS * 0.02 - time.monotonic()))  # they come in all the while
                sender = by_post if number % 2 else in_parts
                return persistently(lambda: sender(client, number), until)

            with ThreadPoolExecutor(16) as pool:
                accepted = list(pool.map(send, range(UPLOADS)))
            settled(office.store, until)
    finally:
        over.set()
        killer.join(60)
        listening.close()
    assert kills[0] >= KILLS
    assert len(set(accepted)) == UPLOADS
    assert office.store.calls.counts() == {**dict.fromkeys(CallState, 0), CallState.DONE: UPLOADS}
    assert results(office.store, accepted) == dict.fromkeys(accepted, 1)


# --- the server ---------------------------------------------------------------------------------------------------------------------


def kill_again_and_again(settings: Settings, listening: socket.socket, kills: list[int], over: Event) -> None:
    """Thirty times, each time at another moment of its life; then it may live."""
    moments = random.Random(20261102)
    while not over.is_set():
        with serving(settings, listening) as process:
            if kills[0] >= KILLS:
                over.wait()
            else:
                answering(listening, over)
                over.wait(moments.uniform(0.05, 1.5))
                kills[0] += 1
            process.kill()


@contextmanager
def serving(settings: Settings, listening: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    """The door stays open between two servers, so that nobody takes it."""
    number = listening.fileno()
    process = subprocess.Popen([sys.executable, "-c", SERVER, settings.model_dump_json(), str(number)], pass_fds=[number])
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def answering(listening: socket.socket, over: Event) -> None:
    """Wait until it says that it lives."""
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/healthz"
    while not over.is_set():
        try:
            httpx.get(address, timeout=1)
            return
        except httpx.HTTPError:
            over.wait(0.05)


@contextmanager
def working(settings: Any) -> Iterator[None]:
    """A worker beside the server."""
    store, stop = open_store(settings), Event()
    thread = Thread(target=run, args=(store, lambda request, allowed, progress: result_of("你好"), stop), kwargs={"poll_s": 0.1})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        store.close()


def settled(store: Store, until: float) -> None:
    """Nothing is left to be done."""
    while time.monotonic() < until:
        counts = store.calls.counts()
        if sum(counts.values()) >= UPLOADS and counts[CallState.DONE] == sum(counts.values()):
            return
        time.sleep(0.2)


# --- senders ------------------------------------------------------------------------------------------------------------------------


def persistently(step: Callable[[], str | None], until: float) -> str:
    """Again after each lost connection, and until there is an answer."""
    while time.monotonic() < until:
        try:
            if found := step():
                return found
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError("no answer in time")


def by_post(client: httpx.Client, number: int) -> str | None:
    answer = client.post(f"{API}/calls", files={"audio": (f"{number}.wav", sound(number))}, headers={"Idempotency-Key": f"key-{number}"})
    if answer.status_code >= 500:
        return None
    assert answer.status_code == 202, answer.text
    call: str = answer.json()["id"]
    return call


PLACES: dict[int, str] = {}  # where each sender's upload is


def in_parts(client: httpx.Client, number: int) -> str | None:
    """One step of tus: begin, go on, or ask what became of it."""
    data = sound(number, 60_000)
    if number not in PLACES:
        known = {"Upload-Length": str(len(data)), "Upload-Metadata": metadata(filename=f"{number}.wav")}
        PLACES[number] = client.post(f"{API}/uploads", headers=known).raise_for_status().headers["location"]
    place = PLACES[number]
    at = int(client.head(place).raise_for_status().headers["upload-offset"])
    while at < len(data):
        sent = client.patch(place, content=data[at : at + 20_000], headers={"Upload-Offset": str(at), "Content-Type": PARTS})
        if sent.status_code != 204:
            return None
        at = int(sent.headers["upload-offset"])
    told = client.get(place).raise_for_status().json()
    if told["state"] != "taken":
        return None
    ((item,), outcome) = told["items"], "accepted"
    assert item["outcome"] == outcome, item
    call: str = item["call"]
    return call
