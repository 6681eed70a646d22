"""Lexicons for pages: their clauses, sections and better sentences.

In: the desk. Out: a Lexicon: the one in force, or that of any version's text. The one decision: reading the YAML files takes a quarter of a
second and they change once in a month, so what was read is kept until a file or the version is another one.
"""

from functools import lru_cache
from pathlib import Path

from phrasecheck.lexicon import Lexicon
from phrasecheck.service.desk import Desk
from phrasecheck.store.lexicons import lexicon_of

_Stamp = tuple[Path, int]  # a file and when it was changed


def book(here: Desk) -> Lexicon:
    """The lexicon in force. Raises LexiconError."""
    version = here.store.lexicons.active()
    return book_of(here, version.body if version else None)


def book_of(here: Desk, body: str | None) -> Lexicon:
    """The lexicon files with a version's text over them (None: without). Raises LexiconError."""
    return _read(body, tuple((path, _changed(path)) for path in here.settings.lexicons))


@lru_cache(maxsize=8)
def _read(body: str | None, files: tuple[_Stamp, ...]) -> Lexicon:
    return lexicon_of(body, [path for path, _ in files])


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0  # reading says what is wrong
