"""Drawing calls, sharing them out, and how far two people agree: no database here.

In: what may be drawn, a seed, who inspects. Out: what was drawn, who gets it; Cohen's kappa. The one decision: every candidate has a rank of its own, made
of the seed and its id, so the same draw comes out again however many calls came in since, and nobody can say which call comes next without the seed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from math import ceil
from typing import TypeVar

T = TypeVar("T", bound="Candidate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A call that may be drawn."""

    call_id: str
    agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Who gets a call. `blind`: as a second opinion."""

    call_id: str
    user_id: int
    blind: bool = False


def ranked(candidates: Iterable[Candidate], seed: str) -> list[Candidate]:
    """In the order in which this seed draws them."""
    return sorted(candidates, key=lambda candidate: _rank(seed, candidate.call_id))


def percentage(candidates: Sequence[Candidate], percent: float, seed: str) -> list[Candidate]:
    """So many of a hundred, at least one of any."""
    return ranked(candidates, seed)[: ceil(len(candidates) * percent / 100 - 1e-9)]


def some(candidates: Sequence[Candidate], number: float, seed: str) -> list[Candidate]:
    """So many."""
    return ranked(candidates, seed)[: int(number)]


def per_agent(candidates: Sequence[Candidate], number: float, seed: str) -> list[Candidate]:
    """So many of each agent; calls of nobody known are left out."""
    known = sorted((c for c in candidates if c.agent), key=lambda candidate: candidate.agent or "")
    drawn = (c for _, calls in groupby(known, key=lambda candidate: candidate.agent) for c in some(list(calls), number, seed))
    return ranked(drawn, seed)


def shared_out(drawn: Sequence[Candidate], loads: Mapping[int, int], double: float, seed: str) -> list[Share]:
    """Each call to who has least to do (`loads`: open calls of each inspector), and `double` percent of them to a second one, blind.

    With a single inspector there is no second opinion.
    """
    work = Counter(loads)
    pair = {candidate.call_id for candidate in percentage(drawn, double, f"{seed}/double")} if len(loads) > 1 else set()
    return [share for candidate in drawn for share in _shares(candidate.call_id, work, candidate.call_id in pair, seed)]


def _shares(call_id: str, work: Counter[int], pair: bool, seed: str) -> Iterator[Share]:
    order = sorted(work, key=lambda user: (work[user], _rank(seed, f"{call_id}/{user}")))
    for place, user in enumerate(order[: 1 + pair]):
        work[user] += 1
        yield Share(call_id=call_id, user_id=user, blind=place == 1)


def _rank(seed: str, name: str) -> str:
    return sha256(f"{seed}/{name}".encode()).hexdigest()


# --- agreement ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two raters agree on the same items. `counts[a, b]`: how often one said a and the other b."""

    items: int
    agreed: float | None  # the share of items on which they said the same; None without items
    kappa: float | None  # None without items, or when both said one and the same of all of them
    counts: Mapping[tuple[bool, bool], int]


def agreement(pairs: Sequence[tuple[bool, bool]]) -> Agreement:
    """Cohen's kappa (Cohen 1960): agreement less what chance would give, as a share of what chance leaves."""
    counts, items = Counter(pairs), len(pairs)
    if not items:
        return Agreement(items=0, agreed=None, kappa=None, counts=counts)
    agreed = (counts[True, True] + counts[False, False]) / items
    first, second = sum(a for a, _ in pairs) / items, sum(b for _, b in pairs) / items
    chance = first * second + (1 - first) * (1 - second)
    return Agreement(items=items, agreed=agreed, kappa=None if chance == 1 else (agreed - chance) / (1 - chance), counts=counts)
