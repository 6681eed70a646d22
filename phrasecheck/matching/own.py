"""own: phrases that no encoder speaks for: those that a company adds, and with semantic matching off all. Known by their words and examples alone.

In: a Look. Out: (windows, own phrases) logits of "this window says that phrase". The encoders' tone cannot speak for these: a phrase may be forbidden for what
it promises or names and sound perfectly friendly. The numbers of OWN are stated, not fitted, since nobody knows a company's phrases beforehand; where the
likeness to an example begins to count is fitted on held-back exemplars (Weights.own_similarity).
"""

from collections.abc import Sequence

import numpy as np

from phrasecheck.matching.fuse import Look, inside
from phrasecheck.matching.qualifiers import qualify
from phrasecheck.matching.reading import Floats
from phrasecheck.matching.semantic import Neighbours
from phrasecheck.types import Match, Method

NEVER = -20.0
# A match's logit: SLOPE per unit of score above the score that is as likely as not.
SLOPE = 25.0
EVEN = {Method.EXACT: 0.84, Method.FUZZY: 0.84, Method.PHONETIC: 0.90}
QUALIFIED = 3.0  # quoted, denied or courteous: so much less


def own_logits(look: Look, own: Sequence[str], neighbours: Neighbours | None, even_similarity: float) -> Floats:
    """(windows, len(own)). `even_similarity` is the lead of the nearest own example over the nearest harmless line that is as likely as not."""
    logits = np.full((len(look.windows), len(own)), NEVER, dtype=np.float32)
    number = {phrase_id: i for i, phrase_id in enumerate(own)}
    for match in look.matches:
        if match.phrase_id in number:
            for row, window in enumerate(look.windows):
                if inside(match, window):
                    at = (row, number[match.phrase_id])
                    logits[at] = max(logits[at], _match_logit(match))
    if neighbours is not None and look.similarities is not None:
        logits = np.maximum(logits, SLOPE * (own_lead(look.similarities, own, neighbours) - even_similarity))
    for row, window in enumerate(look.windows):
        logits[row] -= QUALIFIED * len(qualify(look.text, *window, look.qualifiers))
    return logits


def _match_logit(match: Match) -> float:
    return SLOPE * (match.score - EVEN[match.method])


def own_lead(similarities: Floats, own: Sequence[str], neighbours: Neighbours) -> Floats:
    """(windows, len(own)): how much nearer the nearest example of each own phrase lies than the nearest harmless line."""
    columns = [neighbours.ids.index(phrase_id) for phrase_id in own]
    lead: Floats = neighbours.violating(similarities)[:, columns] - neighbours.harmless(similarities)[:, None]
    return lead
