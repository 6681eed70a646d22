"""Who did what, when: append-only.

In: an actor, an action, a subject. Out: rows, and whether the chain holds. The one decision: an entry is written in the transaction of what it tells of,
so that there is neither a change without an entry nor an entry without its change. Database triggers refuse updates and deletions; each digest covers
the one before, so that what was changed behind the triggers' back is found. Nothing said in a call belongs into `details`: it would outlive the call.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from phrasecheck.store.database import Database
from phrasecheck.store.tables import AuditRow

SYSTEM = "system"  # the actor when no person is
START = "0" * 64  # what the first entry stands on


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit trail."""

    database: Database

    def note(self, actor: str, action: str, subject: str, **details: object) -> None:
        """An entry by itself, for what changes nothing (a recording was listened to, a list was exported)."""
        with self.database.write() as session:
            self.add(session, actor, action, subject, **details)

    def add(self, session: Session, actor: str, action: str, subject: str, **details: object) -> None:
        """An entry in the transaction of what it tells of; to be called last, for nobody else can add one until that ends."""
        self.database.alone(session, "audit")
        previous = session.scalar(select(AuditRow.digest).order_by(AuditRow.id.desc()).limit(1)) or START
        row = AuditRow(at=self.database.now(), actor=actor, action=action, subject=subject, details=details)
        row.digest = _digest(row, previous)
        session.add(row)

    def entries(
        self,
        subject: str | None = None,
        before: int | None = None,
        limit: int = 100,
        *,
        actor: str | None = None,
        action: str | None = None,
    ) -> list[AuditRow]:
        """The latest entries, newest first; of one subject, actor, action («call» finds «call.upload» too), older than the entry `before`."""
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(AuditRow.subject == subject)
        if actor is not None:
            query = query.where(AuditRow.actor == actor)
        if action is not None:
            query = query.where((AuditRow.action == action) | AuditRow.action.startswith(f"{action}.", autoescape=True))
        if before is not None:
            query = query.where(AuditRow.id < before)
        with self.database.read() as session:
            return list(session.scalars(query))

    def first_broken(self) -> int | None:
        """The id of the first entry that was changed, or whose predecessor was changed or is gone; None when the chain holds.

        Entries cut off at the end cannot be seen from inside: keep `last_digest` elsewhere now and then.
        """
        previous = START
        for row in self._all():
            if row.digest != _digest(row, previous):
                return row.id
            previous = row.digest
        return None

    def last_digest(self) -> str:
        """What stands for the whole trail so far."""
        latest = self.entries(limit=1)
        return latest[0].digest if latest else START

    def holds(self, digest: str) -> bool:
        """Is the entry still there whose digest somebody wrote down elsewhere (so that nothing was cut off behind it)?"""
        with self.database.read() as session:
            return digest == START or session.scalar(select(AuditRow.id).where(AuditRow.digest == digest)) is not None

    def _all(self) -> Iterator[AuditRow]:
        with self.database.read() as session:
            yield from session.scalars(select(AuditRow).order_by(AuditRow.id).execution_options(yield_per=1000))


def _digest(row: AuditRow, previous: str) -> str:
    told = [previous, _iso(row.at), row.actor, row.action, row.subject, row.details]
    return sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
