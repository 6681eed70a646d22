"""How long it takes to judge stored calls again with a changed lexicon: python -m bench.rescore [--calls 1000].

In: nothing; calls are made up of the shipped exemplars as text, about 20 agent turns each, and judged and stored as a desk would. Out: a table. The
change is what a QA lead does in an afternoon: a phrase of the company's own with examples on both sides, another one switched off, a third one more
severe. Both seconds on the clock and seconds of processor are given: on a machine that does other things too the latter say what an idle one needs.
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from phrasecheck.current import CurrentMatcher
from phrasecheck.lexicon import Exemplar, load_exemplars
from phrasecheck.pipeline import rejudge, result
from phrasecheck.rescoring import Rescoring
from phrasecheck.settings import Settings, StoreSettings
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.calls import NewCall
from phrasecheck.store.lexicons import blank, lexicon_of
from phrasecheck.store.listing import Filter
from phrasecheck.store.states import Permission
from phrasecheck.store.store import Store, open_store
from phrasecheck.store.tables import RescoreState
from phrasecheck.types import Call, CallResult, Role, Speaker, SpeakerDecision, Transcript, Utterance

TURNS = 20  # of the agent, in one call
BAD = 0.3  # violations in one call, on average
WHOLE = 50  # calls judged whole, to compare
CHANGE = """phrases:
  - id: bench-01
    section: "9.5"
    text: 代步车没有,自己打车去。
    severity: 较重
    severity_reason: 一口回绝
    why: 代步车是合同里的服务
    instead: 今天的代步车派完了，我帮您登记明天的
    examples: [要车没有，腿长你身上, 代步车啊，别想了, 哪来的车给你]
    fine: [今天没车了，我给您登记明天的, 您自己打车也行，票留好可以报]
  - {id: "9.5.04", enabled: false}
  - {id: "9.1.04", severity: 较重}
"""
Row = tuple[str, int, float, float]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    number: int = parser.parse_args().calls
    with TemporaryDirectory() as folder:
        settings = Settings(store=StoreSettings(database=f"sqlite:///{folder}/desk.db", recordings=f"{folder}/recordings"))
        store = open_store(settings.store)
        rows = _measured(store, settings, number)
        size = Path(folder, "desk.db").stat().st_size
        store.close()
    print(f"{number} calls of {TURNS} agent turns; database {size / number / 1024:.0f} KiB a call\n")
    print("| step | calls | s | processor s | s for 1,000 calls | processor s for 1,000 |\n| --- | --- | --- | --- | --- | --- |")
    for name, calls, wall, cpu in rows:
        print(f"| {name} | {calls} | {wall:.1f} | {cpu:.1f} | {wall / calls * 1000:.0f} | {cpu / calls * 1000:.0f} |")


def _measured(store: Store, settings: Settings, number: int) -> list[Row]:
    rows: list[Row] = []
    matchers = CurrentMatcher(settings, store)
    with matchers.use():
        pass  # loading is not what is measured
    with _timed(rows, "judge and store, once", number):
        _fill(store, settings, matchers, number)
    lead = store.accounts.invite(NewUser(name="lead", permission=Permission.LEAD), "bench")[0]
    body = blank(()).replace("phrases: []\n", CHANGE)
    version = store.lexicons.add(body, lexicon_of(body, ()).sha256, "", lead, after=0).id
    rescoring = Rescoring(store, settings, matchers)
    with _timed(rows, "prints of calls that have none (a worker does it when idle)", number):
        _turn(rescoring, store, None)
    row = store.rescores.begin(version, Filter(), lead)
    with _timed(rows, "preview", number):
        _turn(rescoring, store, row.id)
    standing = store.rescores.get(row.id)
    store.rescores.apply(row.id, lead)
    with _timed(rows, "apply", number):
        _turn(rescoring, store, row.id)
    some = [line.call.id for line in store.listing.page(Filter(), limit=min(number, WHOLE))]
    with matchers.version(version) as matcher, _timed(rows, "for comparison: everything judged again, in memory", len(some)):
        whole = [rejudge(store.results.get(call_id), matcher, settings) for call_id in some]
    same = sum(_claims(one) == _claims(store.results.get(one.call.id)) for one in whole)
    print(f"{same} of {len(whole)} calls have the hits that judging everything again gives")
    print(f"hits: {standing.appeared} new, {standing.vanished} gone, {standing.altered} changed\n")
    return rows


def _claims(result: CallResult) -> set[tuple[str, str, str]]:
    return {(hit.utterance_id, hit.phrase_id, hit.state) for hit in result.hits}


def _turn(rescoring: Rescoring, store: Store, number: int | None) -> None:
    if number is None:
        while rescoring.turn():
            pass
    else:
        while store.rescores.get(number).rescore.state in (RescoreState.PREVIEWING, RescoreState.APPLYING):
            rescoring.turn()


@contextmanager
def _timed(rows: list[Row], name: str, calls: int) -> Iterator[None]:
    wall, cpu = perf_counter(), process_time()
    yield
    rows.append((name, calls, perf_counter() - wall, process_time() - cpu))


def _fill(store: Store, settings: Settings, matchers: CurrentMatcher, number: int) -> None:
    chance = random.Random(5)
    lines = load_exemplars()
    bad, fine = ([line for line in lines if line.violates is side] for side in (True, False))
    with matchers.use() as matcher:
        for spoken in _calls(chance, bad, fine, number):
            row = store.calls.accept(BytesIO(b"RIFF" + chance.randbytes(8)), NewCall(source="made-up.wav", role=Role.SURVEY))
            claim = store.calls.claim()
            assert claim is not None
            call = Call(id=row.id, source="made-up.wav", sha256=row.sha256, seconds=180.0, role=Role.SURVEY, channels=("left", "right"))
            store.results.finish(claim, result(call, spoken, matcher, settings, {"asr": "none", **matcher.models}))


def _calls(chance: random.Random, bad: Sequence[Exemplar], fine: Sequence[Exemplar], number: int) -> Iterator[Transcript]:
    for _ in range(number):
        said = [line.text for line in chance.sample(fine, TURNS)]
        if chance.random() < BAD:
            said[chance.randrange(TURNS)] = chance.choice(bad).text
        spoken = [
            turn
            for i, text in enumerate(said)
            for turn in (_said(2 * i, text, Speaker.AGENT), _said(2 * i + 1, "嗯，好的", Speaker.CUSTOMER))
        ]
        yield Transcript(utterances=tuple(spoken), speakers=SpeakerDecision(agent_channel="left", reason="左声道先问候", confidence=1.0))


def _said(number: int, text: str, speaker: Speaker) -> Utterance:
    side = "left" if speaker is Speaker.AGENT else "right"
    return Utterance(id=f"u{number}", start=number * 5.0, end=number * 5.0 + 4, channel=side, text=text, speaker=speaker, role=Role.SURVEY)


if __name__ == "__main__":
    main()
