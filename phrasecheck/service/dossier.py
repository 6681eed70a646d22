"""One call as its page shows it: a version of its result with what people have said of it, as this visitor may see it.

In: the store, a visitor, a call. Out: a Dossier. The one decision: the stored result is judged (scoring.judged), then shielded
(shield.py), and everything on the page is drawn from that; what may be done to a hit is asked of the table in store/states.py, so a
button is there exactly when its press would be taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from phrasecheck.feedback.better import better
from phrasecheck.report.timeline import Timeline, timeline
from phrasecheck.report.view import HitView, Piece, hit_views, pieces
from phrasecheck.scoring import judged
from phrasecheck.service import shield
from phrasecheck.service.book import book
from phrasecheck.service.desk import Desk
from phrasecheck.service.security import Visitor
from phrasecheck.store.results import prices, verdicts
from phrasecheck.store.reviews import possible
from phrasecheck.store.states import ReviewState, Verb
from phrasecheck.store.tables import CallRow, HitRow, ResultRow, ReviewRow
from phrasecheck.types import CallResult, Scorecard, Speaker, Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One review and who gave it."""

    review: ReviewRow
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A hit with its history, and what the visitor may do to it; `until` is the end of the time for an appeal. `row` is None
    in an earlier version."""

    view: HitView
    row: HitRow | None
    history: Sequence[Said]
    verbs: Sequence[Verb]
    until: datetime | None
    instead: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All there is to show of a call that has a result."""

    call: CallRow
    result: CallResult
    cards: Sequence[tuple[Scorecard, Scorecard]]  # after the verdicts, and before
    moments: Sequence[Moment]
    gone: Sequence[tuple[HitRow, Sequence[Said]]]  # judged once, and claimed by this version no more
    spoken: Sequence[tuple[Utterance, Sequence[Piece]]]
    timeline: Timeline
    version: ResultRow
    versions: Sequence[ResultRow]


def dossier(here: Desk, who: Visitor, call: CallRow, version: str | None = None) -> Dossier:
    """Raises NotFoundError when there is no (such) result."""
    found = here.store.results.get(call.id, version)
    versions = here.store.results.versions(call.id)
    shown = next(row for row in versions if (row.current and version is None) or row.version == version)
    rows = {(row.utterance_id, row.phrase_id, row.quote): row for row in here.store.results.moments(call.id)}
    claimed = {(h.utterance_id, h.phrase_id, h.start): rows[h.utterance_id, h.phrase_id, h.quote] for h in found.hits}
    cards = judged(found.scorecards, verdicts(claimed.values()), prices(found))
    result = shield.shielded(who, replace(found, scorecards=cards))
    lexicon = book(here)
    views = hit_views(result, lexicon)
    histories = _histories(here, call.id)
    made_at = {row.id: row.made_at for row in versions}
    claims = [(view, claimed[view.hit.utterance_id, view.hit.phrase_id, view.hit.start]) for view in views]
    return Dossier(
        call=call,
        result=result,
        cards=list(zip(cards, found.scorecards, strict=True)),
        moments=[_moment(here, who, view, row, histories.get(row.id, []), made_at, current=shown.current) for view, row in claims],
        gone=[(row, histories[row.id]) for row in rows.values() if row.id in histories and row not in claimed.values()],
        spoken=[(utterance, pieces(utterance, views)) for utterance in result.transcript.utterances],
        timeline=timeline(result, views),
        version=shown,
        versions=versions,
    )


def _moment(
    here: Desk, who: Visitor, view: HitView, row: HitRow, history: Sequence[Said], made_at: dict[int, datetime], *, current: bool
) -> Moment:
    until = here.store.reviews.until(history[-1].review.at if history else made_at[row.result_id])
    verbs = possible(row.state, who.permission) if current else []
    if here.store.database.now() > until or (row.doubtful and row.state is ReviewState.NEW):
        verbs = [verb for verb in verbs if verb is not Verb.APPEAL]
    role = view.finding.role if view.finding else row.role
    instead = None if view.phrase is None else better(view.phrase, role) if role else view.phrase.instead
    return Moment(
        view=view,
        row=row if current else None,
        history=history,
        verbs=verbs,
        until=until if Verb.APPEAL in verbs else None,
        instead=instead,
    )


def _histories(here: Desk, call_id: str) -> dict[int, list[Said]]:
    names = here.store.accounts.names()
    found: dict[int, list[Said]] = {}
    for review in here.store.reviews.of_call(call_id):
        found.setdefault(review.hit_id, []).append(Said(review=review, who=names[review.user_id]))
    return found


def warnings(dossier: Dossier) -> list[tuple[str, str]]:
    """What the reader should know before he judges: what was odd about the file, and how sure it is who spoke. (Chinese, English)"""
    told = [(text, text) for text in dossier.result.call.warnings]
    unsure = sum(u.speaker is Speaker.UNSURE for u in dossier.result.transcript.utterances)
    if unsure:
        told.append(
            (f"{unsure} 句话不确定是谁说的：其中的命中先听再定，确认前不计分", f"{unsure} utterances of an unknown speaker: listen first")
        )
    if dossier.result.transcript.speakers.agent_channel is None:
        told.append(("没能认出哪一方是坐席，所以没有得分", "Nobody is known to be the agent, so there are no points"))
    return told
