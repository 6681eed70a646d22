"""Where the words of a call lie among the shipped exemplars, small enough to be kept for every call.

In: a transcript, an encoder, the shipped exemplars. Out: Prints: for every window of every text that was judged its vector in a byte a number, and
how near the nearest violating and the nearest harmless exemplar lie. The one decision: only what does not depend on a company's lexicon is kept, so
prints hold for every version of it; reading the words again is what costs when calls are judged anew, and with prints only those words are read
again that a change can touch (rescore.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from phrasecheck.matching.reading import Encoder, Floats
from phrasecheck.matching.semantic import Neighbours
from phrasecheck.normalize import simplify
from phrasecheck.split import pairs
from phrasecheck.types import Speaker, Transcript


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A text that is judged: an utterance, or two that a short pause parts. `ids` are theirs."""

    ids: tuple[str, ...]
    text: str


def units(transcript: Transcript, join_gap_s: float) -> list[Unit]:
    """All that is judged of a call, in a fixed order: utterances that are not the customer's, then pairs."""
    said = [Unit(ids=(u.id,), text=u.text) for u in transcript.utterances if u.speaker is not Speaker.CUSTOMER]
    return said + [Unit(ids=(pair.first.id, pair.second.id), text=pair.text) for pair in pairs(transcript.utterances, join_gap_s)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """Of one text, a row a window: `vectors` (windows, width) of about unit length; `bad`, `fine` (windows,) how near the nearest
    exemplar of each side lies."""

    vectors: Floats
    bad: Floats
    fine: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Prints:
    """Of one call, in the order of its units: `counts` windows of each, and their rows one below the other."""

    maker: str
    counts: npt.NDArray[np.int32]
    vectors: npt.NDArray[np.int8]
    scales: Floats
    bad: Floats
    fine: Floats

    def __iter__(self) -> Iterator[Print]:
        ends = np.cumsum(self.counts)
        for start, end in pairwise([0, *ends]):
            rows = slice(int(start), int(end))
            yield Print(vectors=self.vectors[rows] * self.scales[rows, None], bad=self.bad[rows], fine=self.fine[rows])

    def packed(self) -> bytes:
        """To be stored."""
        out = BytesIO()
        np.savez(out, counts=self.counts, vectors=self.vectors, scales=self.scales, bad=self.bad, fine=self.fine)
        return out.getvalue()


def unpacked(maker: str, body: bytes) -> Prints:
    """What `packed` gave."""
    with np.load(BytesIO(body)) as stored:
        return Prints(maker=maker, **{name: stored[name] for name in ("counts", "vectors", "scales", "bad", "fine")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What prints are taken against: an encoder and the shipped exemplars. `name` is the digest of both."""

    encoder: Encoder
    neighbours: Neighbours
    name: str

    def maker(self, of: Sequence[Unit]) -> str:
        """What names the prints of these texts on this ground."""
        digest = sha256()
        for unit in of:
            digest.update(b"\0" + unit.text.encode())
        return self.prefix + digest.hexdigest()[:32]

    @property
    def prefix(self) -> str:
        """What the names of all prints on this ground begin with."""
        return self.name[:32]


def ground(encoder: Encoder, shipped: Neighbours) -> Ground:
    """The ground of an encoder and exemplars with their vectors."""
    digest = sha256(encoder.name.encode())
    digest.update(np.ascontiguousarray(shipped.vectors).data)
    return Ground(encoder=encoder, neighbours=shipped, name=digest.hexdigest())


def take(of: Sequence[Unit], on: Ground) -> Prints:
    """The prints of these texts; this is what reads the words."""
    readings = list(on.encoder.read([simplify(unit.text) for unit in of]))
    width = on.neighbours.vectors.shape[1]
    vectors = np.concatenate([np.zeros((0, width), np.float32), *(reading.vectors for reading in readings)])
    similarities = on.neighbours.similarities(vectors)
    fine = on.neighbours.harmless(similarities)
    scales = np.abs(vectors).max(1, initial=1e-9) / 127
    return Prints(
        maker=on.maker(of),
        counts=np.array([len(reading.windows) for reading in readings], np.int32),
        vectors=np.rint(vectors / scales[:, None]).astype(np.int8),
        scales=scales.astype(np.float32),
        bad=on.neighbours.margin(similarities) + fine,
        fine=fine,
    )
