"""The matcher of the lexicon in force, which changes while programs run.

In: settings, a store. Out: a Lease on a Matcher: `use()` lends that of the version in force at that moment, `version(3)` that of another one. The
one decision: the encoders are loaded once; a version of the lexicon costs its own few lines.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

import numpy as np

from phrasecheck.build import build_matcher
from phrasecheck.engines.lease import Lease
from phrasecheck.lexicon import Lexicon
from phrasecheck.matching.matcher import Matcher
from phrasecheck.matching.reading import Encoder
from phrasecheck.prints import Ground, ground
from phrasecheck.settings import Settings
from phrasecheck.store.lexicons import lexicon_of
from phrasecheck.store.store import Store

KEPT = 3  # versions held at a time: the one in force, and those somebody tries
Build = Callable[[Settings, Lexicon | None, Sequence[Encoder] | None], Matcher]


class CurrentMatcher(Lease[Matcher]):
    """Follows store.lexicons. What `use` lends stays what it is until it is given back."""

    def __init__(self, settings: Settings, store: Store, build: Build = build_matcher) -> None:
        super().__init__(lambda: build(settings, None, None))
        self._settings, self._store, self._build = settings, store, build
        self._versions: dict[int, Matcher] = {}
        self._ground: Ground | None = None
        self._making = Lock()

    @contextmanager
    def use(self) -> Iterator[Matcher]:
        """That of the version in force. Raises LexiconError, ModelError."""
        with self.version(self._store.lexicons.active_number()) as matcher:
            yield matcher

    @contextmanager
    def version(self, number: int) -> Iterator[Matcher]:
        """That of any version; 0: of the lexicon files alone. Raises NotFoundError, LexiconError."""
        with super().use() as plain:
            yield self._of(plain, number) if number else plain

    def ground(self) -> Ground | None:
        """What prints are taken against; None without encoders."""
        with super().use() as plain, self._making:
            neighbours = plain.parts.neighbours
            if self._ground is None and neighbours is not None:
                shipped = [i for i, line in enumerate(neighbours.lines) if line.kind not in {"example", "fine"}]  # own_lines' kinds
                self._ground = ground(plain.parts.encoders[0], neighbours.only(np.array(shipped, dtype=np.intp)))
            return self._ground

    def unload(self) -> bool:
        """Let go of everything."""
        with self._making:
            self._versions.clear()
            self._ground = None
        return super().unload()

    def _of(self, plain: Matcher, number: int) -> Matcher:
        with self._making:
            made = self._versions.pop(number, None)
            if made is None:
                lexicon = lexicon_of(self._store.lexicons.get(number).body, self._settings.lexicons)
                made = self._build(self._settings, lexicon, plain.parts.encoders)
            self._versions[number] = made
            while len(self._versions) > KEPT:
                del self._versions[next(iter(self._versions))]
            return made
