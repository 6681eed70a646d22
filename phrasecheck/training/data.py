"""Exemplars as training examples: lines with their marked stretch, garbled and embedded anew in every pass.

In: the lexicon's exemplar files. Out: Example values whose windows carry labels. The one decision: a window's label comes from how it overlaps the stretch
that a writer marked as the violation, so that one pass over a long turn teaches which clause of it was bad.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from phrasecheck.lexicon import Exemplar
from phrasecheck.matching.windows import windows
from phrasecheck.normalize import unfinished
from phrasecheck.training.noise import drop_pauses, garble


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A line as one training step sees it: text, windows of it, and per window 1 (violates), 0 (does not) or -1 (undecided, not learnt)."""

    line: Exemplar
    windows: tuple[tuple[int, int], ...]
    labels: tuple[int, ...]


def label(window: tuple[int, int], spans: Sequence[tuple[int, int]]) -> int:
    """1 when the window holds most of a violating stretch, 0 when it holds hardly any of one, else -1."""
    shares = [max(0, min(window[1], end) - max(window[0], start)) / (end - start) for start, end in spans if end > start]
    most = max(shares, default=0.0)
    if most >= 0.75:
        return 1
    return 0 if most <= 0.12 else -1


def example(line: Exemplar) -> Example:
    """The line as the encoder will see it, with its windows labelled; the whole carries the line's label."""
    text = unfinished(line.text)
    line = replace(line, text=text, spans=tuple((start, min(end, len(text))) for start, end in line.spans))
    cut = tuple(windows(line.text))
    labels = [label(window, line.spans) for window in cut]
    if labels:
        labels[0] = int(line.violates)
    return Example(line=line, windows=cut, labels=tuple(labels))


def remap(line: Exemplar, text: str, origin: Sequence[int]) -> Exemplar:
    """`line` with `text`, whose characters came from the positions `origin` of the old one; spans follow."""
    spans = []
    for start, end in line.spans:
        inside = [i for i, o in enumerate(origin) if start <= o < end]
        if inside:
            spans.append((inside[0], inside[-1] + 1))
    return replace(line, text=text, spans=tuple(spans))


def join(lines: Sequence[Exemplar], glue: str = "，") -> Exemplar:
    """Several lines said in one turn; phrase and kind are those of the first that violates (or the first)."""
    head = next((line for line in lines if line.violates), lines[0])
    text, spans = "", []
    for line in lines:
        if text:
            text += glue
        said = line.text.rstrip("，。！？ ")
        spans += [(start + len(text), min(end, len(said)) + len(text)) for start, end in line.spans]
        text += said
    return replace(head, text=text, spans=tuple(spans))


@dataclass(frozen=True, slots=True, kw_only=True)
class Augment:
    """How often each change is made to a line; all shares 0..1."""

    embed: float = 0.3  # said inside a longer turn, between harmless lines
    garbled: float = 0.5  # as a recogniser hears it
    rates: tuple[float, ...] = (0.06, 0.14, 0.25, 0.4)
    no_pauses: float = 0.35
    longest: int = 110  # characters of a joined turn

    def __call__(self, line: Exemplar, harmless: Sequence[Exemplar], rng: random.Random) -> Exemplar:
        """One fresh variant of `line`."""
        if rng.random() < self.embed and len(line.text) < 70:
            around = rng.sample(harmless, k=rng.choice((1, 1, 2, 3)))
            around.insert(rng.randrange(len(around) + 1), line)
            joined = join(around, glue=rng.choice("，。，。 "))
            line = joined if len(joined.text) <= self.longest else line
        if rng.random() < self.no_pauses:
            line = remap(line, *drop_pauses(line.text, rng, rng.choice((0.5, 1.0, 1.0))))
        if rng.random() < self.garbled:
            line = remap(line, *garble(line.text, rng.choice(self.rates), rng))
        return line
