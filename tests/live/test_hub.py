"""One recogniser for all lines: what goes first, what goes together, what is given up."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag
from typing import Any

import numpy as np

from phrasecheck.events import Alert, Cause, Event
from phrasecheck.live.hub import Answer, Hub
from phrasecheck.live.line import Line
from phrasecheck.live.segmenter import Kind, Mark
from phrasecheck.live.session import Ask, Caller, Minds
from phrasecheck.live.sound import Format
from phrasecheck.settings import LiveSettings, Settings
from phrasecheck.transcribe import Heard
from phrasecheck.types import Samples
from tests.live.fakes import BAD, Sayer, hearing, matcher, pcm, silence, speech, stereo


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A hub that is stepped by hand, and what it told. It may hear several clips together, as one with a GPU would."""

    def __init__(self, recogniser: Any = None, **settings: float) -> None:
        self.clock = Clock()
        self.told: list[tuple[str, Answer]] = []
        self.changes: list[tuple[bool, float]] = []
        self.recogniser = recogniser or Sayer()
        self.hub = Hub(
            self.recogniser, LiveSettings(**{"batch_s": 36.0, **settings}), lambda *change: self.changes.append(change), self.clock
        )

    def ask(
        self, name: str, kind: Kind = Kind.SETTLED, *, agent: bool = True, line: str = "a", seconds: float = 2.0, channel: int = 0
    ) -> Ask:
        mark = Mark(kind=kind, turn=0, start=0, end=seconds, begin=0, clip=np.zeros(round(seconds * 16_000), np.float32))
        ask = Ask(mark=mark, channel=channel, agent=agent, kind=kind)
        self.hub.submit(ask, line, lambda answer: self.told.append((name, answer)))
        return ask

    def names(self) -> list[str]:
        return [name for name, _ in self.told]


def test_settled_turns_of_agents_go_first_and_guesses_last() -> None:
    bench = Bench(batch_s=5.1)  # one at a time
    bench.ask("grown", Kind.GROWN, line="a")
    bench.ask("paused", Kind.PAUSED, line="b")
    bench.ask("customer", agent=False, line="c")
    bench.ask("perhaps over", Kind.WHOLE, line="d")
    bench.ask("agent", line="e")
    while bench.hub.step():
        pass
    assert bench.names() == ["agent", "perhaps over", "customer", "paused", "grown"]
    assert bench.recogniser.batches == [1] * 5


def test_lines_take_turns() -> None:
    bench = Bench(batch_s=5.1)
    for number in range(3):
        bench.ask(f"a{number}", line="a")
    bench.ask("b0", line="b")
    while bench.hub.step():
        bench.clock.now += 0.1
    assert bench.names() == ["a0", "b0", "a1", "a2"]


def test_short_turns_are_heard_together_and_a_long_one_does_not_hold_them_up() -> None:
    bench = Bench(batch_s=20.0, window_pad_s=3.0)
    for name in "xyz":
        bench.ask(name, line=name)
    bench.ask("long", line="w", seconds=15.0)
    assert bench.hub.step()
    assert bench.recogniser.batches == [3]
    assert "long" not in bench.names()


def test_the_last_thread_is_kept_for_agents() -> None:
    bench = Bench(overload_s=1.5, batch_s=5.1)
    bench.hub.at_once = 2
    bench.hub._busy = 1
    bench.ask("guess", Kind.PAUSED)
    bench.ask("customer", agent=False, line="c")
    assert not bench.hub.step()
    bench.ask("turn", Kind.WHOLE, line="b")
    assert bench.hub.step()
    assert bench.names() == ["turn"]
    bench.clock.now += 2.0
    assert bench.hub.step()
    assert bench.names() == ["turn", "customer"]
    assert not bench.hub.step()
    bench.hub._busy = 0
    assert bench.hub.step()
    assert bench.names() == ["turn", "customer", "guess"]


def test_a_newer_guess_takes_the_place_of_the_one_that_waits() -> None:
    bench = Bench()
    bench.ask("old", Kind.GROWN)
    bench.ask("other channel", Kind.GROWN, channel=1)
    bench.ask("new", Kind.GROWN)
    assert bench.told == [("old", None)]
    bench.hub.step()
    assert set(bench.names()[1:]) == {"other channel", "new"}


def test_as_shipped_each_turn_is_told_as_soon_as_it_is_heard() -> None:
    """On a CPU a batch costs what its clips cost one by one."""
    bench = Bench(batch_s=LiveSettings().batch_s)
    bench.ask("first", line="a")
    bench.ask("second", line="b")
    bench.hub.step()
    assert bench.names() == ["first"]
    bench.hub.step()
    assert bench.names() == ["first", "second"]


def test_a_guess_that_became_the_turn_keeps_its_place() -> None:
    bench = Bench()
    ask = bench.ask("was a guess", Kind.PAUSED)
    ask.kind = Kind.SETTLED
    bench.ask("next guess", Kind.GROWN)
    bench.hub.step()
    assert bench.names() == ["was a guess"]  # a guess in mid-turn holds nothing up
    bench.hub.step()
    assert [name for name, heard in bench.told if heard is not None] == ["was a guess", "next guess"]


def test_a_machine_that_is_behind_says_so_once_gives_up_guesses_and_says_when_it_has_caught_up() -> None:
    bench = Bench(batch_s=5.1, overload_s=1.0)
    for number in range(4):
        bench.ask(f"turn {number}", line=f"{number}")
    bench.ask("guess", Kind.PAUSED, line="g")
    bench.clock.now += 2.0
    bench.hub.step()
    assert bench.changes == [(True, 2.0)]
    assert ("guess", None) in bench.told
    while bench.hub.step():
        pass
    assert [change[0] for change in bench.changes] == [True, False]
    assert {f"turn {number}" for number in range(4)} <= set(bench.names())
    assert bench.hub.load.given_up == 1
    assert bench.hub.load.delay == 2.0


def test_a_bad_clip_costs_the_others_nothing() -> None:
    def fail(clips: Sequence[Samples]) -> bool:
        return any(len(clip) == 16_000 for clip in clips)

    bench = Bench(Sayer(fail=fail))
    bench.ask("good", line="a")
    bench.ask("bad", line="b", seconds=1.0)
    bench.ask("fine", line="c")
    bench.hub.step()
    told = dict(bench.told)
    assert isinstance(told["good"], Heard)
    assert isinstance(told["fine"], Heard)
    assert isinstance(told["bad"], RuntimeError)


def test_a_line_that_fails_leaves_the_others_theirs() -> None:
    bench = Bench()

    def broken(_: Answer) -> None:
        raise ValueError

    ask = bench.ask("first")
    bench.hub.submit(ask, "b", broken)
    bench.ask("last", line="c")
    bench.hub.step()
    assert bench.names() == ["first", "last"]


def test_a_line_from_sound_to_its_last_event() -> None:
    settings = Settings(live=LiveSettings(early_threshold=0.5, gather_s=0))
    hub = Hub(Sayer(), settings.live)
    hub.start()
    events: list[Event] = []
    over = Flag()
    with ThreadPoolExecutor(2) as pool:
        minds = Minds(hearing=hearing, matcher=matcher())
        line = Line(Caller(call="c1"), Format(rate=16_000, channels=2), minds, settings, hub, pool, events.extend)
        line.start()
        line.feed(stereo(pcm(speech(1.5), silence(1.2), speech(1.0))))
        line.finish(over.set)
        assert over.wait(10)
        line.end(Cause.HUNG_UP, None)
    hub.stop()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    told = [event.type for event in events]
    assert told[0] == "started"
    assert told[-1] == "ended"
    assert told.count("utterance") == 2
    assert [event.quote for event in events if isinstance(event, Alert)][:1] == [BAD]


def test_a_turn_that_cannot_be_judged_does_not_end_the_call() -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    settings = Settings(live=LiveSettings(gather_s=0))
    hub = Hub(Sayer(), settings.live)
    hub.start()
    events: list[Event] = []
    over = Flag()
    with ThreadPoolExecutor(1) as pool:
        minds = Minds(hearing=hearing, matcher=Broken())  # type: ignore[arg-type]
        line = Line(Caller(call="c1"), Format(rate=16_000, channels=2), minds, settings, hub, pool, events.extend)
        line.feed(stereo(pcm(speech(1.0))))
        line.finish(over.set)
        assert over.wait(10)
    hub.stop()
    assert [event.type for event in events] == ["problem"]


class Slow(Sayer):
    """Hears nothing before it is let."""

    def __init__(self) -> None:
        self.go = Flag()
        super().__init__(fail=lambda clips: not self.go.wait(10))


def _settled() -> Ask:
    mark = Mark(kind=Kind.SETTLED, turn=0, start=0, end=1, begin=0, clip=np.zeros(16_000, np.float32))
    return Ask(mark=mark, channel=0, agent=True, kind=Kind.SETTLED)


def test_two_threads_share_what_waits_but_not_one_voice() -> None:
    slow, told, over = Slow(), list[str](), Flag()
    hub = Hub(slow, LiveSettings(gather_s=0.05, batch_s=36.0), at_once=2)

    def done(name: str) -> Callable[[Answer], None]:
        def tell(_: Answer) -> None:
            told.append(name)
            if len(told) == 5:
                over.set()

        return tell

    for name, line in (("a1", "a"), ("b", "b"), ("c", "c"), ("d", "d")):
        hub.submit(_settled(), line, done(name))
    hub.start()
    while len(slow.batches) < 2:
        time.sleep(0.01)
    hub.submit(_settled(), "a", done("a2"))  # its voice is being heard: it waits, although the hub could take a batch more
    time.sleep(0.2)
    assert slow.batches == [2, 2]
    slow.go.set()
    assert over.wait(10)
    hub.stop()
    assert sorted(told) == ["a1", "a2", "b", "c", "d"]
    assert told.index("a1") < told.index("a2")
