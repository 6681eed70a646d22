"""python -m bench.list [CALLS] [URL]: how long the list of calls and the search in what was said take (100,000 calls unless told), on
SQLite, and on PostgreSQL where its wheel is.

Ten utterances a call, lines of the shipped exemplars; up to three hits a call, one call in a thousand with the rare phrase. Every query
is asked seven times in a row with other questions between; the median is told. `page` is what /calls asks of the store for 51 lines,
`count` its number above them, `said` the page «查找原话».
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from bench.data import table
from bench.rows import databases
from phrasecheck.lexicon import load_exemplars
from phrasecheck.settings import Settings, StoreSettings
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.listing import Filter, Listing, Order
from phrasecheck.store.search import sounds
from phrasecheck.store.states import CallState, Permission, ReviewState
from phrasecheck.store.store import Store, open_store
from phrasecheck.store.tables import CallRow, HitRow, ResultRow, TokenKind, UtteranceRow
from phrasecheck.types import Role

CALLS, SPOKEN, AT_ONCE, TIMES = 100_000, 10, 2000, 7
START = datetime(2026, 1, 1, tzinfo=UTC)
RARE = "这个暗号谁也没有说过"
ROLES = list(Role)
STATES = (ReviewState.NEW, ReviewState.NEW, ReviewState.CONFIRMED, ReviewState.REJECTED)


def fill(store: Store, calls: int, spoken: int = SPOKEN) -> None:
    """The rows, as the worker leaves them; `spoken` utterances a call."""
    choice = random.Random(1)
    lines = [line.text for line in load_exemplars()][:6000] if spoken else []
    known = [(line, sounds(line)) for line in lines]
    for first in range(0, calls, AT_ONCE):
        some = range(first, min(first + AT_ONCE, calls))
        with store.database.write() as session:
            session.execute(insert(CallRow), [_call(n) for n in some])
            session.execute(insert(ResultRow), [_result(n) for n in some])
            session.execute(insert(HitRow), [_hit(n, k) for n in some for k in range(n % 4)])
            if spoken:
                session.execute(insert(UtteranceRow), [_said(n, k, *choice.choice(known)) for n in some for k in range(spoken)])
    if not store.database.is_sqlite:
        with store.database.write() as session:
            session.execute(text("ANALYZE"))


def _call(n: int) -> dict[str, Any]:
    at = START + timedelta(minutes=5 * n)
    known = {"id": f"{n:06}", "source": f"{n}.wav", "sha256": f"{n:064}", "recording": f"00/{n:064}", "role": ROLES[n % 9]}
    return known | {"team": f"{n % 20}组", "agent": f"{n % 400}", "said_at": at, "uploaded_at": at, "state": CallState.DONE}


def _result(n: int) -> dict[str, Any]:
    made = {
        "id": n + 1,
        "call_id": f"{n:06}",
        "version": "v",
        "current": True,
        "lexicon": "x",
        "body": {"x": f"{n:04000}"},
        "made_at": START,
    }
    return made | {"points": 100.0 - n % 40, "judged_points": 100.0 - n % 40, "seconds": 60.0, "unsure": n % 7 == 0}


def _hit(n: int, k: int) -> dict[str, Any]:
    phrase = "9.9.99" if n % 1000 == 1 else f"9.{1 + k % 9}.{n % 20:02}"
    claim = {"call_id": f"{n:06}", "result_id": n + 1, "utterance_id": f"u{k}", "phrase_id": phrase, "section": phrase[:3], "quote": "x"}
    return claim | {"score": 0.9, "doubtful": k == 2, "at_s": 1.0, "state": STATES[n % 4], "role": ROLES[n % 9]}


def _said(n: int, k: int, line: str, pinyin: str) -> dict[str, Any]:
    return {"call_id": f"{n:06}", "utterance_id": f"u{k}", "speaker": "agent", "start_s": float(k), "text": line, "pinyin": pinyin}


def questions(listing: Listing) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is asked."""
    filters = {
        "everything": Filter(),
        "team": Filter(team="3组"),
        "agent": Filter(agent="77"),
        "role and a month": Filter(role=Role.SALES, since=START + timedelta(days=100), until=START + timedelta(days=130)),
        "phrase": Filter(phrase="9.1.05"),
        "rare phrase": Filter(phrase="9.9.99"),
        "section, confirmed": Filter(section="9.2", review=ReviewState.CONFIRMED),
        "points at most 61": Filter(points_at_most=61),
        "speaker unsure, one team": Filter(unsure=True, team="3组"),
        "said: 有意见": Filter(text="有意见"),
        "said: a homophone": Filter(text="有一件搞去"),
        "said: 您好": Filter(text="您好"),
        "said: 的 (one syllable)": Filter(text="的"),
        "said: never": Filter(text=RARE),
    }
    middle = listing.page(Filter(), limit=1, order=Order.OLDEST)[0].call
    for name, wanted in filters.items():
        yield f"page: {name}", lambda wanted=wanted: listing.page(wanted, limit=51)  # type: ignore[misc]
        yield f"count: {name}", lambda wanted=wanted: listing.count(wanted)  # type: ignore[misc]
    yield "page: the lowest points", lambda: listing.page(Filter(), limit=51, order=Order.WORST)
    yield "page: the last one", lambda: listing.page(Filter(), middle, limit=51)
    for words in ("有意见", "有一件搞去", "您好", RARE):
        yield f"said: {words}", lambda words=words: listing.said(words, limit=101)  # type: ignore[misc]


def pages(store: Store, folder: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """The same as a browser asks it of the service: rights, query, count, names of teams and agents, HTML."""
    from starlette.testclient import TestClient

    from phrasecheck.service.app import create_app
    from phrasecheck.service.security import SESSION

    settings = Settings(store=StoreSettings(database=str(store.database.url), recordings=folder))
    user = store.accounts.invite(NewUser(name=f"bench {time.time()}", permission=Permission.LEAD), "bench")[0]
    client = TestClient(create_app(settings, store), follow_redirects=False)
    client.cookies.set(SESSION, store.accounts.issue(TokenKind.SESSION, user.id, timedelta(hours=1)))
    for place in ("/calls", "/calls?team=3组&points=90", "/calls?order=worst", "/calls?text=有一件搞去", "/found?text=有一件搞去"):
        yield f"GET {place}", lambda place=place: client.get(place).raise_for_status()  # type: ignore[misc]


def measured(asked: Sequence[tuple[str, Callable[[], object]]]) -> dict[str, float]:
    """Question -> median milliseconds."""
    taken: dict[str, list[float]] = {name: [] for name, _ in asked}
    for _ in range(TIMES):
        for name, ask in asked:
            began = time.perf_counter()
            ask()
            taken[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(times) for name, times in taken.items()}


def run(url: str, calls: int) -> dict[str, float]:
    """Fills the database unless it is full already."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(StoreSettings(database=url, recordings=folder))
        began = time.perf_counter()
        if store.listing.count(Filter()) < calls:
            fill(store, calls)
            print(f"{url.partition(':')[0]}: {calls:,} calls filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        found = measured([*pages(store, folder), *questions(store.listing)])
        store.close()
    return found


def main(arguments: Sequence[str]) -> None:
    """Prints one table."""
    calls = int(arguments[0]) if arguments else CALLS
    if len(arguments) > 1:
        found = {arguments[1].partition(":")[0]: run(arguments[1], calls)}
    else:
        with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as urls:
            found = {name: run(url, calls) for name, url in urls.items()}
    kinds = list(found)
    print(f"{calls:,} calls, {calls * SPOKEN:,} utterances; median of {TIMES}, milliseconds\n")
    print(table(["question", *kinds], [[name, *(f"{found[kind][name]:.0f}" for kind in kinds)] for name in found[kinds[0]]]))


if __name__ == "__main__":
    main(sys.argv[1:])
