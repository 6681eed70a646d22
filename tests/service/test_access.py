"""Every route against every permission, as the table says; and the table against the routes."""

from collections.abc import Iterator

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.websockets import WebSocketDisconnect

from phrasecheck.service.access import ACCESS, PUBLIC, Rule, Scope, api, page
from phrasecheck.service.app import ROUTERS, create_app
from phrasecheck.settings import Settings, StoreSettings
from phrasecheck.store.states import Permission
from phrasecheck.store.store import open_store
from phrasecheck.store.tables import UserRow
from tests.service.desks import Client, Office
from tests.stores import Server

OURS = (APIRoute, APIWebSocketRoute)
FILLED = {"link": "no-such-link"}  # every other parameter is a number that nothing has
SHUT = {401, 403}


def walk(router: APIRouter) -> Iterator[APIRoute | APIWebSocketRoute]:
    for route in router.routes:
        assert isinstance(route, OURS), f"{route}: only routes that security.admit stands before, put into app.ROUTERS themselves"
        yield route


@pytest.fixture(scope="module")
def office(sqlite: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One for all routes: what they change is not there to be changed."""
    settings = Settings(store=StoreSettings(database=sqlite.fresh(), recordings=str(tmp_path_factory.mktemp("recordings"))))
    store = open_store(settings.store)
    yield Office(create_app(settings, store), store)
    store.close()


@pytest.fixture(scope="module")
def people(office: Office) -> dict[Permission, UserRow]:
    return {permission: office.user(permission, team="一组", agent="A1") for permission in Permission}


ROUTES = [route for router in ROUTERS for route in walk(router)]
NAMES = [route.name for route in ROUTES]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert len(NAMES) == len(set(NAMES)), "two routes of one name"
    assert {*NAMES, "static"} == set(ACCESS)


def test_what_the_application_serves_is_what_is_tested(office: Office) -> None:
    paths = {path for path, methods in office.app.openapi()["paths"].items()}
    assert paths <= {route.path for route in ROUTES}
    direct = [route for route in office.app.routes if isinstance(route, OURS)]
    assert direct == []


def test_pages_are_not_for_tokens_and_every_call_of_the_interface_names_a_scope() -> None:
    for route in ROUTES:
        rule = ACCESS[route.name]
        if route.path.startswith("/api/"):
            assert rule.scope is not None, route.name


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_a_route_opens_to_whom_the_table_says(
    office: Office, people: dict[Permission, UserRow], route: APIRoute | APIWebSocketRoute
) -> None:
    rule = ACCESS[route.name]
    for permission in (None, *Permission):
        client = office.signed_in(people[permission]) if permission else office.anonymous()
        assert opened(client, route, rule) == rule.allows(permission), f"{route.name}: {permission}"


@pytest.mark.parametrize("route", [r for r in ROUTES if ACCESS[r.name] is not PUBLIC], ids=lambda route: route.name)
def test_a_token_opens_only_what_its_scope_names(
    office: Office, people: dict[Permission, UserRow], route: APIRoute | APIWebSocketRoute
) -> None:
    rule = ACCESS[route.name]
    assert rule.who is not None
    for scope in Scope:
        assert opened(office.program(people[min(rule.who)], [scope]), route, rule) == (rule.scope is scope), f"{route.name}: {scope}"


def opened(client: Client, route: APIRoute | APIWebSocketRoute, rule: Rule) -> bool:
    """Did the visitor come in? What the route then says of things that are not there is its own matter, but never that we made a mistake."""
    path = filled(route)
    if isinstance(route, APIWebSocketRoute):
        return connected(client, path)
    (method,) = route.methods or {"GET"}
    if rule is PUBLIC and method not in {"GET"}:
        return True  # needs the token of a form: test_security.py
    answered = client.request(method, path, headers={"origin": "http://testserver"})
    assert answered.status_code != 500, f"{route.name}: {answered.text}"
    return answered.status_code not in SHUT


def connected(client: Client, path: str) -> bool:
    try:
        with client.websocket_connect(path, headers={"origin": "http://testserver"}):
            return True
    except WebSocketDisconnect as end:
        return end.code != 1008


def filled(route: APIRoute | APIWebSocketRoute) -> str:
    return route.path_format.format_map({name: FILLED.get(name, "999999") for name in route.param_convertors})


# --- the rules themselves -----------------------------------------------------------------------------------------------------------


def test_a_rule() -> None:
    lead = api(Scope.READ, Permission.LEAD)
    assert lead.allows(Permission.LEAD)
    assert lead.allows(Permission.LEAD, frozenset({"read", "live"}))
    assert not lead.allows(Permission.LEAD, frozenset({"live"}))
    assert not lead.allows(Permission.AGENT, frozenset({"read"}))
    assert not lead.allows(None)
    assert not page(Permission.LEAD).allows(Permission.LEAD, frozenset(Scope))
    assert PUBLIC.allows(None)
