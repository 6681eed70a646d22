"""What of a call may be seen and heard by whom: personal data are black and silent for everyone below the QA lead.

In: a visitor and something said. Out: the same, or its shielded form. The one decision: the whole result is shielded before anything is
drawn from it, so no page has a way round it. Which kinds of data are hidden, settings say (privacy.redact; security.visitor_of).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from phrasecheck.redact import blacken, hidden, stretches_of
from phrasecheck.service.security import Visitor
from phrasecheck.types import CallResult, Personal

SAID = frozenset({"text", "quote", "reason"})  # keys whose values may be a speaker's words
Silent = Mapping[str, Sequence[tuple[float, float]]]  # channel -> seconds


def sees_all(visitor: Visitor) -> bool:
    """Is he told personal data?"""
    return not visitor.hides


def shielded(visitor: Visitor, result: CallResult) -> CallResult:
    """The result as the visitor may see it."""
    return result if sees_all(visitor) else hidden(result, visitor.hides)


def words(visitor: Visitor, text: str) -> str:
    """A text as the visitor may see it."""
    return text if sees_all(visitor) else _black(text, visitor.hides)


@lru_cache(maxsize=1024)  # a live event is told to everybody who looks on
def _black(text: str, hides: frozenset[Personal]) -> str:
    return blacken(text, hides)


def told(visitor: Visitor, value: Any) -> Any:
    """JSON as the visitor may see it: live events, lists of changes. Ids and times stay."""
    if isinstance(value, Mapping):
        return {key: words(visitor, v) if key in SAID and isinstance(v, str) else told(visitor, v) for key, v in value.items()}
    return [told(visitor, each) for each in value] if isinstance(value, list | tuple) else value


def silent(visitor: Visitor, result: CallResult | None) -> Silent:
    """The stretches of sound that the visitor may not hear. Without a transcript nobody knows where they are: all of it (docs/serve.md)."""
    if sees_all(visitor):
        return {}
    return {"*": [(0.0, float("inf"))]} if result is None else stretches_of(result.transcript.utterances, visitor.hides)
