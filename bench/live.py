"""make bench-live: from the end of the offending words to the alert at the client, the whole server in the loop.

usage: python -m bench.live EVAL [--lines 1,8] [--calls N] [--check] [--soak MINUTES [--alone]]

A server of its own (a process, SQLite in a temporary folder) takes EVAL/audio's calls over its WebSocket, in real time, so many at once. Of
every gold agent turn that violates something: the first alert over it that was not retracted, and how long after the turn's gold end it reached
the client; early alerts come before the end and count as negative. A false alarm is an alert (not retracted) over no violating turn. A turn is
lost when no utterance lies over it. `--check`: the same calls through `check`, for comparison. With `--lines` the lines run out of calls one by
one; `--soak` keeps all eight busy to the end, with hundreds of other connections beside them or alone.
"""

import argparse
import json
import os
import socket as sockets
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import numpy as np

from bench.calls import as_checked, check_all
from bench.data import Row, percent, rows, table
from phrasecheck.live.client import play, sound
from phrasecheck.pipeline import load_engines
from phrasecheck.settings import AudioSettings, Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
HEAD = [
    "lines",
    "calls",
    "caught",
    "false alarms",
    "median s",
    "95 % s",
    "within 1 s",
    "2 s",
    "3 s",
    "turns lost",
    "overloaded",
    "server CPU",
    "MB",
]
SLOW, IDLE = 50, 500
LOOK_S = 6.0  # between two looks at the memory, and between two changes of the guests


@dataclass
class Server:
    """A running server."""

    url: str
    token: str
    process: "subprocess.Popen[bytes]"

    def memory(self, kind: str = "VmRSS") -> float:
        """Resident MB: all, or RssAnon (its own) or RssFile (of mapped files, which the system takes back and brings again as it likes)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Heard:
    """A played call: its gold row, and each event with the second at which it came."""

    call: Row
    events: list[tuple[dict[str, Any], float]] = field(default_factory=list)


def application() -> Any:
    """What the server process runs."""
    from phrasecheck.service.app import create_app

    return create_app(load_settings())


@contextmanager
def server(settings: Settings, folder: Path) -> Iterator[Server]:
    """A server over an empty database, its models loaded, until the block ends."""
    from phrasecheck.service.access import Scope
    from phrasecheck.store.accounts import NewUser
    from phrasecheck.store.states import Permission
    from phrasecheck.store.store import open_store
    from phrasecheck.store.tables import TokenKind

    where = {"PHRASECHECK_STORE__DATABASE": f"sqlite:///{folder}/live.db", "PHRASECHECK_STORE__RECORDINGS": f"{folder}/recordings"}
    store = open_store(settings.store.model_copy(update={"database": f"sqlite:///{folder}/live.db", "recordings": f"{folder}/recordings"}))
    owner = store.accounts.invite(NewUser(name="bench", permission=Permission.ADMIN), "bench")[0]
    token = store.accounts.issue(TokenKind.API, owner.id, timedelta(days=1), "bench", [Scope.LIVE])
    store.close()
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        "bench.live:application",
        "--port",
        str(port),
        "--log-level",
        "warning",
        "--no-access-log",
    ]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **where, "PHRASECHECK_LIVE__SPOOL": f"{folder}/spool"})
    try:
        running = Server(f"ws://127.0.0.1:{port}/api/v1/live", token, process)
        _wait(running)
        yield running
    finally:
        process.terminate()
        process.wait(60)


def _wait(running: Server) -> None:
    """Until it answers, and has loaded its models: the first call waits for them."""
    address = running.url.replace("ws://", "http://") + "/calls"
    for _ in range(600):
        try:
            urlopen(Request(address, headers={"Authorization": f"Bearer {running.token}"})).read()
            break
        except OSError as error:
            if getattr(error, "code", None):  # it answers, whatever it says
                break
            time.sleep(0.2)
    from phrasecheck.live.sound import Format

    play(running.url, running.token, {"call": f"warm-{uuid4().hex}"}, Format(channels=2), bytes(64_000), lambda *_: None)


def played(running: Server, folder: Path, call: Row) -> Heard:
    """One call in real time."""
    form, data = sound(folder / call["audio"], AudioSettings())
    heard = Heard(call)
    sides = ["agent", "customer"] if call["agent_channel"] == "left" else ["customer", "agent"]
    start = {"call": f"{call['id']}-{uuid4().hex[:12]}", "role": call["role"], "channels": sides}
    play(running.url, running.token, start, form, data, lambda event, at: heard.events.append((event, at)))
    return heard


def at_once(running: Server, folder: Path, gold: Sequence[Row], lines: int) -> list[Heard]:
    """All calls, `lines` of them at any time. They begin a moment apart, as calls do."""

    def one(numbered: tuple[int, Row]) -> Heard:
        time.sleep(1.7 * numbered[0] if numbered[0] < lines else 0)
        return played(running, folder, numbered[1])

    with ThreadPoolExecutor(lines) as pool:
        return list(pool.map(one, enumerate(gold)))


def measured(lines: int, heard: Sequence[Heard], cpu: float, seconds: float, memory: float) -> list[object]:
    """A row of the table."""
    delays: list[float] = []
    violations = false = lost = overloaded = 0
    for each in heard:
        turns = [turn for turn in each.call["turns"] if turn["speaker"] == "agent"]
        bad = [turn for turn in turns if turn["labels"]]
        retracted = {event["alert"] for event, _ in each.events if event["type"] == "retracted"}
        alerts = [(e, at) for e, at in each.events if e["type"] == "alert" and e["seq"] not in retracted]
        said = [e for e, _ in each.events if e["type"] == "utterance" and e["speaker"] == "agent"]
        violations += len(bad)
        for turn in bad:
            delays += [at - turn["end"] for alert, at in alerts if _over(turn, alert)][:1]
        false += sum(not any(_over(turn, alert) for turn in bad) for alert, _ in alerts)
        lost += sum(not any(_over(turn, utterance) for utterance in said) for turn in turns)
        overloaded += sum(e["type"] == "overloaded" for e, _ in each.events)
    within = [percent(sum(d <= limit for d in delays) / max(1, len(delays))) for limit in (1, 2, 3)]
    middle, late = np.percentile(delays, [50, 95]) if delays else (float("nan"), float("nan"))
    shown = [lines, len(heard), f"{len(delays)}/{violations}", false, f"{middle:.2f}", f"{late:.2f}", *within]
    return [*shown, lost, overloaded, percent(cpu / seconds), f"{memory:.0f}"]


def _over(turn: Row, event: dict[str, Any]) -> bool:
    return bool(min(turn["end"], event["end"]) > max(turn["start"], event["start"]))


class Guests:
    """Connections that only connect, and listeners that begin a call and never read what is told of it. The server shows most of them out in time, so
    that the oldest go and others come all the while."""

    def __init__(self, running: Server, folder: Path, gold: Sequence[Row]) -> None:
        self._running = running
        form, data = sound(folder / gold[0]["audio"], AudioSettings())
        self._second = data[: form.bytes_a_second]
        self._idle = deque(self._connect() for _ in range(IDLE))
        self._slow = deque(self._slow_one() for _ in range(SLOW))

    def change(self) -> None:
        """One in fifty of each goes, and another comes."""
        for crowd, another in ((self._idle, self._connect), (self._slow, self._slow_one)):
            for _ in range(len(crowd) // 50):
                crowd.popleft().close()
                crowd.append(another())

    def close(self) -> None:
        """All go."""
        for gone in (*self._idle, *self._slow):
            gone.close()

    def _connect(self, **asked: Any) -> Any:
        from websockets.sync.client import connect

        headers = {"Authorization": f"Bearer {self._running.token}"}
        opened = connect(self._running.url, additional_headers=headers, close_timeout=0.1, ping_interval=None, **asked)
        return opened.__enter__()  # close() ends it, in no order that a with block could have

    def _slow_one(self) -> Any:
        slow = self._connect(max_queue=1)
        slow.send(json.dumps({"type": "start", "call": f"slow-{uuid4().hex[:12]}"}))
        slow.send(self._second)
        return slow


def soak(running: Server, folder: Path, gold: Sequence[Row], minutes: float, alone: bool) -> str:
    """Eight lines for so long, beside the guests or alone; resident memory in each two minutes."""
    began, before = time.monotonic(), running.cpu()
    guests = None if alone else Guests(running, folder, gold)
    heard: list[Heard] = []

    def line(calls: Iterator[Row]) -> None:
        while time.monotonic() < began + 60 * minutes:
            heard.append(played(running, folder, next(calls)))

    threads = [Thread(target=line, args=(cycle([*gold[n % len(gold) :], *gold[: n % len(gold)]]),)) for n in range(8)]
    for thread in threads:
        thread.start()
    memory: dict[int, list[list[float]]] = {}  # a hearing takes hundreds of MB and gives them back: one look alone would tell of chance
    while any(thread.is_alive() for thread in threads):
        looks = memory.setdefault(2 * int((time.monotonic() - began) // 120) + 2, [])
        looks.append([running.memory(kind) for kind in ("VmRSS", "RssAnon", "RssFile")])
        if guests:
            guests.change()
        time.sleep(LOOK_S)
    if guests:
        guests.close()
    body = [[to, *(f"{mean:.0f}" for mean in np.mean(looks, axis=0)), f"{max(looks)[0]:.0f}"] for to, looks in memory.items()]
    return (
        table(["to minute", "MB, mean", "its own", "of files", "MB, most"], body)
        + "\n\n"
        + table(HEAD, [measured(8, heard, running.cpu() - before, time.monotonic() - began, running.memory())])
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.live")
    parser.add_argument("eval", type=Path)
    parser.add_argument("--lines", default="1,8", help="so many calls at once, one row each")
    parser.add_argument("--calls", type=int, default=None, help="only the first so many calls; with violations first")
    parser.add_argument("--check", action="store_true", help="also what `check` makes of the same calls")
    parser.add_argument("--soak", type=float, default=0, help="minutes of eight lines, idle connections and slow readers")
    parser.add_argument("--alone", action="store_true", help="the soak without idle connections and slow readers")
    asked = parser.parse_args()
    folder, settings = asked.eval / "audio", load_settings()
    gold = sorted(rows(folder / "gold.jsonl"), key=lambda call: -sum(bool(turn["labels"]) for turn in call["turns"]))[: asked.calls]
    with tempfile.TemporaryDirectory() as place, server(settings, Path(place)) as running:
        if asked.soak:
            print(soak(running, folder, gold, asked.soak, asked.alone))
            return
        body = []
        for lines in map(int, asked.lines.split(",")):
            many = [gold[i % len(gold)] for i in range(max(lines, len(gold)))]
            began, before = time.monotonic(), running.cpu()
            heard = at_once(running, folder, many, lines)
            body.append(measured(lines, heard, running.cpu() - before, time.monotonic() - began, running.memory()))
            print(table(HEAD, body[-1:]) if len(body) == 1 else table(HEAD, body[-1:]).splitlines()[-1], flush=True)
    if asked.check:
        print(
            "\n"
            + table(
                ["", "caught", "", "false alarms", "an hour"],
                [as_checked("check", check_all(folder, gold, load_engines(settings), settings))],
            )
        )


if __name__ == "__main__":
    main()
