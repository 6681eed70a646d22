"""Versions of the company's additions to the lexicon; and the lexicon that is in force.

In: the YAML of additions. Out: versions, counted from 1, and Lexicons made with them. The one decision: a version is never changed. Saving makes a
new one, going back puts an earlier one in force again, so every result can name the lexicon that made it and that lexicon can be made again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import defer

from phrasecheck.errors import LexiconError, NotFoundError, RefusedError
from phrasecheck.lexicon import Lexicon, below, combine, read_files
from phrasecheck.lexiconfile import Fault, read_text
from phrasecheck.settings import Settings
from phrasecheck.store.audit import Audit
from phrasecheck.store.database import Database
from phrasecheck.store.tables import LexiconVersionRow, UserRow

NAME = "company"  # the id of a first version
EMPTY = """schema_version: 1
id: {name}
version: "0"
title: 公司补充
extends: {extends}
phrases: []
"""


@dataclass(frozen=True, slots=True)
class Lexicons:
    """The lexicon_versions table."""

    database: Database
    audit: Audit

    def add(self, body: str, sha256: str, note: str, author: UserRow, *, after: int, active: bool = False) -> LexiconVersionRow:
        """A new version behind the version `after` (0: there was none). Raises RefusedError when somebody else has saved one in between."""
        with self.database.write() as session:
            self.database.alone(session, "lexicon")
            latest = session.scalar(select(func.max(LexiconVersionRow.id))) or 0
            if latest != after:
                raise RefusedError(f"打开页面时最新的是第 {after} 版，现在已有第 {latest} 版：请打开最新一版，把您的改动再做一次")
            if active:
                session.execute(update(LexiconVersionRow).where(LexiconVersionRow.active).values(active=False))
            row = LexiconVersionRow(
                id=latest + 1, body=numbered(body, latest + 1), sha256=sha256, note=note.strip(), author_id=author.id, active=active
            )
            row.made_at = self.database.now()
            session.add(row)
            session.flush()
            self.audit.add(session, author.name, "lexicon.save", f"lexicon:{row.id}", note=row.note, active=active)
            return row

    def activate(self, number: int | None, author: UserRow) -> None:
        """In force from now on; None: no version is, the lexicon files stand alone. Raises NotFoundError."""
        with self.database.write() as session:
            self.database.alone(session, "lexicon")
            row = None if number is None else session.get(LexiconVersionRow, number)
            if number is not None and row is None:
                raise _missing(number)
            session.execute(update(LexiconVersionRow).where(LexiconVersionRow.active).values(active=False))
            if row is not None:
                row.active = True
            self.audit.add(session, author.name, "lexicon.activate", f"lexicon:{number or 0}")

    def active(self) -> LexiconVersionRow | None:
        """The version in force."""
        with self.database.read() as session:
            return session.scalar(select(LexiconVersionRow).where(LexiconVersionRow.active))

    def active_number(self) -> int:
        """Of the version in force, 0 for none: quick, to be asked before every call."""
        with self.database.read() as session:
            return session.scalar(select(LexiconVersionRow.id).where(LexiconVersionRow.active)) or 0

    def get(self, number: int) -> LexiconVersionRow:
        """Raises NotFoundError."""
        with self.database.read() as session:
            row = session.get(LexiconVersionRow, number)
        if row is None:
            raise _missing(number)
        return row

    def latest(self) -> int:
        """The number of the last version, 0 for none."""
        with self.database.read() as session:
            return session.scalar(select(func.max(LexiconVersionRow.id))) or 0

    def versions(self) -> list[tuple[LexiconVersionRow, str]]:
        """All with their authors' names, without their bodies, the latest first."""
        query = (
            select(LexiconVersionRow, UserRow.name)
            .options(defer(LexiconVersionRow.body))
            .join(UserRow, UserRow.id == LexiconVersionRow.author_id)
            .order_by(LexiconVersionRow.id.desc())
        )
        with self.database.read() as session:
            return [(row, name) for row, name in session.execute(query)]

    def with_sha256(self, sha256: str) -> LexiconVersionRow | None:
        """The version that made a lexicon of this digest, the latest of several."""
        query = select(LexiconVersionRow).where(LexiconVersionRow.sha256 == sha256).order_by(LexiconVersionRow.id.desc()).limit(1)
        with self.database.read() as session:
            return session.scalar(query)


def _missing(number: int) -> NotFoundError:
    return NotFoundError(f"没有第 {number} 版词库：请在「词库 → 版本」里核对")


def numbered(body: str, number: int) -> str:
    """The same file with the version's number in it; comments stay."""
    return re.sub(r"(?m)^version:.*$", f'version: "{number}"', body, count=1)


# --- lexicons made of them ----------------------------------------------------------------------------------------------------------


def lexicon_in_force(lexicons: Lexicons, settings: Settings) -> Lexicon:
    """The shipped lexicon, the files of settings.lexicons, the active version over them. Raises LexiconError."""
    row = lexicons.active()
    return lexicon_of(row.body if row else None, settings.lexicons)


def lexicon_of(body: str | None, overlays: Sequence[Path]) -> Lexicon:
    """The lexicon files with a version's additions over them (None: without). Raises LexiconError."""
    files = read_files(overlays)
    if body is None:
        return combine(files)
    fields, faults = read_text(body, below(files))
    if fields is None:
        raise LexiconError([f"公司补充:{fault.line}: {fault.reason}" for fault in faults])
    return combine([*files, fields])


def tried(body: str, overlays: Sequence[Path]) -> tuple[Lexicon | None, dict[str, Any] | None, list[Fault]]:
    """The lexicon and the fields that a body would make; or what is wrong with it."""
    files = read_files(overlays)
    fields, faults = read_text(body, below(files))
    return (None, None, faults) if fields is None else (combine([*files, fields]), fields, [])


def blank(overlays: Sequence[Path]) -> str:
    """A body that changes nothing, to begin with."""
    return EMPTY.format(name=NAME, extends=read_files(overlays)[0]["id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How one phrase differs between two lexicons: `fields` name -> (before, after). Added: no before; removed (or switched off): no after."""

    phrase_id: str
    kind: str  # added, removed, changed
    fields: Mapping[str, tuple[Any, Any]]


COMPARED = ("section", "text", "severity", "severity_reason", "fatal", "why", "instead", "spellings", "examples", "fine")


def compare(old: Lexicon, new: Lexicon) -> list[Change]:
    """Every phrase that differs, in the order of the new lexicon, those that are gone last."""
    changes = []
    for phrase_id in dict.fromkeys([*new.phrases, *old.phrases]):
        before, after = _fields(old, phrase_id), _fields(new, phrase_id)
        if before == after:
            continue
        kind = "added" if before is None else "removed" if after is None else "changed"
        before, after = before or {}, after or {}
        differing = {name: (before.get(name), after.get(name)) for name in (*COMPARED, "alone") if before.get(name) != after.get(name)}
        changes.append(Change(phrase_id=phrase_id, kind=kind, fields=differing))
    return changes


def _fields(lexicon: Lexicon, phrase_id: str) -> dict[str, Any] | None:
    phrase = lexicon.phrases.get(phrase_id)
    if phrase is None:
        return None
    alone = tuple(clause.text for clause in phrase.clauses if clause.alone and len(phrase.clauses) > 1)
    return {**{name: getattr(phrase, name) for name in COMPARED}, "alone": alone}
