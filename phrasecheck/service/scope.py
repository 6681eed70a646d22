"""Which calls a visitor may see: an agent those of his own staff number, a supervisor and a trainer those of their team, the others all.

In: a visitor, and a Filter or a call. Out: the Filter narrowed, or the call; NotFoundError for a call of somebody else, in the words of a call that
is not there, so that nobody learns which ids exist.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import Path

from phrasecheck.errors import NotFoundError, RefusedError
from phrasecheck.service.security import Visitor
from phrasecheck.store.listing import Filter
from phrasecheck.store.states import Permission
from phrasecheck.store.store import Store
from phrasecheck.store.tables import CallRow

CallId = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
OWN_CALLS = frozenset({Permission.AGENT})
OWN_TEAM = frozenset({Permission.SUPERVISOR, Permission.TRAINER})


def narrowed(visitor: Visitor, wanted: Filter) -> Filter:
    """The calls wanted, of those the visitor may see. Raises RefusedError when his account does not say which are his."""
    if visitor.permission in OWN_CALLS:
        return replace(wanted, agent=_known(visitor.agent, "工号"))
    if visitor.permission in OWN_TEAM:
        return replace(wanted, team=_known(visitor.team, "班组"))
    return wanted


def may_see(visitor: Visitor, *, agent: str | None, team: str | None) -> bool:
    """May the visitor see what belongs to this staff number and team (None: not known)?"""
    if visitor.permission in OWN_CALLS:
        return bool(visitor.agent) and visitor.agent == agent
    if visitor.permission in OWN_TEAM:
        return bool(visitor.team) and visitor.team == team
    return True


def visible_call(store: Store, visitor: Visitor, call_id: str) -> CallRow:
    """The call. Raises NotFoundError when it is not there or not the visitor's to see."""
    call = store.calls.get(call_id)
    if not may_see(visitor, agent=call.agent, team=call.team):
        raise NotFoundError(f"没有通话 {call_id}：可能已被删除，请在列表里核对")
    return call


def _known(value: str | None, what: str) -> str:
    if not value:
        raise RefusedError(f"您的账号还没有填{what}，所以看不到通话：请管理员在「用户」页补上")
    return value
