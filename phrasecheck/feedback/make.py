"""From a Source to a report.

In: a Maker (source, lexicon, settings) and what the report is about. Out: the values of reports.py. The one decision: everything is counted
from the same cards (cards.py), so that the parts of one report, and two reports of one month, agree.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from phrasecheck import __version__
from phrasecheck.feedback.basis import basis
from phrasecheck.feedback.better import better
from phrasecheck.feedback.cards import Card, Costly, cards
from phrasecheck.feedback.courtesy import Courtesy, load_cues, noticed, words
from phrasecheck.feedback.facts import Material, Source, Standing, Wanted
from phrasecheck.feedback.interval import difference
from phrasecheck.feedback.period import Period
from phrasecheck.feedback.reports import (
    AgentReport,
    Basis,
    CoachingPack,
    Comparison,
    DirectorPage,
    PackPhrase,
    PhraseBlock,
    Practice,
    RoleReport,
    Row,
    Shown,
    TeamReport,
)
from phrasecheck.feedback.sums import PhraseCount, figures, own_section, phrase_counts, weeks
from phrasecheck.feedback.words import Redact, once, shown, telling
from phrasecheck.lexicon import Lexicon
from phrasecheck.settings import Settings
from phrasecheck.types import Role

MOMENTS = 5  # that a team's or role's report shows
PRACTISE = 3
SOFTWARE = f"phrasecheck {__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What reports are made with."""

    source: Source
    lexicon: Lexicon
    settings: Settings
    redact: Redact

    @property
    def start(self) -> float:
        """The most points there are."""
        return self.settings.scoring.start

    def cards(self, material: Material) -> list[Card]:
        """Of these calls."""
        return cards(material, self.lexicon, self.settings.scoring)

    def basis(self, material: Material) -> Basis:
        """Of a report on these calls."""
        return basis(material, self.lexicon, self.settings.scoring, SOFTWARE)

    def shown(self, chosen: Sequence[Costly]) -> list[Shown]:
        """With their words."""
        return shown(chosen, self.source, self.lexicon, self.redact)

    def shown_by_phrase(self, chosen: Mapping[str, Sequence[Costly]]) -> dict[str, tuple[Shown, ...]]:
        """With their words, which are read for all of them at once."""
        with_words = iter(self.shown([costly for own in chosen.values() for costly in own]))
        return {phrase: tuple(islice(with_words, len(own))) for phrase, own in chosen.items()}


def agent_report(maker: Maker, name: str, period: Period) -> AgentReport:
    """One agent, beside the team of the latest call."""
    wanted = Wanted(period=period, agent=name)
    material = maker.source.material(wanted)
    team = next((call.team for call in reversed(material.calls) if call.team), None)
    own = maker.cards(material)
    teams = maker.cards(maker.source.material(Wanted(period=period, team=team))) if team else []
    found = _found(own)
    counts = phrase_counts(found, maker.lexicon)
    roles = _roles(own)
    return AgentReport(
        name=name,
        team=team,
        roles=roles,
        period=period,
        figures=figures(own, maker.start),
        comparison=_compared(own, [card for card in teams if card.call.agent != name], maker),
        weeks=weeks(own, period, maker.start),
        team_weeks=weeks(teams, period, maker.start),
        courtesies=_courtesies(maker, wanted, material),
        phrases=_blocks(counts, found, maker),
        practise=_practise(counts, found, _found(teams), roles, maker),
        found=tuple(found),
        basis=maker.basis(material),
    )


def team_report(maker: Maker, name: str, period: Period) -> TeamReport:
    """One team."""
    wanted = Wanted(period=period, team=name)
    material = maker.source.material(wanted)
    own = maker.cards(material)
    found = _found(own)
    counts = phrase_counts(found, maker.lexicon)
    return TeamReport(
        name=name,
        period=period,
        figures=figures(own, maker.start),
        weeks=weeks(own, period, maker.start),
        agents=_rows(own, lambda card: card.call.agent or "（没有工号）", maker),
        phrases=counts,
        courtesies=_courtesies(maker, wanted, material),
        moments=tuple(maker.shown(telling(found, MOMENTS))),
        practise=_practise(counts, found, found, _roles(own), maker),
        found=tuple(found),
        basis=maker.basis(material),
    )


def role_report(maker: Maker, role: Role, period: Period) -> RoleReport:
    """One role; of calls in which another was taken as well, only this role's part."""
    material = maker.source.material(Wanted(period=period, role=role))
    own = [card for card in maker.cards(material) if card.role is role]
    found = _found(own)
    counts = phrase_counts(found, maker.lexicon, role)
    return RoleReport(
        role=role,
        period=period,
        figures=figures(own, maker.start),
        weeks=weeks(own, period, maker.start),
        teams=_rows(own, lambda card: card.call.team or "（没有班组）", maker),
        phrases=counts,
        moments=tuple(maker.shown(telling(found, MOMENTS))),
        practise=_practise(counts, found, found, (role,), maker),
        found=tuple(found),
        basis=maker.basis(material),
    )


def director_page(maker: Maker, period: Period) -> DirectorPage:
    """All roles; a role without calls is there too."""
    material = maker.source.material(Wanted(period=period))
    all_cards = maker.cards(material)
    return DirectorPage(
        period=period,
        figures=figures(all_cards, maker.start),
        weeks=weeks(all_cards, period, maker.start),
        roles=tuple((role, _row(role.value, [card for card in all_cards if card.role is role], maker)) for role in Role),
        phrases=phrase_counts(_found(all_cards), maker.lexicon)[:10],
        basis=maker.basis(material),
    )


def coaching_pack(maker: Maker, wanted: Wanted, name: str) -> CoachingPack:
    """By phrase, in the order of the lexicon, some real examples: confirmed ones first, no sentence twice."""
    material = maker.source.material(wanted)
    found = [costly for costly in _found(maker.cards(material)) if wanted.role in (None, costly.moment.role)]
    by_phrase: dict[str, list[Costly]] = {}
    for costly in found:
        by_phrase.setdefault(costly.moment.phrase_id, []).append(costly)
    chosen = {phrase: _examples(own, maker.settings.feedback.examples) for phrase, own in by_phrase.items()}
    examples = maker.shown_by_phrase(chosen)
    return CoachingPack(
        name=name,
        period=wanted.period,
        phrases=tuple(
            PackPhrase(phrase=phrase, found=len(by_phrase[i]), examples=examples[i])
            for i, phrase in maker.lexicon.phrases.items()
            if i in examples
        ),
        basis=maker.basis(material),
    )


def _found(own: Iterable[Card]) -> list[Costly]:
    """In order of time."""
    found = [costly for card in own for costly in card.counted]
    return sorted(found, key=lambda c: (c.call.said_at.timestamp() if c.call.said_at else 0.0, c.call.id, c.moment.at_s or 0.0))


def _roles(own: Iterable[Card]) -> tuple[Role, ...]:
    return tuple(role for role, _ in Counter(card.role for card in own).most_common())


def _examples(own: Iterable[Costly], number: int) -> list[Costly]:
    ordered = sorted(own, key=lambda c: (c.moment.standing is not Standing.CONFIRMED, -c.moment.score, c.moment.key))
    return list(islice(once(ordered, lambda costly: costly.moment.quote), number))


def _rows(own: Iterable[Card], name_of: Callable[[Card], str], maker: Maker) -> tuple[Row, ...]:
    by_name: dict[str, list[Card]] = {}
    for card in own:
        by_name.setdefault(name_of(card), []).append(card)
    return tuple(_row(name, by_name[name], maker) for name in sorted(by_name))


def _row(name: str, own: Sequence[Card], maker: Maker) -> Row:
    sums = figures(own, maker.start)
    return Row(name=name, figures=sums, few=sums.calls < maker.settings.feedback.min_calls)


def _compared(own: Sequence[Card], others: Sequence[Card], maker: Maker) -> Comparison:
    calls, rest = len({card.call.id for card in own}), len({card.call.id for card in others})
    fewest = maker.settings.feedback.min_calls
    if calls < fewest:
        return Comparison(apart=None, others=rest, sentence=f"本期共 {calls} 通，不足 {fewest} 通，分数只供参考，不与他人比较。")
    if rest < fewest:
        return Comparison(apart=None, others=rest, sentence=f"班组其他人本期共 {rest} 通，不足 {fewest} 通，不作比较。")
    apart = difference([card.points for card in own], [card.points for card in others])
    if apart is None or apart.low <= 0 <= apart.high:
        return Comparison(apart=apart, others=rest, sentence=f"与班组其他人（{rest} 通）相比，看不出可靠的差别。")
    way = "高" if apart.value > 0 else "低"
    ends = sorted((abs(apart.low), abs(apart.high)))
    return Comparison(
        apart=apart,
        others=rest,
        sentence=f"比班组其他人（{rest} 通）平均{way} {abs(apart.value):.1f} 分，按通话数估计在 {ends[0]:.1f} 到 {ends[1]:.1f} 分之间。",
    )


def _courtesies(maker: Maker, wanted: Wanted, material: Material) -> tuple[Courtesy, ...]:
    cues = load_cues()
    hits = {(moment.call_id, moment.utterance_id) for moment in material.moments if moment.standing is not Standing.CLEARED}
    return tuple(
        replace(c, example=replace(c.example, text=maker.redact(c.example.text)))
        for c in noticed(maker.source.agents_lines(wanted, words(cues)), hits, cues)
    )


def _blocks(counts: Iterable[PhraseCount], found: Sequence[Costly], maker: Maker) -> tuple[PhraseBlock, ...]:
    chosen = {c.phrase.id: _latest([f for f in found if f.moment.phrase_id == c.phrase.id], maker.settings.feedback.shown) for c in counts}
    made = maker.shown_by_phrase(chosen)
    return tuple(
        PhraseBlock(phrase=c.phrase, count=c.count, points=c.points, better=_sentence(c, found), shown=made[c.phrase.id]) for c in counts
    )


def _latest(own: Sequence[Costly], number: int) -> list[Costly]:
    """The latest, in order; those that a person confirmed before all others."""
    confirmed = [c for c in own if c.moment.standing is Standing.CONFIRMED]
    rest = [c for c in own if c.moment.standing is not Standing.CONFIRMED]
    taken = {c.moment.key for c in [*confirmed[::-1], *rest[::-1]][:number]}
    return [c for c in own if c.moment.key in taken]


def _sentence(count: PhraseCount, found: Sequence[Costly]) -> str:
    """Fitted to the role in which the phrase was said most."""
    role = Counter(c.moment.role for c in found if c.moment.phrase_id == count.phrase.id).most_common(1)[0][0]
    return better(count.phrase, role)


def _practise(
    counts: Sequence[PhraseCount], found: Sequence[Costly], others: Sequence[Costly], roles: Sequence[Role], maker: Maker
) -> tuple[Practice, ...]:
    wanted = _worth_practising(counts, found, others, roles, maker)
    return tuple(islice(once(wanted, lambda practice: practice.phrase.id), PRACTISE))


def _worth_practising(
    counts: Sequence[PhraseCount], found: Sequence[Costly], others: Sequence[Costly], roles: Sequence[Role], maker: Maker
) -> Iterator[Practice]:
    """What cost most; then what the team says most; then what the role's own section has that is gravest."""
    for c in sorted(counts, key=lambda c: (-c.points, -c.count, c.phrase.id)):
        yield Practice(phrase=c.phrase, sentence=_sentence(c, found), why=f"本期出现 {c.count} 次")
    for c in sorted(phrase_counts(others, maker.lexicon), key=lambda c: (-c.count, c.phrase.id)):
        yield Practice(phrase=c.phrase, sentence=_sentence(c, others), why="同班组较常遇到，提前练")
    role = roles[0] if roles else Role.RECEPTION
    section = [phrase for phrase in maker.lexicon.phrases.values() if own_section(phrase, role, maker.lexicon)]
    for phrase in sorted(section, key=lambda phrase: -maker.settings.scoring.deductions[phrase.severity]):
        yield Practice(phrase=phrase, sentence=better(phrase, role), why="本岗位容易遇到，提前练")
