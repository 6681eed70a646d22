"""Signing in, first administrator, invitations, users, tokens."""

import re

import httpx2 as httpx
import pytest

from phrasecheck.service.security import SESSION
from phrasecheck.store.accounts import MAX_FAILURES
from phrasecheck.store.states import Permission
from tests.service.desks import PAGE, Client, Office

PASSWORD = "一句好记的话就是密码"


def send(client: Client, path: str, form: str | None = None, **fields: str | list[str]) -> httpx.Response:
    """Fill in the form on a page, as a browser does."""
    page = client.get(form or path, headers=PAGE)
    csrf = re.search(r'name="csrf" content="(\w+)"', page.text)
    assert csrf
    return client.post(path, data={**fields, "csrf": csrf.group(1)}, headers=PAGE)


def value(page: httpx.Response, field: str) -> str:
    found = re.search(rf'id="{field}" value="([^"]+)"', page.text)
    assert found, page.text
    return found.group(1)


@pytest.fixture
def admin(office: Office) -> Client:
    link = office.store.accounts.first_link()
    client = office.anonymous()
    answered = send(client, f"/welcome/{link}", name="管理员", password=PASSWORD, again=PASSWORD)
    assert (answered.status_code, answered.headers["location"]) == (303, "/users")
    return client


def test_the_first_link_makes_one_administrator(office: Office) -> None:
    link = office.store.accounts.first_link()
    path = f"/welcome/{link}"
    first, second = office.anonymous(), office.anonymous()
    assert "至少应有 10" in send(first, path, name="王", password="short", again="short").text
    assert "应相同" in send(first, path, name="王", password=PASSWORD, again=PASSWORD + "x").text
    assert send(first, path, name="王", password=PASSWORD, again=PASSWORD).status_code == 303
    assert send(second, path, name="李", password=PASSWORD, again=PASSWORD).status_code == 409
    assert "欢迎，王" in first.get("/users", headers=PAGE).text
    assert "欢迎，王" not in first.get("/users", headers=PAGE).text  # said once


def test_an_invitation_from_the_page_to_signing_in(office: Office, admin: Client) -> None:
    answered = send(admin, "/users", name="小李", permission="agent", team="一组", agent="A7")
    link = value(answered, "link").removeprefix("http://testserver")
    owner = office.anonymous()
    assert "小李" in owner.get(link, headers=PAGE).text
    assert "应相同" in send(owner, link, password=PASSWORD, again="x").text
    assert send(owner, link, password=PASSWORD, again=PASSWORD).status_code == 303
    assert owner.get("/api/v1/me").json() == {"name": "小李", "permission": "agent", "team": "一组", "agent": "A7", "scopes": None}
    assert office.anonymous().get(link, headers=PAGE).status_code == 409
    again = office.anonymous()
    wrong = send(again, "/sign-in", name="小李", password="wrong-password")
    assert (wrong.status_code, "用户名或密码不对" in wrong.text) == (401, True)
    assert send(again, "/sign-in", name="小李", password=PASSWORD, next="/tokens").headers["location"] == "/tokens"
    assert again.get("/tokens", headers=PAGE).status_code == 200


def test_signing_in_leads_to_no_other_site_and_out_ends_the_session(office: Office, admin: Client) -> None:
    client = office.anonymous()
    answered = send(client, "/sign-in", name="管理员", password=PASSWORD, next="//evil.example/")
    assert answered.headers["location"] == "/"
    secret = client.cookies[SESSION]
    assert client.post("/sign-out").headers["location"] == "/sign-in"
    thief = office.anonymous()
    thief.cookies.set(SESSION, secret)
    assert thief.get("/users").status_code == 401
    assert admin.get("/users").status_code == 200


def test_an_account_is_locked_for_a_while_and_says_so(office: Office, admin: Client) -> None:
    client = office.anonymous()
    for _ in range(MAX_FAILURES):
        send(client, "/sign-in", name="管理员", password="wrong-password")
    locked = send(client, "/sign-in", name="管理员", password=PASSWORD)
    assert locked.status_code == 409
    assert "已锁定：请 15 分钟后再试" in locked.text
    assert "锁定至" in admin.get("/users", headers=PAGE).text


def test_a_name_is_taken_once(admin: Client) -> None:
    answered = send(admin, "/users", name="管理员", permission="lead", team="二组")
    assert answered.status_code == 422
    assert "已经有人用了" in answered.text
    assert 'value="二组"' in answered.text  # what was typed is still there


def test_an_account_is_changed_given_a_new_link_and_closed(office: Office, admin: Client) -> None:
    user = office.user(Permission.INSPECTOR)
    person, program = office.signed_in(user), office.program(user, ["read"])
    path = f"/users/{user.id}"
    assert send(admin, path, permission="supervisor", team="一组", agent="").status_code == 303
    assert person.get("/api/v1/me").json()["permission"] == "supervisor"
    assert "/invitation/" in value(send(admin, f"{path}/reinvite", path), "link")
    assert {person.get("/api/v1/me").status_code, program.get("/api/v1/me").status_code} == {401}
    assert send(admin, f"{path}/close", path).status_code == 303
    assert "已停用" in admin.get(path, headers=PAGE).text
    assert "user.close" in admin.get(path, headers=PAGE).text


def test_the_last_administrator_stays(office: Office, admin: Client) -> None:
    (user,) = office.store.accounts.users()
    assert send(admin, f"/users/{user.id}/close", "/users").status_code == 409
    assert send(admin, f"/users/{user.id}", permission="lead").status_code == 409
    assert send(admin, f"/users/{user.id}", permission="admin", team="总部").status_code == 303


def test_tokens_are_shown_once_listed_and_revoked(office: Office) -> None:
    lead = office.client(Permission.LEAD)
    assert "收到的不全" in send(lead, "/tokens", name="平台", days="30").text
    answered = send(lead, "/tokens", name="平台", days="30", scopes=["read", "upload"])
    secret = value(answered, "secret")
    listed = lead.get("/tokens", headers=PAGE).text
    assert "平台" in listed
    assert secret not in listed
    program = office.anonymous()
    program.headers["authorization"] = f"Bearer {secret}"
    assert program.get("/api/v1/me").json()["scopes"] == ["read", "upload"]
    ((token, _),) = office.store.accounts.tokens()
    assert office.client(Permission.LEAD).post(f"/tokens/{token.id}/revoke").status_code == 404  # somebody else's
    assert lead.post(f"/tokens/{token.id}/revoke").status_code == 303
    assert program.get("/api/v1/me").status_code == 401
    assert [entry.action for entry in office.store.audit.entries(limit=3)][-2:] == ["user.create", "token.issue"]


def test_a_token_lasts_no_longer_than_the_settings_say(office: Office) -> None:
    send(office.client(), "/tokens", name="平台", days="3000", scopes=["read"])
    ((token, _),) = office.store.accounts.tokens()
    assert (token.expires_at - token.created_at).days == 365


@pytest.mark.parametrize("permission", Permission)
def test_everybody_has_a_way_in_and_a_page_in_both_languages(office: Office, permission: Permission) -> None:
    client = office.client(permission, team="一组", agent="A1")
    place = client.get("/").headers["location"]
    assert client.get(place, headers=PAGE).status_code == 200
    assert "接口令牌" in client.get("/tokens", headers=PAGE).text
    assert (
        client.post("/language", data={"language": "en"}, headers={"referer": "http://testserver/tokens"}).headers["location"] == "/tokens"
    )
    assert "API tokens" in client.get("/tokens", headers=PAGE).text


def test_names_are_text_and_not_markup(admin: Client) -> None:
    send(admin, "/users", name="<script>alert(1)</script>{{ 7*7 }}", permission="lead", team='"><img src=x>')
    shown = admin.get("/users", headers=PAGE).text
    assert "<script>alert" not in shown
    assert "<img src=x>" not in shown
    assert "{{ 7*7 }}" in shown
