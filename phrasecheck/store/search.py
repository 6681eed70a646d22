"""Text as it is searched: by its characters, or by its sound.

In: a transcript's or a searcher's words. Out: their syllables, and the condition that finds them. The one decision: syllables are written out between
spaces and compared with LIKE on both databases: «系统» then finds what was heard as «西统», a query of whole syllables never matches half of one, and
neither FTS5 nor pg_trgm has to be there. Accents are folded as in matching (matching/sound.py).
"""

from sqlalchemy import ColumnElement

from phrasecheck.matching.sound import fold, syllables
from phrasecheck.normalize import normalize
from phrasecheck.store.tables import UtteranceRow


def sounds(text: str) -> str:
    """« xi ton » for «系统»: folded syllables with a space on both sides of each; empty for what has no sound."""
    heard = [fold(sound) for sound in syllables(normalize(text).text)]
    return f" {' '.join(heard)} " if heard else ""


def said(query: str) -> ColumnElement[bool]:
    """Utterances with these words, or with others that sound like them."""
    literal = UtteranceRow.text.contains(query, autoescape=True)
    sound = sounds(query)
    return literal | UtteranceRow.pinyin.contains(sound, autoescape=True) if sound else literal
