"""The lexicon in force, for pages: its clauses, sections and better sentences.

In: the desk. Out: a Lexicon. The one decision: reading the YAML files takes a quarter of a second and they change once in a month, so
what was read is kept until a file or the version in force is another one.
"""

from functools import lru_cache
from pathlib import Path

from phrasecheck.lexicon import Lexicon
from phrasecheck.service.desk import Desk
from phrasecheck.store.lexicons import lexicon_of

_Stamp = tuple[Path, int]  # a file and when it was changed


def book(here: Desk) -> Lexicon:
    """Raises LexiconError."""
    version = here.store.lexicons.active()
    return _read(version.body if version else None, tuple((path, _changed(path)) for path in here.settings.lexicons))


@lru_cache(maxsize=4)
def _read(body: str | None, files: tuple[_Stamp, ...]) -> Lexicon:
    return lexicon_of(body, [path for path, _ in files])


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0  # reading says what is wrong
