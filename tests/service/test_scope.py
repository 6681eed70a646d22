"""Which calls a visitor sees."""

from io import BytesIO

import pytest

from phrasecheck.errors import NotFoundError, RefusedError
from phrasecheck.service.scope import may_see, narrowed, visible_call
from phrasecheck.service.security import Visitor
from phrasecheck.store.calls import NewCall
from phrasecheck.store.listing import Filter
from phrasecheck.store.states import Permission
from phrasecheck.types import Role
from tests.service.desks import Office


def visitor(permission: Permission, team: str | None = None, agent: str | None = None) -> Visitor:
    return Visitor(id=1, name="x", permission=permission, team=team, agent=agent)


SEES = {  # permission -> calls of A1 in team 一组 that somebody of team 一组 with staff number A1, A2 sees
    Permission.ADMIN: (True, True),
    Permission.LEAD: (True, True),
    Permission.INSPECTOR: (True, True),
    Permission.TRAINER: (True, True),
    Permission.SUPERVISOR: (True, True),
    Permission.AGENT: (True, False),
}
OTHER_TEAM = {Permission.ADMIN, Permission.LEAD, Permission.INSPECTOR}


@pytest.mark.parametrize("permission", Permission)
def test_one_call(permission: Permission) -> None:
    for agent, seen in zip(("A1", "A2"), SEES[permission], strict=True):
        assert may_see(visitor(permission, "一组", agent), agent="A1", team="一组") == seen
    assert may_see(visitor(permission, "二组", "B1"), agent="A1", team="一组") == (permission in OTHER_TEAM)
    assert may_see(visitor(permission), agent=None, team=None) == (permission in OTHER_TEAM)  # nothing known is nobody's


def test_lists() -> None:
    wanted = Filter(role=Role.SALES, agent="B9", team="二组")
    assert narrowed(visitor(Permission.LEAD), wanted) == wanted
    assert narrowed(visitor(Permission.AGENT, agent="A1"), wanted) == Filter(role=Role.SALES, agent="A1", team="二组")
    assert narrowed(visitor(Permission.SUPERVISOR, team="一组"), wanted) == Filter(role=Role.SALES, agent="B9", team="一组")
    with pytest.raises(RefusedError, match="工号"):
        narrowed(visitor(Permission.AGENT), wanted)
    with pytest.raises(RefusedError, match="班组"):
        narrowed(visitor(Permission.TRAINER), wanted)


def test_a_call_of_somebody_else_reads_like_one_that_is_not_there(office: Office) -> None:
    call = office.store.calls.accept(BytesIO(b"x"), NewCall(source="a.wav", role=Role.SALES, agent="A1"))
    assert visible_call(office.store, visitor(Permission.AGENT, agent="A1"), call.id).id == call.id
    with pytest.raises(NotFoundError) as hidden:
        visible_call(office.store, visitor(Permission.AGENT, agent="A2"), call.id)
    with pytest.raises(NotFoundError) as missing:
        visible_call(office.store, visitor(Permission.LEAD), "0" * 32)
    assert str(hidden.value).replace(call.id, "") == str(missing.value).replace("0" * 32, "")
