"""What worker processes of tests do instead of hearing: the recording's bytes are the words, and a few words of command make trouble.

In: settings. Out: a Check. The one decision: importable by name, so that real processes on real executors run it; what it comes to is a pure function of
the recording.
"""

import os
import signal
import time
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from phrasecheck.errors import AudioError
from phrasecheck.pipeline import Allowed, Progress, Request
from phrasecheck.settings import Settings, StoreSettings
from phrasecheck.store.calls import NewCall
from phrasecheck.store.states import CallState
from phrasecheck.store.store import Store
from phrasecheck.store.tables import ResultRow
from phrasecheck.types import CallResult, Role
from phrasecheck.worker import Check
from tests.report.samples import checked, hit, said, transcript

SAID = "你问我我问谁"


def result_of(words: str) -> CallResult:
    """What the fake comes to for these words."""
    utterance = said(0, words)
    hits = (hit(utterance, "9.1.14", SAID),) if SAID in words else ()
    return checked("fake", "fake.wav", 80.0, transcript(utterance), hits)


def load_fake(settings: Settings, store: Store | None = None) -> Check:
    """At once."""
    return _check


def load_pausing(seconds: float, settings: Settings, store: Store | None = None) -> Check:
    """A check that takes its time; to be used as partial(load_pausing, 0.05)."""

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        time.sleep(seconds)
        return _check(request, allowed, progress)

    return check


def load_nothing(settings: Settings, store: Store | None = None) -> Check:
    """Weights that are not there."""
    raise RuntimeError("no weights")


def _check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
    words = request.path.read_text(encoding="utf-8")
    if words.startswith("broken"):
        raise AudioError("不是录音")
    if words.startswith("poison"):
        os.kill(os.getpid(), signal.SIGKILL)
    if words.startswith("slow"):
        for done in range(600):
            progress(done, 600)
            time.sleep(0.05)
    return result_of(words)


def upload(store: Store, words: str, **known: Any) -> str:
    """A call with this recording."""
    return store.calls.accept(BytesIO(words.encode()), NewCall(**{"source": "录音.wav", "role": Role.SURVEY, **known})).id


def settings_at(url: str, recordings: Path | str, *, workers: int = 2, lease_s: float = 2.0, max_tries: int = 3) -> Settings:
    """For executors: quick to look, short leases."""
    store = StoreSettings(database=url, recordings=str(recordings), lease_s=lease_s, max_tries=max_tries)
    settings = Settings(store=store)
    return settings.model_copy(update={"cluster": settings.cluster.model_copy(update={"workers": workers, "poll_s": 0.1, "idle_s": 1.0})})


def settle(store: Store, seconds: float) -> dict[CallState, int]:
    """Wait until nothing is left to do. Returns how many calls ended how."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        counts = store.calls.counts()
        if not counts[CallState.QUEUED] + counts[CallState.CHECKING]:
            return counts
        time.sleep(0.1)
    raise AssertionError(f"not done after {seconds} s: {store.calls.counts()}")


def results(store: Store, calls: Iterable[str]) -> dict[str, int]:
    """How many results each call has."""
    with store.database.read() as session:
        found = dict(session.execute(select(ResultRow.call_id, func.count()).group_by(ResultRow.call_id)).all())
    return {call: found.get(call, 0) for call in calls}
