"""The one Chinese sentence that tells a clerk why a line was marked."""

from collections.abc import Sequence

from phrasecheck.lexicon import Phrase
from phrasecheck.matching.qualifiers import Qualifier
from phrasecheck.types import Match, Method


def give_reason(quote: str, phrase: Phrase, score: float, evidence: Sequence[Match], cues: Sequence[Qualifier]) -> str:
    """«…» with what it comes close to, by which methods, what speaks against it, and how sure the verdict is."""
    by_method = {match.method: match for match in evidence}
    what = _closeness(by_method)
    numbers = "、".join(f"{_NAMES[m]} {by_method[m].score:.0%}" for m in (Method.FUZZY, Method.PHONETIC, Method.SEMANTIC) if m in by_method)
    against = f"；但{'，'.join(cue.says for cue in cues)}" if cues else ""
    return f"「{quote}」{what} {phrase.id}「{phrase.text}」（{numbers or '原话'}）{against}；把握 {score:.0%}。"


_NAMES = {Method.FUZZY: "字面", Method.PHONETIC: "读音", Method.SEMANTIC: "语气"}


def _closeness(by_method: dict[Method, Match]) -> str:
    if Method.EXACT in by_method:
        return "用了禁语原话"
    if Method.FUZZY in by_method:
        return "字面接近禁语"
    if Method.PHONETIC in by_method:
        return "读音接近禁语"
    return "意思和语气接近禁语"
