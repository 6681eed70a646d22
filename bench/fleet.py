"""python -m bench.fleet [CALLS]: what one worker, two workers and Ray make of the same calls, and where a core's time goes (12 calls unless told).

Three tables. The shipped call (two minutes) as many times as told, through a store of its own and real worker processes: the time from the first result to
the last, so that loading the models does not count. Then 200 recordings with a check that does nothing: what an executor itself costs a call. Then one call
in this process with one thread: seconds of processor by stage, which stay true on a machine that is busy with other things. Without Ray its rows are left out.
"""

import importlib.util
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any
from unittest.mock import patch

from bench.data import table
from phrasecheck.cluster import make_executor
from phrasecheck.pipeline import Allowed, Progress, Request
from phrasecheck.report.json import from_json, to_json
from phrasecheck.settings import Settings, StoreSettings, load_settings
from phrasecheck.store.calls import NewCall
from phrasecheck.store.states import CallState
from phrasecheck.store.store import Store, open_store
from phrasecheck.types import CallResult, Role
from phrasecheck.worker import Check, Load, load_check, run

DEMO = Path(__file__).parents[1] / "examples" / "demo-call.flac"
NOTHING = 200  # recordings for the executors' own cost
KINDS = ("local", "ray") if importlib.util.find_spec("ray") else ("local",)
STAGES = (  # what is timed -> the name of the stage; the rest is the rest
    ("phrasecheck.audio.decode", "decoding"),
    ("phrasecheck.engines.vad.SileroVad.probabilities", "finding speech"),
    ("phrasecheck.engines.whisper.Whisper.recognise", "speech to text"),
    ("phrasecheck.diarise.listen", "telling voices apart"),
    ("phrasecheck.speakers.assign", "who is the agent"),
    ("phrasecheck.matching.matcher.Matcher.verdicts", "matching text"),
    ("phrasecheck.matching.acoustic.Acoustic.ask", "asking the sound"),
    ("phrasecheck.store.results.Results.finish", "storing the result"),
)


def load_nothing(settings: Settings, store: Store | None = None) -> Check:
    """A check that takes no time, with the result of a call of two minutes."""
    result: list[CallResult] = []

    def check(request: Request, allowed: Allowed, progress: Progress) -> CallResult:
        if not result:
            result.append(from_json(to_json(_empty(request))))
        return result[0]

    return check


def _empty(request: Request) -> CallResult:
    from phrasecheck.types import Call, Provenance, SpeakerDecision, Transcript

    call = Call(id="x", source="x", sha256="0" * 64, seconds=120.0, role=request.scored_as, channels=("mono",))
    spoken = Transcript(utterances=(), speakers=SpeakerDecision(agent_channel=None, reason="", confidence=0.0))
    made = Provenance(software="bench", lexicon="x", lexicon_sha256="0" * 64, models={}, settings={})
    return CallResult(call=call, transcript=spoken, hits=(), scorecards=(), provenance=made)


@contextmanager
def filled(executor: str, workers: int, calls: int, sound: bytes) -> Iterator[tuple[Settings, Store]]:
    """A store in a temporary folder with so many calls in its queue."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings()
        settings = settings.model_copy(
            update={
                "store": StoreSettings(database=f"sqlite:///{folder}/calls.db", recordings=f"{folder}/recordings"),
                "cluster": settings.cluster.model_copy(update={"executor": executor, "workers": workers, "poll_s": 0.1}),
            }
        )
        store = open_store(settings.store)
        for _ in range(calls):
            store.calls.accept(BytesIO(sound), NewCall(source="demo.flac", role=Role.CLAIMS_REPORT, agent_channel="left"))
        yield settings, store
        store.close()


def paced(executor: str, workers: int, calls: int, sound: bytes, load: Load) -> float:
    """Seconds a call, from the first result to the last."""
    with filled(executor, workers, calls, sound) as (settings, store):
        made = make_executor(settings, load)
        made.start()
        began, first = 0.0, 0
        while (done := store.calls.counts()[CallState.DONE]) < calls:
            if done and not first:
                began, first = time.perf_counter(), done
            time.sleep(0.01)
        seconds = (time.perf_counter() - began) / (calls - first)
        made.stop()
        return seconds


def throughput(calls: int) -> None:
    """One worker, two workers, Ray with two."""
    hours, body = _seconds() / 3600, []
    for executor, workers in (("local", 1), *((kind, 2) for kind in KINDS)):
        seconds = paced(executor, workers, calls, DEMO.read_bytes(), load_check)
        body.append([executor, workers, f"{seconds:.1f}", f"{3600 / seconds:.0f}", f"{24 * 3600 / seconds * hours:.0f}"])
    print(table(["executor", "workers", "seconds a call", "calls an hour", "audio hours a day"], body))


def overhead() -> None:
    """The executors with nothing to do."""
    body = [[kind, f"{1000 * paced(kind, 2, NOTHING, b'nothing', load_nothing):.1f}"] for kind in KINDS]
    print(table(["executor (2 workers)", "ms a call"], body))


def shares() -> None:
    """Where the processor's time goes, by stage."""
    spent: dict[str, float] = defaultdict(float)
    with filled("local", 1, 1, DEMO.read_bytes()) as (settings, store):
        one = settings.model_copy(update={"asr": settings.asr.model_copy(update={"threads": 1})})
        check = load_check(one, store)
        with ExitStack() as stack:
            for target, name in STAGES:
                stack.enter_context(_timed(target, name, spent))
            began = time.process_time()
            run(store, check, Event(), poll_s=0.01, idle_s=0.0)
        whole = time.process_time() - began
    spent["the rest"] = whole - sum(spent.values())
    per_hour = 3600 / _seconds()
    body = [[name, f"{seconds:.2f}", f"{seconds / whole:.1%}", f"{seconds * per_hour:.0f}"] for name, seconds in spent.items()]
    body.append(["all", f"{whole:.2f}", "100.0%", f"{whole * per_hour:.0f}"])
    print(table(["stage", "processor seconds a call", "share", "processor seconds an hour of audio"], body))


@contextmanager
def _timed(target: str, name: str, spent: dict[str, float]) -> Iterator[None]:
    owner, _, attribute = target.rpartition(".")
    import pkgutil

    inner = getattr(pkgutil.resolve_name(owner), attribute)

    def timed(*args: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return inner(*args, **named)
        finally:
            spent[name] += time.process_time() - began

    with patch(target, timed):
        yield


def _seconds() -> float:
    import av

    with av.open(str(DEMO)) as container:
        return float(container.duration or 0) / 1e6


def main() -> None:
    """Print the tables."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    shares()
    print(flush=True)
    overhead()
    print(flush=True)
    throughput(calls)


if __name__ == "__main__":
    main()
