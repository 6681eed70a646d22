"""phrasecheck rescore --store: the calls of a desk judged again with a version of its lexicon.

In: a store, a version, whose calls. Out: what changes, on the terminal; with --apply it then stands. The one decision: this is the desk's own
rescoring (rescoring.py), begun and worked on from here: it is seen on the desk's pages too, and if this command is cut off the desk's workers go on
with it.
"""

from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import click

from phrasecheck.cli.language import say
from phrasecheck.errors import InputError, RefusedError

if TYPE_CHECKING:
    from phrasecheck.rescoring import Rescoring
    from phrasecheck.store.rescores import Standing
    from phrasecheck.store.store import Store
    from phrasecheck.store.tables import UserRow

PAUSE_S = 0.5
SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The options. `version` None: the one in force."""

    user: str
    version: int | None
    team: str | None
    role: str | None
    apply: bool


def rescore_store(settings_file: Path | None, wanted: Wanted) -> None:
    """Preview, tell, and apply if asked to. Raises StoreError, InputError, RefusedError, NotFoundError."""
    from phrasecheck.current import CurrentMatcher
    from phrasecheck.rescoring import Rescoring
    from phrasecheck.settings import load_settings
    from phrasecheck.store.listing import Filter
    from phrasecheck.store.store import open_store
    from phrasecheck.types import Role

    settings = load_settings(settings_file)
    store = open_store(settings.store)
    try:
        author = _author(store, wanted.user)
        number = store.lexicons.active_number() if wanted.version is None else wanted.version
        if number:
            store.lexicons.get(number)
        asked = Filter(team=wanted.team, role=None if wanted.role is None else Role(wanted.role))
        row = store.rescores.begin(number or None, asked, author)
        rescoring = Rescoring(store, settings, CurrentMatcher(settings, store))
        standing = _done(store, rescoring, row.id)
        _tell(store, standing)
        if wanted.apply:
            store.rescores.apply(row.id, author)
            standing = _done(store, rescoring, row.id)
            counts = "，".join(f"{state.value} {count}" for state, count in standing.items.items())
            click.echo(say(f"已应用：{counts}", f"Applied: {counts}"))
        else:
            click.echo(
                say(
                    f"没有应用；加 --apply，或在网页「重新评判」{row.id} 里应用",
                    f"Not applied: add --apply, or apply rescoring {row.id} on the desk",
                )
            )
    finally:
        store.close()


def _author(store: "Store", name: str) -> "UserRow":
    from phrasecheck.store.states import Permission

    leads = [user for user in store.accounts.users() if user.permission is Permission.LEAD and user.closed_at is None]
    found = next((user for user in leads if user.name == name), None)
    if found is None:
        raise InputError(f"--as 应为一位质检主管的用户名，收到「{name}」；现有：{'、'.join(user.name for user in leads) or '（没有）'}")
    return found


def _done(store: "Store", rescoring: "Rescoring", number: int) -> "Standing":
    """Works with whoever else works on it, until nothing is left. Raises RefusedError when it was stopped or cannot go on."""
    from rich.progress import Progress

    from phrasecheck.store.tables import RescoreState

    with Progress(transient=True) as shown:
        task = shown.add_task(say("重新评判", "Judging again"))
        while (standing := store.rescores.get(number)).rescore.state in (RescoreState.PREVIEWING, RescoreState.APPLYING):
            shown.update(task, completed=standing.done, total=standing.total)
            if not rescoring.turn():
                sleep(PAUSE_S)
    if standing.rescore.state in (RescoreState.FAILED, RescoreState.CANCELLED):
        raise RefusedError(standing.rescore.reason or f"重新评判 {number} 已被停止：请在网页里核对")
    return standing


def _tell(store: "Store", standing: "Standing") -> None:
    number = standing.rescore.id
    for one in store.rescores.differences(number, limit=SHOWN):
        click.echo(f"{one.call.source}  {one.item.points_before} → {one.item.points_after}  {one.item.reason or ''}")
        for change in one.item.changes.get("hits", ()):
            before, after = (change[side]["phrase_id"] if change[side] else "—" for side in ("before", "after"))
            click.echo(f"    {before} → {after}  {change['text']}")
    click.echo(
        say(
            f"{standing.total} 通；命中新增 {standing.appeared}、消失 {standing.vanished}、改变 {standing.altered}",
            f"{standing.total} calls; hits: {standing.appeared} new, {standing.vanished} gone, {standing.altered} changed",
        )
    )
