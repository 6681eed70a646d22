"""python -m bench.dashboard [CALLS]: how long the dashboard's counting takes (100,000 calls unless told), on SQLite.

Calls and hits are those of bench.list, a year of them, without their words. Each question is asked five times; the median is told, and the seconds
of processor, which are what an idle machine needs.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter, process_time

from sqlalchemy import select

from bench.data import table
from bench.list import CALLS, START, fill
from phrasecheck.settings import StoreSettings
from phrasecheck.store.figures import Stretch
from phrasecheck.store.store import open_store
from phrasecheck.store.tables import CallRow

TIMES = 5


def main() -> None:
    """Prints one table."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(StoreSettings(database=f"sqlite:///{folder}/desk.db", recordings=f"{folder}/recordings"))
        fill(store, calls, spoken=0)
        with store.database.read() as session:
            last = session.scalar(select(CallRow.said_at).order_by(CallRow.said_at.desc()).limit(1))
        assert last is not None
        until = last + timedelta(days=1)
        asked: dict[str, Callable[[], object]] = {
            "28 days": lambda: store.figures.overview(Stretch(since=until - timedelta(days=28), until=until)),
            "all": lambda: store.figures.overview(Stretch(since=START, until=until)),
            "all, one team": lambda: store.figures.overview(Stretch(since=START, until=until, team=store.figures.teams()[0])),
            "what waits": store.figures.waiting,
            "how often each phrase, 90 days": lambda: store.figures.caught(until - timedelta(days=90)),
        }
        rows = [[name, *_measured(ask)] for name, ask in asked.items()]
        store.close()
    print(f"{calls} calls\n")
    print(table(["question", "ms", "processor ms"], rows))


def _measured(ask: Callable[[], object]) -> list[str]:
    walls, cpus = [], []
    for _ in range(TIMES):
        wall, cpu = perf_counter(), process_time()
        ask()
        walls.append(perf_counter() - wall)
        cpus.append(process_time() - cpu)
    return [f"{statistics.median(seconds) * 1000:.0f}" for seconds in (walls, cpus)]


if __name__ == "__main__":
    main()
