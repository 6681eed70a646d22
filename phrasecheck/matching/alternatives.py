"""alternatives: what else the recogniser may have heard, where the text it settled on leaves a hit doubtful.

In: hits, the other hearings of their utterances (the recogniser's next best texts), and the matcher. Out: the hits, some of them surer, with the hearing
that made them so. The one decision: a hearing can only strengthen a hit that the settled text shows already. A wrong character takes likeness away and
seldom makes any, so the hearing that is likest a phrase is mostly the one that was said; but nobody is accused of words that only a second guess has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from phrasecheck.matching.matcher import Line, Matcher
from phrasecheck.types import Hit


def reheard(hits: Sequence[Hit], others: Mapping[str, Sequence[Line]], matcher: Matcher) -> list[Hit]:
    """The hits in the order given. `others`: by utterance its other hearings, as lines of that utterance."""
    asked = {hit.utterance_id for hit in hits if hit.score < matcher.settings.threshold}
    lines = [line for utterance_id, lines in others.items() if utterance_id in asked for line in lines]
    found: dict[str, list[Hit]] = {}
    for line, verdict in zip(lines, matcher.verdicts(lines), strict=True):
        found.setdefault(line.id, []).extend(verdict.hits)
    return [_surer(hit, found.get(hit.utterance_id, ())) for hit in hits]


def _surer(hit: Hit, others: Sequence[Hit]) -> Hit:
    """The hit as sure as the surest of its other hearings."""
    best = max((other for other in others if _same(hit, other)), key=lambda other: other.score, default=hit)
    if best.score <= hit.score:
        return hit
    told = "" if best.quote == hit.quote else f"；另一种听法：「{best.quote}」"  # the same words heard among others: nothing
    return replace(hit, score=best.score, state=best.state, reason=hit.reason + told)


def _same(hit: Hit, other: Hit) -> bool:
    """Whether both are about one phrase."""
    return hit.phrase_id in (other.phrase_id, *other.also) or other.phrase_id in hit.also
