"""One channel's words -> what is to be told of them, and what was told already.

In: utterances, settled or not, and the alerts that came of them. Out: hits that nobody has been told of, and alerts that do not stand any more.
The one decision: «the same words» are known by their time and not by their characters, because two hearings of one sentence are seldom spelt
alike.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from phrasecheck.events import Alert
from phrasecheck.live.segmenter import Mark
from phrasecheck.live.sound import RATE
from phrasecheck.matching.acoustic import Ear, Listener
from phrasecheck.matching.alternatives import reheard
from phrasecheck.matching.fuse import Look
from phrasecheck.matching.matcher import Line, Matcher
from phrasecheck.normalize import normalize, unfinished
from phrasecheck.pipeline import Allowed, line_of, line_of_pair, other_lines_of
from phrasecheck.settings import Settings
from phrasecheck.split import Pair, joined_hits
from phrasecheck.timing import timed
from phrasecheck.types import Hit, HitState, Samples, Speaker, Utterance

SAME = 0.4  # two hits are the same words when they share this much of the shorter one's time ...
NEAR_S = 0.6  # ... or are of one phrase, and an early hearing and a later one of one word are seldom further apart
UNFINISHED = 2  # characters: in a turn that goes on, a hit this close to its end may be half a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Of a settled turn: hits nobody was told of, and the numbers of alerts that it bears out."""

    fresh: list[Hit]
    standing: list[int]


class Judge:
    """What was said in one channel and which alerts came of it."""

    def __init__(self, matcher: Matcher, listener: Listener | None, settings: Settings, allowed: Allowed = ()) -> None:
        self._matcher = matcher
        self._listener = listener
        self._settings = settings
        self._allowed = allowed
        self._before: Utterance | None = None
        self._hits: list[Hit] = []  # of `_before`
        self._sound: list[Mark] = []  # of the last two settled turns
        self._alerts: list[Alert] = []  # those that stand, of late
        self._looks: dict[str, Look] = {}  # of the texts judged last, while their turn runs

    def early(self, utterance: Utterance, *, growing: bool) -> Iterator[Hit]:
        """Fresh hits of a turn that may go on; `growing`: the speaker is in the middle of a word."""
        border = len(unfinished(utterance.text)) - (UNFINISHED if growing else 0)
        for hit in self._verdicts([line_of(utterance)])[0] if not utterance.doubt else ():
            placed = timed(hit, utterance)
            likely = hit.score >= self._settings.live.early_threshold and hit.end <= border
            if likely and self._counts(hit, utterance) and self._same(placed) is None:
                yield placed

    def settled(self, utterance: Utterance, mark: Mark, *, hurried: bool) -> Findings:
        """A turn that is over, also read together with the one before it."""
        self._sound = [*self._sound[-1:], mark]
        pair = self._pair(utterance)
        alone, *together = self._verdicts([line_of(utterance), *([line_of_pair(pair)] if pair else [])])
        self._looks = {}
        hits = [timed(hit, utterance) for hit in alone]
        earlier = self._hits if pair else []
        if pair is not None:
            hits = joined_hits(pair, together[0], [*earlier, *hits])
        hits = reheard([hit for hit in hits if hit not in earlier], {utterance.id: other_lines_of(utterance)}, self._matcher)
        if self._listener is not None and self._settings.live.acoustic and not hurried:
            hits = self._asked(hits, utterance)
        hits = [hit for hit in hits if self._counts(hit, utterance)]
        same = [self._same(hit) for hit in hits]
        self._before, self._hits = utterance, [hit for hit in hits if hit.utterance_id == utterance.id]
        return Findings(
            fresh=[hit for hit, alert in zip(hits, same, strict=True) if alert is None],
            standing=[alert.seq for alert in same if alert is not None],
        )

    def told(self, alert: Alert) -> None:
        """An alert went out."""
        self._alerts.append(alert)

    def fallen(self, standing: Sequence[int], until: float) -> list[Alert]:
        """Early alerts for words before second `until` that are not among `standing`; from now on they are forgotten, the others final."""
        over = [a for a in self._alerts if a.partial and a.seq not in standing and (a.start + a.end) / 2 <= until]
        kept = [a for a in self._alerts if a not in over and a.end > until - 2 * self._settings.speech.max_segment_s]
        self._alerts = [replace(a, partial=False) if a.seq in standing else a for a in kept]
        return over

    def _verdicts(self, lines: Sequence[Line]) -> list[tuple[Hit, ...]]:
        """A turn is heard several times and mostly says the same: what was seen in its text is not looked for again."""
        if lines[0].speaker is Speaker.CUSTOMER:
            return [() for _ in lines]
        new = [line.text for line in lines if line.text not in self._looks]
        seen = {**self._looks, **dict(zip(new, self._matcher.look(new), strict=True))}
        self._looks = {line.text: seen[line.text] for line in lines}
        return [self._matcher.verdict(line, seen[line.text]).hits for line in lines]

    def _pair(self, utterance: Utterance) -> Pair | None:
        """The turn with the one before it, where hardly a pause lies between them and one person spoke both."""
        before = self._before
        if before is None or before.speaker is not utterance.speaker or utterance.speaker is Speaker.CUSTOMER:
            return None
        near = utterance.start - before.end <= self._settings.matching.join_gap_s
        return Pair(first=before, second=utterance) if near else None

    def _asked(self, hits: list[Hit], utterance: Utterance) -> list[Hit]:
        """The hits after the sound was asked."""
        assert self._listener is not None
        said = [u for u in (self._before, utterance) if u is not None and any(hit.utterance_id == u.id for hit in hits)]
        return self._matcher.acoustic.ask(hits, said, Ear(listener=self._listener, clip=_clip(self._sound)))

    def _counts(self, hit: Hit, utterance: Utterance) -> bool:
        """Whether a hit is told. Where it is not known who spoke, every hit is doubtful for that alone."""
        matching = self._settings.matching
        unsure = utterance.speaker is Speaker.UNSURE and hit.score >= matching.threshold and utterance.confidence >= matching.min_confidence
        return (hit.state is HitState.HIT or unsure) and (hit.phrase_id, normalize(hit.quote).text) not in self._allowed

    def _same(self, hit: Hit) -> Alert | None:
        """The standing alert for the same words."""
        start, end = hit.start_s or 0.0, hit.end_s or 0.0
        for alert in self._alerts:
            shared = min(alert.end, end) - max(alert.start, start)
            one_phrase = alert.phrase in (hit.phrase_id, *hit.also)
            if shared > SAME * min(alert.end - alert.start, end - start) or (alert.partial and one_phrase and shared > -NEAR_S):
                return alert
        return None


def _clip(sound: Sequence[Mark]) -> Callable[[str, float, float], Samples]:
    """Cuts a stretch out of the turn that holds its middle."""

    def cut(_: str, start: float, end: float) -> Samples:
        mark = next((m for m in sound if m.begin <= (start + end) / 2 <= m.end), sound[-1])
        first, last = (max(0, round((at - mark.begin) * RATE)) for at in (start, end))
        return mark.clip[first:last]

    return cut
