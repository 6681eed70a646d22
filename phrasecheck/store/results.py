"""Results of calls: stored whole, with their hits and words beside them for finding.

In: CallResults. Out: rows, and CallResults again. The one decision: a result's version is the digest of all that made it (lexicon, settings,
models, software), and a call has at most one of each; the body is the published result file (report/json), hits and utterances are its index.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, undefer

from phrasecheck.errors import NotFoundError, RefusedError
from phrasecheck.report.json import from_json, to_json
from phrasecheck.scoring import Verdicts, judged
from phrasecheck.settings import ScoreSettings
from phrasecheck.store.audit import Audit
from phrasecheck.store.calls import Claim, existing, held
from phrasecheck.store.database import Database
from phrasecheck.store.listing import CLAIMED
from phrasecheck.store.search import sounds
from phrasecheck.store.states import CallState, next_call, ruling
from phrasecheck.store.tables import CallRow, HitRow, ResultRow, UtteranceRow
from phrasecheck.store.webhooks import announce
from phrasecheck.types import CallResult, HitState, Provenance, Speaker, Utterance


@dataclass(frozen=True, slots=True)
class Results:
    """The results table with its index."""

    database: Database
    audit: Audit

    def finish(self, claim: Claim, result: CallResult) -> ResultRow:
        """A worker is done: the result and the state DONE, in one transaction. Raises LeaseLostError when the call is not its own any more."""
        with self.database.write() as session:
            call = held(session, claim)
            row = self.put(session, call, result)
            call.state, call.reason, call.lease, call.lease_until = next_call(call.state, CallState.DONE), None, None, None
            announce(session, call, self.database.now())
            return row

    def rescore(self, call_id: str, result: CallResult, actor: str) -> ResultRow:
        """A result from the stored transcript with another lexicon or settings, current from now on. Raises RefusedError unless the call is DONE."""
        with self.database.write() as session:
            call = existing(session, call_id, lock=True)
            if call.state is not CallState.DONE:
                raise RefusedError(f"通话现在是 {call.state}，只有 {CallState.DONE} 的才能重新评判：请等检查结束")
            row = self.put(session, call, result)
            self.audit.add(session, actor, "call.rescore", f"call:{call_id}", version=row.version)
            return row

    def put(self, session: Session, call: CallRow, result: CallResult) -> ResultRow:
        """A result of a call, current from now on, in somebody else's transaction."""
        result = replace(
            result, call=replace(result.call, id=call.id, source=call.source)
        )  # the file it was read from is named by its hash
        session.execute(update(ResultRow).where(ResultRow.call_id == call.id, ResultRow.current).values(current=False))
        version = version_of(result.provenance)
        row = session.scalar(select(ResultRow).where(ResultRow.call_id == call.id, ResultRow.version == version))
        if row is None:
            row = _row(result, version)
            row.made_at = self.database.now()
            session.add(row)
        row.current = True
        session.flush()
        stored = _body(session, row)  # of two results with one version the first stays, so the index is made from what is stored
        _index_hits(session, row, stored)
        judge(session, row, stored)
        _index_words(session, call.id, stored.transcript.utterances)
        return row

    def get(self, call_id: str, version: str | None = None) -> CallResult:
        """The current result, or that of a version. Raises NotFoundError."""
        with self.database.read() as session:
            query = select(ResultRow).where(ResultRow.call_id == call_id).options(undefer(ResultRow.body))
            row = session.scalar(query.where(ResultRow.current if version is None else ResultRow.version == version))
            if row is None:
                raise NotFoundError(f"通话 {call_id} 还没有结果：请等检查结束，或看它失败的原因")
            return from_json(row.body)

    def versions(self, call_id: str) -> list[ResultRow]:
        """All results of a call without their bodies, the latest first."""
        query = select(ResultRow).where(ResultRow.call_id == call_id).order_by(ResultRow.made_at.desc(), ResultRow.id.desc())
        with self.database.read() as session:
            return list(session.scalars(query))

    def hits(self, call_id: str) -> list[HitRow]:
        """The moments that the current result claims, in the order of the call."""
        with self.database.read() as session:
            return list(session.scalars(CLAIMED.where(HitRow.call_id == call_id).order_by(HitRow.at_s, HitRow.id)))

    def moments(self, call_id: str) -> list[HitRow]:
        """All moments of a call that any result ever claimed, in the order of the call."""
        query = select(HitRow).where(HitRow.call_id == call_id).order_by(HitRow.at_s, HitRow.id)
        with self.database.read() as session:
            return list(session.scalars(query))


def judge(session: Session, row: ResultRow, stored: CallResult | None = None) -> None:
    """Set the points that a result has after the verdicts; to be called when either of them is new."""
    session.flush()
    stored = stored or _body(session, row)
    cards = judged(stored.scorecards, verdicts(session.scalars(select(HitRow).where(HitRow.result_id == row.id))), prices(stored))
    row.judged_points = min((card.points for card in cards), default=None)


def verdicts(moments: Iterable[HitRow]) -> Verdicts:
    """What people have said of these moments, as scoring takes it."""
    said = {(moment.utterance_id, moment.phrase_id): ruling(moment.state) for moment in moments}
    return {key: stands for key, stands in said.items() if stands is not None}


def prices(result: CallResult) -> ScoreSettings:
    """The score settings that a result was made with, and is judged with."""
    return ScoreSettings(**result.provenance.settings.get("scoring", {}))  # type: ignore[arg-type]


def version_of(provenance: Provenance) -> str:
    """Two results of one call are of one version when the same things made them."""
    return sha256(json.dumps(asdict(provenance), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _row(result: CallResult, version: str) -> ResultRow:
    return ResultRow(
        call_id=result.call.id,
        version=version,
        lexicon=result.provenance.lexicon,
        points=min((card.points for card in result.scorecards), default=None),
        seconds=result.call.seconds,
        unsure=any(utterance.speaker is Speaker.UNSURE for utterance in result.transcript.utterances),
        roles=" ".join(card.role for card in result.scorecards),
        body=to_json(result),
    )


def _body(session: Session, row: ResultRow) -> CallResult:
    body = session.scalar(select(ResultRow.body).where(ResultRow.id == row.id))
    assert body is not None
    return from_json(body)


def _index_hits(session: Session, result: ResultRow, stored: CallResult) -> None:
    """New moments are added; those that are there already are claimed by this result from now on and keep their reviews."""
    there = {(h.utterance_id, h.phrase_id, h.quote): h for h in session.scalars(select(HitRow).where(HitRow.call_id == result.call_id))}
    roles = {utterance.id: utterance.role or stored.call.role for utterance in stored.transcript.utterances}
    unsure = {utterance.id for utterance in stored.transcript.utterances if utterance.speaker is Speaker.UNSURE}
    for hit in stored.hits:
        key = (hit.utterance_id, hit.phrase_id, hit.quote)
        row = there.get(key)
        if row is None:
            row = there[key] = HitRow(call_id=result.call_id, utterance_id=key[0], phrase_id=key[1], quote=key[2])
            row.section = hit.phrase_id.rpartition(".")[0] or hit.phrase_id
            session.add(row)
        row.result_id, row.at_s, row.score = result.id, hit.start_s, hit.score
        row.doubtful = hit.state is HitState.DOUBTFUL or hit.utterance_id in unsure  # neither counts until somebody has listened
        row.role = roles.get(hit.utterance_id, stored.call.role)


def _index_words(session: Session, call_id: str, utterances: Sequence[Utterance]) -> None:
    """Another lexicon leaves the words as they are."""
    there = session.execute(
        select(UtteranceRow.utterance_id, UtteranceRow.text, UtteranceRow.speaker)
        .where(UtteranceRow.call_id == call_id)
        .order_by(UtteranceRow.id)
    )
    if [tuple(row) for row in there] == [(u.id, u.text, u.speaker.value) for u in utterances]:
        return
    session.execute(delete(UtteranceRow).where(UtteranceRow.call_id == call_id))
    session.add_all(
        UtteranceRow(call_id=call_id, utterance_id=u.id, speaker=u.speaker.value, start_s=u.start, text=u.text, pinyin=sounds(u.text))
        for u in utterances
    )
