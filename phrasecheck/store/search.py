"""Text as it is searched: by its sound, which is the same for the very words.

In: a transcript's or a searcher's words. Out: their pairs of syllables, and the conditions that find them. The one decision: an utterance
is indexed by each two syllables that follow one another («系统的»: xi_tong tong_de de_), because one syllable of Chinese is in every second
sentence and two are rare; so «系统» is found where «西统» was heard, in milliseconds among a million utterances. The index is FTS5 on
SQLite and GIN on PostgreSQL, both of which are always there; it names the candidates, LIKE looks whether the pairs follow one another.
Accents are folded as in matching (matching/sound.py).
"""

from collections.abc import Sequence
from itertools import pairwise

from sqlalchemy import ColumnElement, Text, cast, column, func, literal, literal_column, select, table
from sqlalchemy.dialects.postgresql import ARRAY

from phrasecheck.matching.sound import fold, syllables
from phrasecheck.normalize import normalize
from phrasecheck.store.tables import UtteranceRow

_SAID = table("said_sound", column("rowid"), column("said_sound"))


def sounds(text: str) -> str:
    """« xi_tong tong_ » for «系统»: what an utterance is indexed by; empty for what has no sound."""
    heard = _syllables(text)
    return "".join(f" {pair}" for pair in _pairs([*heard, ""])) + (" " if heard else "")


def asked(query: str) -> str:
    """« xi_tong » for «系统»: the part of `sounds` that an utterance with these words has; empty for what has no sound."""
    heard = _syllables(query)
    return f" {' '.join(_pairs(heard))} " if len(heard) > 1 else "".join(f" {one}_" for one in heard)


def said(query: str) -> ColumnElement[bool]:
    """Utterances with these words, or with others that sound like them, looked at one by one. Words without a sound are compared as they stand."""
    sound = asked(query)
    return UtteranceRow.pinyin.contains(sound, autoescape=True) if sound else UtteranceRow.text.contains(query, autoescape=True)


def indexed(query: str, *, sqlite: bool) -> ColumnElement[bool] | None:
    """Candidates for `said` by the index; None when the query is too short for it (one syllable is in too many to gain anything)."""
    pairs = _pairs(_syllables(query))
    if not pairs:
        return None
    if sqlite:
        wanted = " AND ".join(f'"{pair.replace(chr(34), "")}"' for pair in pairs)
        return UtteranceRow.id.in_(select(_SAID.c.rowid).where(_SAID.c.said_sound.match(wanted)))
    return func.string_to_array(UtteranceRow.pinyin, literal_column("' '"), type_=ARRAY(Text)).contains(
        cast(literal(pairs, ARRAY(Text)), ARRAY(Text))
    )


def _syllables(text: str) -> Sequence[str]:
    return [fold(sound) for sound in syllables(normalize(text).text)]


def _pairs(heard: Sequence[str]) -> list[str]:
    return [f"{one}_{other}" for one, other in pairwise(heard)]
