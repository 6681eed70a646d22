"""own: phrases that no encoder speaks for: those that a company adds, and with semantic matching off all. Known by their words and examples alone.

In: a Look. Out: (windows, own phrases) logits of "this window says that phrase". The encoders' tone cannot speak for these: a phrase may be forbidden for what
it promises or names and sound perfectly friendly. The numbers of OWN are stated, not fitted, since nobody knows a company's phrases beforehand; where the
likeness to an example begins to count is fitted on held-back exemplars (Weights.own_similarity).
"""

import numpy as np
import numpy.typing as npt

from phrasecheck.matching.fuse import Columns, Look, inside
from phrasecheck.matching.qualifiers import qualify
from phrasecheck.matching.reading import Floats
from phrasecheck.matching.semantic import Neighbours
from phrasecheck.types import Match, Method

NEVER = -20.0
# A match's logit: SLOPE per unit of score above the score that is as likely as not.
SLOPE = 25.0
EVEN = {Method.EXACT: 0.84, Method.FUZZY: 0.84, Method.PHONETIC: 0.90}
QUALIFIED = 3.0  # quoted, denied or courteous: so much less


def own_logits(look: Look, phrases: Columns, neighbours: Neighbours | None, even_similarity: float) -> Floats:
    """(windows, own phrases). `even_similarity` is the lead of the nearest own example over the nearest harmless line that is as likely as not."""
    own = phrases.own
    logits = np.full((len(look.windows), len(own)), NEVER, dtype=np.float32)
    if not len(own):
        return logits
    for match in look.matches:
        number = phrases.number[match.phrase_id]
        if phrases.known[number] >= 0:
            continue
        column = np.searchsorted(own, number)
        for row, window in enumerate(look.windows):
            if inside(match, window):
                logits[row, column] = max(logits[row, column], _match_logit(match))
    if neighbours is not None and look.similarities is not None:
        logits = np.maximum(logits, SLOPE * (own_lead(look.similarities, own, neighbours) - even_similarity))
    for row, window in enumerate(look.windows):
        logits[row] -= QUALIFIED * len(qualify(look.text, *window, look.qualifiers))
    return logits


def _match_logit(match: Match) -> float:
    return SLOPE * (match.score - EVEN[match.method])


def own_lead(similarities: Floats, own: npt.NDArray[np.intp], neighbours: Neighbours) -> Floats:
    """(windows, own phrases): how much nearer the nearest example of each phrase of the numbers `own` lies than the nearest harmless line."""
    lead: Floats = neighbours.violating(similarities)[:, own] - neighbours.harmless(similarities)[:, None]
    return lead
