"""A result as its readers meet it: each hit with its utterance, its clause and its finding, and each utterance in pieces to mark.

In: a CallResult and the lexicon. Out: HitViews in the order of the call, numbered from 1 (pins, cards and marks share the number), and
Pieces of text. Every format that shows hits is drawn from these, so that they cannot disagree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from phrasecheck.scoring import UNSURE
from phrasecheck.types import CallResult, Finding, Hit, HitState, Utterance, Word

if TYPE_CHECKING:
    from phrasecheck.lexicon import Lexicon, Phrase

FAINT = 0.5  # words recognised less surely than this are shown lighter


@dataclass(frozen=True, slots=True, kw_only=True)
class HitView:
    """One hit and all that is known of it. `phrase` is None when the lexicon given no longer has it, `finding` when no card holds it."""

    number: int
    hit: Hit
    utterance: Utterance
    phrase: "Phrase | None"
    finding: Finding | None

    @property
    def doubtful(self) -> bool:
        """Whether the hit counts for nothing until somebody has looked at it."""
        return self.hit.state is HitState.DOUBTFUL

    @property
    def counted(self) -> bool:
        """Whether it costs points."""
        return self.finding is not None and self.finding.counted

    @property
    def scoring(self) -> str:
        """Why it costs what it costs, or nothing. A hit on no card belongs to a call in which nobody is known to be the agent."""
        return self.finding.reason if self.finding else UNSURE

    @property
    def start(self) -> float:
        """Seconds: of the hit, else of its utterance."""
        return self.utterance.start if self.hit.start_s is None else self.hit.start_s

    @property
    def end(self) -> float:
        """Seconds: of the hit, else of its utterance."""
        return self.utterance.end if self.hit.end_s is None else self.hit.end_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of an utterance's text of one look: the numbers of the hits it belongs to and of those that end with it, and
    whether it was heard badly."""

    text: str
    hits: tuple[int, ...] = ()
    closes: tuple[int, ...] = ()
    doubtful: bool = False
    faint: bool = False


def hit_views(result: CallResult, lexicon: "Lexicon") -> tuple[HitView, ...]:
    """The hits in the order of the call, with what they belong to. Hits of utterances that are not in the transcript are left out."""
    spoken = {utterance.id: (place, utterance) for place, utterance in enumerate(result.transcript.utterances)}
    findings = {(f.utterance_id, f.phrase_id): f for card in result.scorecards for f in card.findings}
    hits = sorted((h for h in result.hits if h.utterance_id in spoken), key=lambda h: (spoken[h.utterance_id][0], h.start, h.phrase_id))
    return tuple(
        HitView(
            number=number,
            hit=hit,
            utterance=spoken[hit.utterance_id][1],
            phrase=lexicon.phrases.get(hit.phrase_id),
            finding=findings.get((hit.utterance_id, hit.phrase_id)),
        )
        for number, hit in enumerate(hits, 1)
    )


def pieces(utterance: Utterance, views: Sequence[HitView]) -> list[Piece]:
    """The utterance's text cut where a hit or a badly heard word begins or ends; the pieces joined are the text."""
    text = utterance.text
    spans = [(max(v.hit.start, 0), min(v.hit.end, len(text)), v) for v in views if v.hit.utterance_id == utterance.id]
    faint = list(_faint_spans(utterance.words, text))
    edges = {0, len(text), *(edge for start, end, _ in spans for edge in (start, end)), *(edge for span in faint for edge in span)}
    made = []
    for start, end in pairwise(sorted(edges)):
        over = [view for first, last, view in spans if first <= start and end <= last]
        made.append(
            Piece(
                text=text[start:end],
                hits=tuple(view.number for view in over),
                closes=tuple(view.number for _, last, view in spans if last == end and view in over),
                doubtful=bool(over) and all(view.doubtful for view in over),
                faint=any(first <= start and end <= last for first, last in faint),
            )
        )
    return made


def _faint_spans(words: Sequence[Word], text: str) -> Iterator[tuple[int, int]]:
    """Runs of badly heard words as ranges of the text; none where the words joined are not the text (it was edited)."""
    if "".join(word.text for word in words) != text:
        return
    place, begin = 0, -1
    for word in words:
        if word.probability < FAINT and begin < 0:
            begin = place
        elif word.probability >= FAINT and begin >= 0:
            yield begin, place
            begin = -1
        place += len(word.text)
    if begin >= 0:
        yield begin, place
