"""The words around the moments that are shown.

In: moments that count, and the Source that knows what was said. Out: Shown values. The one decision: every word that leaves here has gone
through `redact`: a report is printed and lies about.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from phrasecheck.feedback.better import better
from phrasecheck.feedback.cards import Costly
from phrasecheck.feedback.facts import Source, Spoken, Standing
from phrasecheck.feedback.reports import Shown
from phrasecheck.lexicon import Lexicon
from phrasecheck.types import Speaker

T = TypeVar("T")
Redact = Callable[[str], str]


def shown(chosen: Sequence[Costly], source: Source, lexicon: Lexicon, redact: Redact) -> list[Shown]:
    """Each with its words, in the order given."""
    said = source.spoken(dict.fromkeys(costly.call.id for costly in chosen))
    return [_shown(costly, said.get(costly.call.id, ()), lexicon, redact) for costly in chosen]


def _shown(costly: Costly, said: Sequence[Spoken], lexicon: Lexicon, redact: Redact) -> Shown:
    moment = costly.moment
    place = next((place for place, spoken in enumerate(said) if spoken.id == moment.utterance_id), None)
    text = said[place].text if place is not None else moment.quote
    head, found, tail = text.partition(moment.quote)  # a quote over two utterances is in neither
    return Shown(
        costly=costly,
        before=_customer(said[:place], redact) if place is not None else None,
        head=redact(head) if found else "",
        quote=redact(moment.quote),
        tail=redact(tail) if found else "",
        better=better(lexicon.phrases[moment.phrase_id], moment.role),
    )


def _customer(earlier: Sequence[Spoken], redact: Redact) -> str | None:
    """What the customer said last before it."""
    return next((redact(spoken.text) for spoken in reversed(earlier) if spoken.speaker is Speaker.CUSTOMER), None)


def telling(found: Iterable[Costly], number: int) -> list[Costly]:
    """The moments that show most: grave ones, seen by a person, surely heard; each phrase once before any comes twice."""
    ordered = sorted(found, key=_weight)
    first = list(once(ordered, lambda costly: costly.moment.phrase_id))
    taken = {costly.moment.key for costly in first}
    return [*first, *(c for c in ordered if c.moment.key not in taken)][:number]


def once(items: Iterable[T], key: Callable[[T], str]) -> Iterator[T]:
    """The first of those that share a key, in order; no further than is asked for."""
    seen: set[str] = set()
    for item in items:
        if key(item) not in seen:
            seen.add(key(item))
            yield item


def _weight(costly: Costly) -> tuple[bool, float, bool, float, str]:
    finding, moment = costly.finding, costly.moment
    return not finding.fatal, -finding.points, moment.standing is not Standing.CONFIRMED, -moment.score, moment.key
