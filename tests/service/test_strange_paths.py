"""No path, however strange, is our own mistake (500); and what is another's is not told from what is not there."""

import pytest
from fastapi.routing import APIRoute

from phrasecheck.service.access import ACCESS
from phrasecheck.store.states import Permission
from tests.contracts.test_store import done
from tests.service.desks import Office
from tests.service.test_access import ROUTES

STRANGE = ("9" * 30, "-1", "9223372036854775808", "%00", "..%2f..%2fetc%2fpasswd", "%F0%9F%92%A5", "a" * 3000, "{{7919*7919}}")
WITH_PARAMETERS = [route for route in ROUTES if isinstance(route, APIRoute) and route.param_convertors]


@pytest.mark.parametrize("route", WITH_PARAMETERS, ids=lambda route: route.name)
def test_a_strange_path_is_answered(office: Office, route: APIRoute) -> None:
    client = office.client(min(ACCESS[route.name].who or {Permission.LEAD}), team="一组", agent="1024")
    (method,) = route.methods or {"GET"}
    for strange in STRANGE:
        path = route.path_format.format_map(dict.fromkeys(route.param_convertors, strange))
        answered = client.request(method, path, headers={"origin": "http://testserver"})
        assert answered.status_code < 500, f"{method} {path[:80]}: {answered.text[:300]}"
        assert "62710561" not in answered.text, "evaluated as a template"


@pytest.mark.parametrize("permission", [Permission.AGENT, Permission.SUPERVISOR, Permission.TRAINER])
def test_what_is_anothers_is_as_if_it_were_not_there(office: Office, permission: Permission) -> None:
    call = done(office.store)
    hit = office.store.results.hits(call.id)[0]
    client = office.client(permission, team="别的组", agent="9999")
    body = {"verb": "appeal", "seen": "new", "comment": "x"}
    for path in (
        f"/calls/{call.id}",
        f"/calls/{call.id}/audio",
        f"/calls/{call.id}/wave.svg",
        f"/api/v1/calls/{call.id}",
        f"/api/v1/calls/{call.id}/result",
        f"/api/v1/calls/{call.id}/hits",
    ):
        answered = client.get(path)
        assert answered.status_code == 404, path
        assert answered.text.replace(call.id, "ID") == client.get(path.replace(call.id, "0" * 32)).text.replace("0" * 32, "ID")
    if permission is Permission.AGENT:
        mine, none = (client.post(f"/hits/{number}/review", data=body) for number in (hit.id, 999_999))
        assert (mine.status_code, none.status_code) == (404, 404)
        assert call.id not in mine.text, "whose hit it is"
        assert mine.text.replace(str(hit.id), "N") == none.text.replace("999999", "N")
    for path in (
        "/calls",
        f"/calls?after={call.id}",
        "/found?text=你",
        "/api/v1/calls",
        "/api/v1/utterances?text=你",
        "/calls/export?form=csv",
    ):
        assert call.id not in client.get(path).text.replace(f"after={call.id}", "").replace(f"没有通话 {call.id}", ""), path
