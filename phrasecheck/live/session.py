"""One call: sound in, events out. No sockets, no clock: its time is the sound's.

In: bytes as the line sends them, and what a recogniser heard of the clips that the session asks for. Out: Asks and events. The one decision:
words are matched for good only when their turn is settled; an early alert needs a higher score, and when the settled turn does not bear it out
it is retracted by name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from phrasecheck.events import Alert, Cause, Ended, Event, Overloaded, Partial, Problem, Resumed, Retracted, Started, Uttered
from phrasecheck.live.judge import Judge
from phrasecheck.live.segmenter import Hearing, Kind, Mark, Segmenter
from phrasecheck.live.sound import Cutter, Format, Upsampler
from phrasecheck.matching.acoustic import Listener
from phrasecheck.matching.matcher import Matcher
from phrasecheck.pipeline import Allowed
from phrasecheck.settings import Settings
from phrasecheck.speakers import Roles, alone
from phrasecheck.transcribe import Heard
from phrasecheck.types import Hit, Role, Samples, Speaker, Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What is known of a call before it begins. `channels`: whose voice each carries."""

    call: str
    role: Role | None = None  # None: nobody said; told of as reception, judged as anybody's words
    channels: tuple[Speaker, ...] = (Speaker.AGENT, Speaker.CUSTOMER)
    agent: str | None = None
    team: str | None = None
    door: str = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Minds:
    """What a session thinks with; all of it may be shared by many."""

    hearing: Callable[[], Hearing]  # a fresh ear for speech, one a channel
    matcher: Matcher
    listener: Listener | None = None  # asked about doubtful hits; None: nobody is
    allowed: Allowed = frozenset()  # wordings that somebody said never to flag


@dataclass(slots=True, kw_only=True, eq=False)
class Ask:
    """A clip to be heard. `kind` rises when a pause turns out to be the end of the turn."""

    mark: Mark
    channel: int
    agent: bool  # may raise alerts: the agent's voice, or one that is not known
    kind: Kind

    @property
    def clip(self) -> Samples:
        """The sound."""
        return self.mark.clip

    @property
    def settled(self) -> bool:
        """Whether it has to be heard whatever happens."""
        return self.kind is Kind.SETTLED


@dataclass(slots=True, kw_only=True)
class _Side:
    """One channel of the call."""

    speaker: Speaker
    upsample: Upsampler
    cut: Cutter
    segmenter: Segmenter
    judge: Judge
    whole: Ask | None = None  # the turn as it will be if it is over ...
    guess: Heard | None = None  # ... and what was heard of it
    settled_to: float = 0.0


class Session:
    """One call. Not thread-safe: whoever holds it lets one thread in at a time."""

    def __init__(self, caller: Caller, form: Format, minds: Minds, settings: Settings) -> None:
        self.caller = caller
        self.form = form
        self.hurried = False  # while the machine is behind nothing optional is done
        self.seq = 0
        self._settings = settings
        self._minds = minds
        self._one = replace(form, channels=1)
        self._roles = Roles(caller.role)
        self._cut = Cutter(form.width * form.channels)
        self._sides = [self._side(speaker) for speaker in caller.channels]
        self._asks: list[Ask] = []
        self._open: set[Ask] = set()
        self._received = [0] * len(self._sides)
        self._raised = 0
        self._quiet = False  # the silence that lasts was told

    def _side(self, speaker: Speaker) -> _Side:
        return _Side(
            speaker=speaker,
            upsample=Upsampler(self.form.rate),
            cut=Cutter(self.form.width),
            segmenter=Segmenter(self._minds.hearing(), self._settings.speech, self._settings.live),
            judge=Judge(self._minds.matcher, self._minds.listener, self._settings, self._minds.allowed),
        )

    @property
    def open(self) -> int:
        """Settled turns that are still to be heard."""
        return len(self._open)

    @property
    def seconds(self) -> float:
        """Sound that has arrived, whole samples only."""
        return max(self._received) / self.form.rate

    # --- what comes in -----------------------------------------------------------------------------------------------------------

    def start(self) -> list[Event]:
        """The first event."""
        known = self.caller
        about = {
            "role": known.role or Role.RECEPTION,
            "channels": known.channels,
            "agent": known.agent,
            "team": known.team,
            "door": known.door,
        }
        return [self._event(Started, encoding=self.form.encoding, rate=self.form.rate, **about)]

    def feed(self, chunk: bytes, channel: int | None = None) -> list[Event]:
        """The next sound: of all channels interleaved, or of one. What is to be heard of it is in `asks` afterwards."""
        if channel is None:
            pcm = self.form.pcm(self._cut(chunk))
            sounds = list(enumerate(pcm.T))
        else:
            sounds = [(channel, self._one.pcm(self._sides[channel].cut(chunk))[:, 0])]
        for index, sound in sounds:
            self._received[index] += len(sound)
        marks = [(i, mark) for i, sound in sounds for mark in self._sides[i].segmenter.feed(self._sides[i].upsample(sound))]
        return [*(event for index, mark in marks for event in self._marked(index, mark)), *self._silence()]

    def finish(self) -> list[Event]:
        """No more sound. The call is over when `open` is 0."""
        return [event for index, side in enumerate(self._sides) for mark in side.segmenter.end() for event in self._marked(index, mark)]

    def asks(self) -> list[Ask]:
        """What is to be heard now; each is given out once."""
        asked, self._asks = self._asks, []
        return asked

    def answer(self, ask: Ask, heard: Heard | None) -> list[Event]:
        """What the recogniser made of a clip; None: it had no time for it."""
        side = self._sides[ask.channel]
        if heard is None:
            if ask.settled:  # the pause became the end of the turn just when it was given up
                self._asks.append(ask)
            elif side.whole is ask:
                side.whole = None
            return []
        if ask.settled:
            self._open.discard(ask)
            return list(self._settle(ask, heard))
        if side.whole is ask:
            side.guess = heard
        return list(self._glance(ask, heard)) if ask.mark.end > side.settled_to else []

    def _marked(self, index: int, mark: Mark) -> list[Event]:
        side = self._sides[index]
        agent = side.speaker is not Speaker.CUSTOMER
        ask = Ask(mark=mark, channel=index, agent=agent, kind=mark.kind)
        if mark.kind is not Kind.SETTLED:
            if agent and not self.hurried:
                self._asks.append(ask)
                if mark.kind is Kind.WHOLE:
                    side.whole, side.guess = ask, None
            return []
        whole, guess = side.whole, side.guess
        side.whole = side.guess = None
        if whole is None or not whole.mark.same(mark):
            self._asks.append(ask)
            self._open.add(ask)
            return []
        whole.kind = Kind.SETTLED
        if guess is not None:
            return list(self._settle(whole, guess))
        self._open.add(whole)
        return []

    def _silence(self) -> list[Event]:
        """Says once that nobody speaks, again only after somebody has."""
        lasts = self.seconds - max(side.segmenter.spoke_at for side in self._sides)
        told, self._quiet = self._quiet, lasts >= self._settings.live.silence_s
        if told or not self._quiet:
            return []
        return self.problem(Cause.SILENCE, f"已有 {lasts:.0f} 秒没有听到人说话：请检查电话系统送来的是不是这通电话的声音")

    # --- from words to events ----------------------------------------------------------------------------------------------------

    def _glance(self, ask: Ask, heard: Heard) -> Iterator[Event]:
        """A turn that may go on."""
        if not heard.text:
            return
        utterance = self._utterance(ask, heard)
        yield self._event(Partial, text=utterance.text, **_place(ask, utterance))
        if ask.agent:
            for hit in self._sides[ask.channel].judge.early(utterance, growing=ask.kind is Kind.GROWN):
                yield self._alert(ask, utterance, hit, partial=True)

    def _settle(self, ask: Ask, heard: Heard) -> Iterator[Event]:
        """A turn that is over."""
        side = self._sides[ask.channel]
        side.settled_to = max(side.settled_to, ask.mark.end)
        if not heard.text:
            yield from self._retract(side, [], "整句听完，没有听出话来")
            return
        utterance = self._utterance(ask, heard)
        standing: list[int] = []
        if ask.agent:
            found = side.judge.settled(utterance, ask.mark, hurried=self.hurried)
            alerts = [self._alert(ask, utterance, hit, partial=False) for hit in found.fresh]
            yield from alerts
            standing = sorted({*found.standing, *(alert.seq for alert in alerts)})
        yield from self._retract(side, standing, "整句听完后不再成立")
        sure = {"confidence": round(utterance.confidence, 3), "doubt": utterance.doubt}
        yield self._event(Uttered, id=utterance.id, text=utterance.text, alerts=tuple(standing), **_place(ask, utterance), **sure)

    def _utterance(self, ask: Ask, heard: Heard) -> Utterance:
        begin = ask.mark.begin
        made = Utterance(
            id=f"u{ask.channel}-{ask.mark.turn:04d}",  # known before the turn is over, so that early alerts can name it
            start=ask.mark.start,
            end=ask.mark.end,
            channel=str(ask.channel),
            text=heard.text,
            speaker=self._sides[ask.channel].speaker,
            words=tuple(replace(word, start=round(begin + word.start, 3), end=round(begin + word.end, 3)) for word in heard.words),
            confidence=heard.confidence,
            doubt=heard.doubt,
            alternatives=heard.alternatives,
        )
        made = replace(made, speaker=alone(made)) if made.speaker is Speaker.UNSURE else made
        return replace(made, role=self._roles.of(made) if ask.settled else self._roles.now)

    def _alert(self, ask: Ask, utterance: Utterance, hit: Hit, *, partial: bool) -> Alert:
        phrase = self._minds.matcher.parts.lexicon.phrases[hit.phrase_id]
        alert: Alert = self._event(
            Alert,
            utterance=hit.utterance_id,
            channel=ask.channel,
            phrase=phrase.id,
            title=phrase.text,
            severity=phrase.severity,
            score=round(hit.score, 3),
            quote=hit.quote,
            start=hit.start_s if hit.start_s is not None else utterance.start,
            end=hit.end_s if hit.end_s is not None else utterance.end,
            reason=hit.reason,
            instead=phrase.instead,
            partial=partial,
            sure=utterance.speaker is not Speaker.UNSURE,
        )
        self._sides[ask.channel].judge.told(alert)
        self._raised += 1
        return alert

    def _retract(self, side: _Side, standing: list[int], text: str) -> Iterator[Event]:
        for alert in side.judge.fallen(standing, side.settled_to):
            self._raised -= 1
            yield self._event(Retracted, alert=alert.seq, text=f"「{alert.quote}」{text}")

    # --- what is told from outside -----------------------------------------------------------------------------------------------

    def overload(self, delay: float) -> list[Event]:
        """The machine is behind."""
        self.hurried = True
        return [self._event(Overloaded, delay=round(delay, 2))]

    def resume(self, *, line: bool) -> list[Event]:
        """The line is back, or the machine has caught up. Half a sample that came last is forgotten: the next sound begins with a whole one."""
        self.hurried = self.hurried and line
        if line:
            self._cut = Cutter(self.form.width * self.form.channels)
            for side in self._sides:
                side.cut = Cutter(self.form.width)
        return [self._event(Resumed, line=line)]

    def problem(self, cause: Cause, text: str) -> list[Event]:
        """Something went wrong around the call."""
        return [self._event(Problem, cause=cause, text=text)]

    def unheard(self, ask: Ask, why: str) -> list[Event]:
        """The recogniser failed on a clip."""
        self._open.discard(ask)
        if not ask.settled:
            return []
        where = f"{ask.mark.start:.1f} 到 {ask.mark.end:.1f} 秒"
        return self.problem(Cause.UNHEARD, f"{where}没有听写成：{why}。通话结束后的检查会再听一遍")

    def end(self, cause: Cause, check: str | None) -> list[Event]:
        """The last event."""
        return [self._event(Ended, cause=cause, raised=self._raised, check=check)]

    def _event(self, kind: Callable[..., Any], **values: Any) -> Any:
        self.seq += 1
        return kind(call=self.caller.call, seq=self.seq, at=round(self.seconds, 3), **values)


def _place(ask: Ask, utterance: Utterance) -> dict[str, Any]:
    return {"channel": ask.channel, "speaker": utterance.speaker, "start": utterance.start, "end": utterance.end}
