"""Reports over 10,000 calls: how long each takes, from the store to the finished files.

python -m bench.reports [CALLS]: fills a new SQLite store with made-up calls (tests/month.py, over and over), then makes every kind of
report in all three formats.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from phrasecheck import handout
from phrasecheck.feedback.period import Period
from phrasecheck.feedback.reports import Kind
from phrasecheck.settings import Settings, StoreSettings
from phrasecheck.store.store import Store, open_store
from tests import month

OCTOBER = Period(first=date(2026, 10, 1), last=date(2026, 10, 31))
ASKED = (
    handout.Asked(kind=Kind.AGENT, name="A01", period=OCTOBER),
    handout.Asked(kind=Kind.TEAM, name="甲组", period=OCTOBER),
    handout.Asked(kind=Kind.ROLE, name="reception", period=OCTOBER),
    handout.Asked(kind=Kind.DIRECTOR, period=OCTOBER),
    handout.Asked(kind=Kind.COACHING, period=OCTOBER),
)


def many(number: int) -> Iterator[month.Planned]:
    """The month's calls again and again, under new numbers."""
    for turn in count():
        for call in month.plan():
            yield replace(call, number=call.number + turn * len(month.plan()))
        if turn * len(month.plan()) > number:
            return


@contextmanager
def filled(number: int) -> Iterator[Store]:
    """A store with so many calls."""
    with TemporaryDirectory() as folder:
        store = open_store(StoreSettings(database=f"sqlite:///{folder}/bench.db", recordings=f"{folder}/recordings"))
        month.pour(store, list(islice(many(number), number)))
        yield store
        store.close()


def timed(work: Callable[[], object]) -> str:
    """Seconds by the clock, and of the processor: on a machine that does other things at the same time only the second means much."""
    began, busy = time.perf_counter(), time.process_time()
    work()
    return f"{time.perf_counter() - began:.1f} ({time.process_time() - busy:.1f})"


def main(number: int) -> None:
    """Prints a table."""
    with filled(number) as store, TemporaryDirectory() as out:
        with_ = handout.maker(store.moments, month.lexicon(), Settings())
        print(f"| report over {number} calls | figures, s (CPU) | html + pdf + xlsx, s (CPU) |\n| --- | --- | --- |")
        for asked in ASKED:
            figures = timed(lambda asked=asked: handout.make(asked, with_))  # type: ignore[misc]
            made = handout.make(asked, with_)
            files = timed(lambda made=made: [handout.write(f, Path(out)) for f in handout.files(made, handout.FORMATS, with_, OCTOBER)])  # type: ignore[misc]
            print(f"| {asked.kind} {asked.name} | {figures} | {files} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
