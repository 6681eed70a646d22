"""Forged requests, headers, sizes, errors."""

import json
import logging

import pytest
from fastapi import Request

from phrasecheck.errors import StoreError
from phrasecheck.service.app import create_app
from phrasecheck.service.logs import JsonLines
from phrasecheck.service.pages import local_path
from phrasecheck.service.security import CSRF_HEADER, SESSION, VISIT
from phrasecheck.settings import Settings
from phrasecheck.store.states import Permission
from tests.service.desks import PAGE, Client, Office


def test_a_change_needs_the_token_of_the_session(office: Office) -> None:
    client, other = office.client(Permission.ADMIN), office.client(Permission.ADMIN)
    assert client.post("/sign-out", headers={CSRF_HEADER: ""}).status_code == 403
    assert client.post("/sign-out", headers={CSRF_HEADER: "0" * 64}).status_code == 403
    foreign = other.get("/users", headers=PAGE).text.partition('name="csrf" content="')[2][:64]
    assert client.post("/sign-out", headers={CSRF_HEADER: foreign}).status_code == 403
    own = client.get("/users", headers=PAGE).text.partition('name="csrf" content="')[2][:64]
    assert client.post("/sign-out", headers={CSRF_HEADER: own}).status_code == 303


def test_the_token_may_stand_in_the_form(office: Office) -> None:
    client = office.client(Permission.ADMIN)
    own = client.get("/users", headers=PAGE).text.partition('name="csrf" content="')[2][:64]
    bare = dict(client.cookies.items())
    plain = office.anonymous()
    plain.cookies.update(bare)
    form = {"language": "en", "csrf": own}
    assert super(Client, plain).request("POST", "/language", data=form).status_code == 303
    assert super(Client, plain).request("POST", "/language", data={**form, "csrf": "no"}).status_code == 403
    assert super(Client, plain).request("POST", "/language", files={"x": b"1"}, data=form).status_code == 303


def test_signing_in_needs_a_token_too(anonymous: Client) -> None:
    assert anonymous.post("/sign-in", data={"name": "a", "password": "b"}).status_code == 403
    page = anonymous.get("/sign-in", headers=PAGE)
    assert page.cookies[VISIT]
    csrf = page.text.partition('name="csrf" content="')[2][:64]
    assert anonymous.post("/sign-in", data={"name": "a", "password": "b", "csrf": csrf}, headers=PAGE).status_code == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"])
def test_another_site_is_refused_even_with_the_token(office: Office, origin: str) -> None:
    assert office.client().post("/sign-out", headers={"origin": origin}).status_code == 403


def test_the_public_address_is_an_origin_of_ours(office: Office, settings: Settings) -> None:
    service = settings.service.model_copy(update={"public_url": "https://qa.example/", "secure_cookie": True})
    behind = Office(create_app(settings.model_copy(update={"service": service}), office.store), office.store)
    answered = behind.client().post("/language", data={"language": "en"}, headers={"origin": "https://qa.example"})
    assert answered.status_code == 303
    assert "secure" in answered.headers["set-cookie"].lower()
    assert answered.headers["strict-transport-security"]


def test_a_program_needs_no_token_of_a_form_and_a_cookie_beside_it_changes_nothing(office: Office) -> None:
    program = office.program(office.user(Permission.ADMIN), ["metrics"])
    assert "phrasecheck_calls" in program.get("/metrics").text
    assert office.anonymous().get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(office: Office) -> None:
    first = office.store.accounts.first_link()
    client = office.anonymous()
    csrf = client.get(f"/welcome/{first}", headers=PAGE).text.partition('name="csrf" content="')[2][:64]
    sent = {"name": "小王", "password": "一句好记的话就是密码", "again": "一句好记的话就是密码", "csrf": csrf}
    (cookie,) = [c for c in client.post(f"/welcome/{first}", data=sent).headers.get_list("set-cookie") if c.startswith(SESSION)]
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()


@pytest.mark.parametrize("path", ["/sign-in", "/no-such-page", "/healthz", "/static/base.css", "/users"])
def test_every_answer_carries_the_headers(anonymous: Client, path: str) -> None:
    headers = anonymous.get(path, headers=PAGE).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")
    assert headers["x-request-id"]


def test_a_request_keeps_the_number_it_came_with_if_that_is_sane(anonymous: Client) -> None:
    assert anonymous.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert anonymous.get("/healthz", headers={"x-request-id": "a b\t<x>"}).headers["x-request-id"] != "a b\t<x>"


def test_large_bodies_are_refused_before_they_are_read(office: Office, settings: Settings) -> None:
    small = settings.model_copy(update={"service": settings.service.model_copy(update={"form_bytes": 1000})})
    client = Office(create_app(small, office.store), office.store).client(Permission.ADMIN)
    announced = client.post("/users", data={"name": "x" * 2000})
    assert announced.status_code == 413
    assert announced.json()["error"]["code"] == "too_large"
    chunks = (b"name=" + b"x" * 900 for _ in range(1000))
    streamed = client.post("/users", content=chunks, headers={"content-type": "application/x-www-form-urlencoded"})
    assert streamed.status_code == 413


# --- errors -------------------------------------------------------------------------------------------------------------------------


def test_an_error_is_a_page_or_json(office: Office) -> None:
    client = office.client(Permission.ADMIN)
    assert client.get("/users/999999", headers=PAGE).headers["content-type"].startswith("text/html")
    answered = client.get("/users/999999")
    assert (answered.status_code, answered.json()["error"]["code"]) == (404, "not_found")
    assert "999999" in answered.json()["error"]["message"]
    assert client.get("/users/no-number").json()["error"]["code"] == "invalid"
    assert client.get("/no-such-page").json()["error"] == {"code": "http_404", "message": "没有这个页面：请检查地址，或从首页进入"}
    assert client.put("/users").json()["error"]["code"] == "http_405"


def test_our_own_mistakes_tell_no_details(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("secret-detail")

    monkeypatch.setattr("phrasecheck.store.accounts.Accounts.users", broken)
    answered = office.client(Permission.ADMIN).get("/users", headers=PAGE)
    assert answered.status_code == 500
    assert "secret-detail" not in answered.text
    assert answered.headers["content-security-policy"]


def test_a_database_that_is_away_is_said_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreError("数据库不在")

    monkeypatch.setattr("phrasecheck.store.database.Database.check", away)
    answered = office.anonymous().get("/readyz")
    assert (answered.status_code, answered.json()) == (
        503,
        {"status": "failing", "database": "failing", "recordings": "ok", "workers": "none"},
    )


def test_not_signed_in_leads_to_the_form_and_back(anonymous: Client) -> None:
    answered = anonymous.get("/audit?actor=x", headers=PAGE)
    assert answered.status_code == 303
    assert answered.headers["location"] == "/sign-in?next=%2Faudit%3Factor%3Dx"
    assert anonymous.get("/audit").status_code == 401


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example/x", "/\\evil.example", "javascript:alert(1)", "", None, "users"]
)
def test_the_way_back_never_leaves_the_desk(address: str | None) -> None:
    assert local_path(address, "/") in {"/", "/x"}
    assert not local_path(address, "/").startswith("//")


def test_the_way_back_keeps_path_and_query() -> None:
    assert local_path("http://desk:8000/calls?team=a", "/") == "/calls?team=a"


# --- the log ------------------------------------------------------------------------------------------------------------------------


def test_the_log_has_the_call_and_never_a_link(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    router_path = "/invitation/{link}"
    with caplog.at_level(logging.INFO, "phrasecheck.service"):
        office.anonymous().get("/invitation/secret-link?x=secret-query", headers={"x-request-id": "n1"})
    (record,) = [record for record in caplog.records if record.name == "phrasecheck.service" and hasattr(record, "route")]
    line = json.loads(JsonLines().format(record))
    assert (line["route"], line["status"], line["method"], line["level"]) == (router_path, 409, "GET", "info")
    assert "secret" not in JsonLines().format(record)
    assert line["request"] == "n1"


def test_the_log_names_the_call(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    @office.app.get("/probe/{call_id}", name="health")
    def probe(request: Request, call_id: str) -> str:
        return call_id

    with caplog.at_level(logging.INFO, "phrasecheck.service"):
        office.anonymous().get("/probe/c1")
    assert [record.call for record in caplog.records if getattr(record, "call", None)] == ["c1"]  # type: ignore[attr-defined]
