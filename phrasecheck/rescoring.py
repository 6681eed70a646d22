"""Rescorings at work, a few seconds at a time: what a worker does between calls.

In: a store, the matchers of its lexicon versions. Out: previews that become ready, results that are put in place, prints for later. The one
decision: `turn` does a little and comes back, so that recordings never wait long behind a rescoring, and what is done is stored at once.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic

from phrasecheck.current import CurrentMatcher
from phrasecheck.errors import LeaseLostError, LexiconError, NotFoundError, PhrasecheckError
from phrasecheck.lexicon import Lexicon
from phrasecheck.matching.matcher import Matcher
from phrasecheck.pipeline import Allowed
from phrasecheck.prints import Ground, Prints, take, units, unpacked
from phrasecheck.rescore import Screen, changes, comparable, rescore, screen
from phrasecheck.settings import Settings
from phrasecheck.store.lexicons import lexicon_of
from phrasecheck.store.rescores import Judged, Open
from phrasecheck.store.store import Store
from phrasecheck.store.tables import PrintRow, RescoreRow, RescoreState
from phrasecheck.types import CallResult

AT_ONCE = 20  # calls in one transaction
TURN_S = 5.0
REST_S = 60.0  # looking for calls without prints walks through all of them
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Rescoring:
    """Holds what serves several turns: the lexicons that made the stored results, and how they differ from the one asked for."""

    store: Store
    settings: Settings
    matchers: CurrentMatcher
    _lexicons: dict[str, Lexicon | None] = field(default_factory=dict)
    _screens: dict[tuple[str, str], Screen] = field(default_factory=dict)
    _rest_until: float = 0.0

    def turn(self) -> bool:
        """Some seconds of work; False when there was nothing to do."""
        claimed = self.store.rescores.claim()
        if claimed is None:
            return self._fill()
        try:
            self._work(claimed)
            self.store.rescores.let_go(claimed)
        except LeaseLostError as error:  # cancelled
            log.info("%s", error)
        except (LexiconError, NotFoundError) as error:
            self.store.rescores.fail(claimed, str(error))
        return True

    def _work(self, claimed: RescoreRow) -> None:
        until, step = monotonic() + TURN_S, self._step(claimed)
        while step() and monotonic() < until:
            pass

    def _step(self, claimed: RescoreRow) -> Callable[[], bool]:
        if claimed.state is RescoreState.APPLYING:
            return lambda: self.store.rescores.put_next(claimed, AT_ONCE) > 0
        return lambda: self._preview(claimed)

    def _preview(self, claimed: RescoreRow) -> bool:
        waiting = self.store.rescores.waiting(claimed, AT_ONCE)
        allowed = self.store.allowances.pairs()
        done: list[Judged] = []
        failed: dict[int, str] = {}
        with self.matchers.version(claimed.version_id or 0) as matcher:
            for one in waiting:
                try:
                    done.append(self._judged(one, matcher, allowed))
                except PhrasecheckError as error:  # what is wrong with one call holds up no other
                    failed[one.item] = str(error)
        self.store.rescores.judged(claimed, done, failed)
        return bool(waiting)

    def _judged(self, one: Open, matcher: Matcher, allowed: Allowed) -> Judged:
        old = one.result
        difference = self._difference(old, matcher)
        prints, new = self._prints(one, difference)
        result = rescore(old, matcher, self.settings, allowed, difference, None if prints is None else list(prints))
        return Judged(open=one, result=result, changes=changes(old, result), prints=prints if new else None)

    def _difference(self, old: CallResult, matcher: Matcher) -> Screen | None:
        """What the change can touch; None: nobody knows, so everything is judged again."""
        if not comparable(old, matcher, self.settings):
            return None
        before = self._lexicon(old.provenance.lexicon_sha256)
        if before is None:
            return None
        key = (before.sha256, matcher.parts.lexicon.sha256)
        if key not in self._screens:
            self._screens[key] = screen(before, matcher)
        return self._screens[key]

    def _lexicon(self, sha256: str) -> Lexicon | None:
        """The lexicon of this digest, made again from its version."""
        if sha256 not in self._lexicons:
            version = self.store.lexicons.with_sha256(sha256)
            made = lexicon_of(version.body if version else None, self.settings.lexicons)
            self._lexicons[sha256] = made if made.sha256 == sha256 else None
        return self._lexicons[sha256]

    def _prints(self, one: Open, difference: Screen | None) -> tuple[Prints | None, bool]:
        """The call's prints where they are needed, and whether they are new."""
        ground = self.matchers.ground() if difference is not None and difference.needs_prints else None
        return (None, False) if ground is None else self._taken(one.result, one.prints, ground)

    def _taken(self, result: CallResult, kept: PrintRow | None, ground: Ground) -> tuple[Prints, bool]:
        of = units(result.transcript, self.settings.matching.join_gap_s)
        if kept is not None and kept.maker == ground.maker(of):
            return unpacked(kept.maker, kept.body), False
        return take(of, ground), True

    def _fill(self) -> bool:
        """Prints of calls that have none of this ground, so that the first rescoring is as quick as the next. Once all have, it is not asked for a while."""
        if monotonic() < self._rest_until or (ground := self.matchers.ground()) is None:
            return False
        calls = self.store.rescores.without_prints(ground.prefix, AT_ONCE)
        self.store.rescores.keep({call: self._taken_or_none(call, ground) for call in calls})
        if not calls:
            self._rest_until = monotonic() + REST_S
        return bool(calls)

    def _taken_or_none(self, call_id: str, ground: Ground) -> Prints:
        """Nothing for a result that cannot be read: it is not to be tried for ever."""
        try:
            return self._taken(self.store.results.get(call_id), None, ground)[0]
        except PhrasecheckError as error:
            log.warning("no prints of call %s: %s", call_id, error, extra={"call": call_id})
            return replace(take([], ground), maker=ground.prefix)
