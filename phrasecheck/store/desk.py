"""Two small things that belong to people: «never flag this wording», and lists they want again.

In: what they wrote. Out: rows. The one decision: an allowance is for one phrase in one wording, compared as matching
compares (normalize.py), so that sparing one sentence never switches a phrase off; it is ended, not deleted.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import select

from phrasecheck.errors import InputError, NotFoundError
from phrasecheck.normalize import normalize
from phrasecheck.store.audit import Audit
from phrasecheck.store.database import Database
from phrasecheck.store.listing import Filter
from phrasecheck.store.tables import AllowanceRow, SavedFilterRow, UserRow
from phrasecheck.types import Hit


@dataclass(frozen=True, slots=True)
class Allowances:
    """The allow-list."""

    database: Database
    audit: Audit

    def add(self, phrase_id: str, wording: str, author: UserRow) -> AllowanceRow:
        """From now on. Adding the same again gives the one that is there. Raises InputError for a wording without words."""
        comparable = normalize(wording).text
        if not comparable:
            raise InputError(f"放行的说法里没有字：收到「{wording}」，请写出不该标记的那句话")
        with self.database.write() as session:
            same = select(AllowanceRow).where(AllowanceRow.phrase_id == phrase_id, AllowanceRow.comparable == comparable)
            row = session.scalar(same.where(AllowanceRow.removed_at.is_(None)))
            if row is None:
                row = AllowanceRow(phrase_id=phrase_id, wording=wording, comparable=comparable, author_id=author.id)
                row.created_at = self.database.now()
                session.add(row)
                session.flush()
                self.audit.add(session, author.name, "allowance.add", f"allowance:{row.id}", phrase=phrase_id)
            return row

    def remove(self, allowance_id: int, user: UserRow) -> None:
        """From now on it is flagged again. Raises NotFoundError."""
        with self.database.write() as session:
            row = session.get(AllowanceRow, allowance_id, with_for_update=True)
            if row is None or row.removed_at is not None:
                raise NotFoundError(f"没有放行条目 {allowance_id}，或它已撤销：请刷新后再看")
            row.removed_at, row.removed_by = self.database.now(), user.id
            self.audit.add(session, user.name, "allowance.remove", f"allowance:{row.id}", phrase=row.phrase_id)

    def active(self) -> list[AllowanceRow]:
        """Those in force."""
        return self._list(removed=False)

    def pairs(self) -> frozenset[tuple[str, str]]:
        """Those in force as matching takes them (pipeline.Allowed): phrase and comparable wording."""
        return frozenset((row.phrase_id, row.comparable) for row in self.active())

    def removed(self) -> list[AllowanceRow]:
        """Those that were."""
        return self._list(removed=True)

    def _list(self, *, removed: bool) -> list[AllowanceRow]:
        ended = AllowanceRow.removed_at.is_not(None) if removed else AllowanceRow.removed_at.is_(None)
        with self.database.read() as session:
            return list(session.scalars(select(AllowanceRow).where(ended).order_by(AllowanceRow.id)))


def allowed(hit: Hit, allowances: Iterable[AllowanceRow]) -> bool:
    """Is this hit one that somebody said never to flag?"""
    quote = normalize(hit.quote).text
    return any(row.phrase_id == hit.phrase_id and row.comparable == quote for row in allowances)


@dataclass(frozen=True, slots=True)
class SavedFilters:
    """Each user's own."""

    database: Database

    def save(self, user_id: int, name: str, wanted: Filter) -> None:
        """Under a name; one of that name is replaced. Raises InputError."""
        if not name.strip():
            raise InputError("请给这组筛选条件起个名字")
        with self.database.write() as session:
            query = select(SavedFilterRow).where(SavedFilterRow.user_id == user_id, SavedFilterRow.name == name.strip())
            row = session.scalar(query) or SavedFilterRow(user_id=user_id, name=name.strip())
            row.filter = _FILTER.dump_python(wanted, mode="json", exclude_none=True)
            session.add(row)

    def of(self, user_id: int) -> dict[str, Filter]:
        """A user's filters by name."""
        query = select(SavedFilterRow).where(SavedFilterRow.user_id == user_id).order_by(SavedFilterRow.name)
        with self.database.read() as session:
            return {row.name: _FILTER.validate_python(row.filter) for row in session.scalars(query)}

    def delete(self, user_id: int, name: str) -> None:
        """Gone afterwards."""
        with self.database.write() as session:
            for row in session.scalars(select(SavedFilterRow).where(SavedFilterRow.user_id == user_id, SavedFilterRow.name == name)):
                session.delete(row)


_FILTER = TypeAdapter(Filter)
