"""semantic: the phrase's meaning and tone, by the encoders and by the nearest exemplars on both sides.

In: a turn. Out: per window what the encoders make of it, and how close it lies to lines that violate and lines that do not. The one
decision: a phrase is also known by its exemplars alone, so one that a company adds is found without training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from phrasecheck.lexicon import Exemplar, Lexicon
from phrasecheck.matching.reading import Encoder, Floats, Reading
from phrasecheck.normalize import normalize

NO_PHRASE = -1
GRID = np.float32(2**-11)  # products of its multiples are multiples of 2^-22, and float32 holds every one of those up to 4
SHARPNESS = 12.0  # similarities to logits: 0.1 of cosine is worth e^1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Exemplars as vectors: `vectors` (lines, width), `phrase` (lines,) an index into `ids` or NO_PHRASE for harmless ones, ascending: a turn is
    compared with every line, and slices of the comparison cost nothing where picked columns would be copied. For the same reason `vectors` lie in
    memory column by column (Fortran order): BLAS multiplies a few windows by them in half the time. Each is `snapped`."""

    lines: tuple[Exemplar, ...]
    vectors: Floats
    phrase: npt.NDArray[np.int32]
    ids: tuple[str, ...]

    def similarities(self, vectors: Floats) -> Floats:
        """Cosine of every vector with every exemplar, (vectors, lines)."""
        return snapped(vectors) @ self.vectors.T

    def violating(self, similarities: Floats) -> Floats:
        """Per vector the highest similarity to each phrase's exemplars, (vectors, ids); -1 for a phrase that has none."""
        best = np.full((similarities.shape[0], len(self.ids)), -1.0, dtype=np.float32)
        phrase = self.phrase[self._bad :]
        starts = np.flatnonzero(np.diff(phrase, prepend=NO_PHRASE))  # where the lines of another phrase begin
        if len(starts):
            best[:, phrase[starts]] = np.maximum.reduceat(similarities[:, self._bad :], starts, axis=1)
        return best

    def margin(self, similarities: Floats) -> Floats:
        """Nearest violating less nearest harmless similarity, per vector."""
        return _top(similarities[:, self._bad :]) - self.harmless(similarities)

    def harmless(self, similarities: Floats) -> Floats:
        """The nearest harmless similarity, per vector; 0 where there are no harmless lines."""
        return _top(similarities[:, : self._bad])

    def only(self, kept: npt.NDArray[np.intp]) -> "Neighbours":
        """The lines numbered `kept` (ascending) alone."""
        return replace(self, lines=tuple(self.lines[i] for i in kept), vectors=self.vectors[kept], phrase=self.phrase[kept])

    @property
    def _bad(self) -> int:
        """Where the violating lines begin."""
        return int(np.searchsorted(self.phrase, 0))

    def nearest(self, similarities: Floats, violating: bool, count: int = 3) -> list[tuple[Exemplar, float]]:
        """The closest exemplars of one side to one vector (lines,), best first."""
        side = np.flatnonzero((self.phrase != NO_PHRASE) == violating)
        order = side[np.argsort(-similarities[side])[:count]]
        return [(self.lines[i], float(similarities[i])) for i in order]


def snapped(vectors: Floats) -> Floats:
    """Unit vectors, each number as the nearest multiple of GRID, which changes a cosine by about 0.0002. Products and sums are then exact in float32,
    and a cosine is the same in whatever order BLAS adds it up: alone or among others, on any machine."""
    result: Floats = np.rint(vectors / GRID) * GRID
    return result


def _top(similarities: Floats) -> Floats:
    if similarities.shape[1] == 0:
        return np.zeros(similarities.shape[0], dtype=np.float32)
    top: Floats = similarities.max(1)
    return top


def own_lines(lexicon: Lexicon, known: Sequence[str]) -> list[Exemplar]:
    """Lines that stand for the lexicon's phrases by themselves: the phrase's text where no encoder knows it, and a company's examples on both sides."""
    lines = []
    for phrase in lexicon.phrases.values():
        said = list(phrase.examples) if phrase.id in known else [*phrase.spoken, *phrase.spellings, *phrase.examples]
        lines += [Exemplar(text=t, phrase=phrase.id, spans=((0, len(t)),), kind="example") for t in said if normalize(t).text]
        lines += [Exemplar(text=t, phrase=phrase.id, kind="fine") for t in phrase.fine if normalize(t).text]
    return lines


def embed(encoder: Encoder, lines: Sequence[Exemplar]) -> Floats:
    """The vector of each line, (lines, width): of its marked stretch as it stands in the line, or of the whole where it violates nothing."""
    readings = list(encoder.read([line.text for line in lines]))
    return np.array([_vector_of(line, reading) for line, reading in zip(lines, readings, strict=True)], dtype=np.float32)


def _vector_of(line: Exemplar, reading: Reading) -> Floats:
    if not line.spans:
        whole: Floats = reading.vectors[0]
        return whole
    start, end = line.spans[0]
    distance = [abs(a - start) + abs(b - end) for a, b in reading.windows]
    nearest: Floats = reading.vectors[int(np.argmin(distance))]
    return nearest


def neighbours(lexicon: Lexicon, lines: Sequence[Exemplar], vectors: Floats) -> Neighbours:
    """`lines` with their vectors as an index over the lexicon's phrases; lines of phrases that the lexicon lacks are left out."""
    ids = tuple(lexicon.phrases)
    number = {phrase_id: i for i, phrase_id in enumerate(ids)}
    known = [i for i, line in enumerate(lines) if not line.violates or line.phrase in number]
    phrase = np.array([number[lines[i].phrase or ""] if lines[i].violates else NO_PHRASE for i in known], dtype=np.int32)
    order = np.argsort(phrase, kind="stable")
    kept = [known[i] for i in order]
    return Neighbours(lines=tuple(lines[i] for i in kept), vectors=np.asfortranarray(snapped(vectors[kept])), phrase=phrase[order], ids=ids)


def with_own_lines(lexicon: Lexicon, encoder: Encoder, lines: Sequence[Exemplar], vectors: Floats) -> Neighbours:
    """`lines` with their vectors, and the lexicon's own lines encoded now, as an index over its phrases."""
    own = own_lines(lexicon, encoder.phrases)
    if own:
        vectors = np.concatenate([vectors, embed(encoder, own)])
    return neighbours(lexicon, [*lines, *own], vectors)


def log_softmax(logits: Floats) -> Floats:
    """Row-wise, stable."""
    shifted = logits - logits.max(-1, keepdims=True)
    result: Floats = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result
