"""«With these weights last month would have read so.»

In: Material and two ScoreSettings. Out: mean points of roles and teams before and after. The one decision: only points are set side by
side; what was found and what people judged is the same in both, so whatever moves is moved by the weights.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean

from phrasecheck.feedback.cards import Card, cards
from phrasecheck.feedback.facts import Material
from phrasecheck.lexicon import Lexicon
from phrasecheck.settings import ScoreSettings
from phrasecheck.types import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One name's cards, before and after."""

    name: str
    cards: int
    before: float
    after: float
    failed_before: int
    failed_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The whole, and by role and team."""

    whole: Change | None  # None without cards
    roles: tuple[tuple[Role, Change], ...]
    teams: tuple[Change, ...]


def preview(material: Material, lexicon: Lexicon, now: ScoreSettings, then: ScoreSettings) -> Preview:
    """`now` beside `then`. Points are of 100 in both where `start` differs: each is a share of its own start."""
    pairs = list(zip(cards(material, lexicon, now), cards(material, lexicon, then), strict=True))
    roles = [(role, [pair for pair in pairs if pair[0].role is role]) for role in Role]
    return Preview(
        whole=_change("", pairs, now, then) if pairs else None,
        roles=tuple((role, _change(role.value, own, now, then)) for role, own in roles if own),
        teams=tuple(_change(team, own, now, then) for team, own in _by(pairs, lambda card: card.call.team or "（没有班组）")),
    )


def _by(pairs: Iterable[tuple[Card, Card]], name_of: Callable[[Card], str]) -> list[tuple[str, list[tuple[Card, Card]]]]:
    by_name: dict[str, list[tuple[Card, Card]]] = {}
    for pair in pairs:
        by_name.setdefault(name_of(pair[0]), []).append(pair)
    return sorted(by_name.items())


def _change(name: str, pairs: list[tuple[Card, Card]], now: ScoreSettings, then: ScoreSettings) -> Change:
    return Change(
        name=name,
        cards=len(pairs),
        before=100 * fmean(old.points for old, _ in pairs) / now.start,
        after=100 * fmean(new.points for _, new in pairs) / then.start,
        failed_before=sum(old.failed for old, _ in pairs),
        failed_after=sum(new.failed for _, new in pairs),
    )
