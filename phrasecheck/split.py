"""Violations that a pause split over two utterances: neighbours of one speaker read as one.

In: utterances and the hits found in each by itself. Out: the hits with those added that only the two together show. A hit must lie in one utterance, so
it is given to the one that holds more of it; its times cover both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from phrasecheck.timing import span_times
from phrasecheck.types import Hit, HitState, Speaker, Utterance

GLUE = "，"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two utterances of one channel with hardly a pause between them."""

    first: Utterance
    second: Utterance

    @property
    def text(self) -> str:
        """Both as one turn."""
        return self.first.text + GLUE + self.second.text


def pairs(utterances: Sequence[Utterance], gap_s: float) -> list[Pair]:
    """Neighbours in their channel, at most `gap_s` seconds apart, of one speaker who is not the customer."""
    last: dict[str, Utterance] = {}
    found = []
    for utterance in utterances:
        before = last.get(utterance.channel)
        if before and utterance.speaker is before.speaker is not Speaker.CUSTOMER and utterance.start - before.end <= gap_s:
            found.append(Pair(first=before, second=utterance))
        last[utterance.channel] = utterance
    return found


def joined_hits(pair: Pair, together: Sequence[Hit], apart: Sequence[Hit]) -> list[Hit]:
    """`apart` with those of `together` that cross the pause and that neither utterance shows by itself; a doubtful hit they cover gives way."""
    border = len(pair.first.text)
    hits = list(apart)
    for hit in together:
        if hit.state is not HitState.HIT or hit.end <= border + len(GLUE) or hit.start >= border:
            continue
        covered = [h for h in hits if _covered(h, pair, hit, border)]
        if any(h.state is HitState.HIT for h in covered):
            continue
        hits = [h for h in hits if h not in covered]
        hits.append(_placed(hit, pair, border))
    return hits


def _covered(hit: Hit, pair: Pair, joined: Hit, border: int) -> bool:
    """Whether a hit of one utterance lies under the joined one."""
    if hit.utterance_id == pair.first.id:
        return hit.end > joined.start
    return hit.utterance_id == pair.second.id and hit.start < joined.end - border - len(GLUE)


def _placed(hit: Hit, pair: Pair, border: int) -> Hit:
    second_end = hit.end - border - len(GLUE)
    if border - hit.start >= second_end:
        owner, start, end = pair.first, hit.start, border
    else:
        owner, start, end = pair.second, 0, second_end
    return replace(
        hit,
        utterance_id=owner.id,
        start=start,
        end=end,
        start_s=span_times(pair.first, hit.start, border)[0],
        end_s=span_times(pair.second, 0, second_end)[1],
        evidence=(),
        reason=hit.reason + "（两句连读）",
    )
