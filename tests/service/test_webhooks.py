"""Webhooks: told once a call has ended, signed, repeated, given up, never sent inside the house unless allowed."""

import hmac
import json
import socket
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import httpx
import pytest

from phrasecheck.errors import InputError
from phrasecheck.service.app import create_app
from phrasecheck.service.webhooks import allowed, checked_url, new_client, send_due, signature
from phrasecheck.settings import Settings
from phrasecheck.store.states import Permission
from phrasecheck.store.store import Store, open_store
from phrasecheck.store.tables import MessageState, WebhookMessageRow, WebhookRow
from phrasecheck.store.webhooks import BACKOFF
from tests.service.desks import PAGE, Client, Office
from tests.service.senders import post, sound
from tests.stores import Clock
from tests.workers import result_of

URL = "https://crm.example:8443/hook?x=1"
PUBLIC_ADDRESS = "93.184.216.34"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def office(settings: Settings, clock: Clock) -> Iterator[Office]:
    store = open_store(settings.store, clock)
    yield Office(create_app(settings, store), store)
    store.close()


@pytest.fixture
def hook(office: Office) -> WebhookRow:
    return office.store.webhooks.add(URL, office.user(Permission.ADMIN))


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """No name is asked of a real server."""
    known = {"crm.example": [PUBLIC_ADDRESS]}

    def found(host: str, port: int, **_: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr("phrasecheck.service.webhooks.socket.getaddrinfo", found)
    return known


def ended(office: Office, *, well: bool = True) -> str:
    """A call that was checked, or could not be."""
    post(office.client(Permission.INSPECTOR), "a.wav", sound(id(object()) % 2**60))
    claim = office.store.calls.claim()
    assert claim is not None
    if well:
        office.store.results.finish(claim, result_of("你好"))
    else:
        office.store.calls.fail(claim, "不是录音", again=False)
    return claim.call.id


def answering(answer: Callable[[httpx.Request], httpx.Response] | int) -> tuple[httpx.Client, list[httpx.Request]]:
    """A client whose other side says this, and what it was sent."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(answer) if isinstance(answer, int) else answer(request)

    return httpx.Client(transport=httpx.MockTransport(handle)), seen


def the_message(store: Store, state: MessageState) -> WebhookMessageRow:
    ((message, _),) = store.webhooks.messages(state)
    return message


def test_the_end_of_a_call_is_told_and_signed(office: Office, hook: WebhookRow) -> None:
    call = ended(office)
    client, seen = answering(204)
    assert send_due(office.store, (), client) == 1
    (request,) = seen
    assert json.loads(request.content)["type"] == "call.done"
    assert json.loads(request.content)["data"] == {
        "id": call,
        "state": "done",
        "source": "a.wav",
        "reason": None,
        "result": f"/api/v1/calls/{call}/result",
    }
    number, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    key = b64decode(hook.secret.removeprefix("whsec_"))
    expected = b64encode(hmac.new(key, f"{number}.{stamp}.".encode() + request.content, "sha256").digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert send_due(office.store, (), client) == 0
    assert the_message(office.store, MessageState.SENT).call_id == call


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of standardwebhooks.com's own libraries."""
    body = b'{"test": 2432232314}'
    made = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_failed_call_is_told_with_its_reason(office: Office, hook: WebhookRow) -> None:
    ended(office, well=False)
    client, seen = answering(200)
    send_due(office.store, (), client)
    assert json.loads(seen[0].content)["data"]["reason"] == "不是录音"


def test_it_goes_to_the_address_that_was_checked(office: Office, hook: WebhookRow) -> None:
    ended(office)
    client, seen = answering(200)
    send_due(office.store, (), client)
    assert (seen[0].url.host, seen[0].url.port, seen[0].url.path) == (PUBLIC_ADDRESS, 8443, "/hook")
    assert seen[0].headers["host"] == "crm.example:8443"
    assert seen[0].extensions["sni_hostname"] == "crm.example"


def test_a_message_is_written_only_with_the_end_of_its_call(office: Office, hook: WebhookRow, monkeypatch: pytest.MonkeyPatch) -> None:
    post(office.client(Permission.INSPECTOR), "a.wav", sound(1))
    claim = office.store.calls.claim()
    assert claim is not None
    monkeypatch.setattr("phrasecheck.store.results.announce", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        office.store.results.finish(claim, result_of("你好"))
    assert office.store.webhooks.messages(MessageState.WAITING) == []
    assert office.store.calls.get(claim.call.id).state == "checking"


def test_what_does_not_arrive_is_repeated_later_and_later_and_then_given_up(office: Office, hook: WebhookRow, clock: Clock) -> None:
    ended(office)
    client, seen = answering(503)
    for tried, seconds in enumerate(BACKOFF, 1):
        assert send_due(office.store, (), client) == 1
        assert send_due(office.store, (), client) == 0
        assert the_message(office.store, MessageState.WAITING).tries == tried
        clock.later(seconds=seconds + 1)
    send_due(office.store, (), client)
    dead = the_message(office.store, MessageState.DEAD)
    assert dead.error == "对方应回答 2xx，收到 503"
    clock.later(days=9)
    assert send_due(office.store, (), client) == 0
    admin = office.client(Permission.ADMIN)
    assert "503" in admin.get("/webhooks", headers=PAGE).text
    assert admin.post(f"/webhooks/messages/{dead.id}/again", headers=PAGE).status_code == 303
    assert send_due(office.store, (), answering(200)[0]) == 1
    assert len({request.headers["webhook-id"] for request in seen}) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410])
def test_a_refusal_and_a_redirect_are_final(office: Office, hook: WebhookRow, status: int) -> None:
    ended(office)
    client, seen = answering(lambda _: httpx.Response(status, headers={"location": "http://169.254.169.254/"}))
    send_due(office.store, (), client)
    assert len(seen) == 1
    assert the_message(office.store, MessageState.DEAD).tries == 1
    assert not new_client().follow_redirects


def test_a_lost_connection_is_repeated(office: Office, hook: WebhookRow) -> None:
    ended(office)

    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    send_due(office.store, (), answering(gone)[0])
    assert "连不上" in (the_message(office.store, MessageState.WAITING).error or "")


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.8"], [PUBLIC_ADDRESS, "192.168.1.9"], ["169.254.169.254"], ["::1"], ["fd00::1"]]
)
def test_a_name_that_leads_inside_is_not_called(
    office: Office, hook: WebhookRow, names: dict[str, list[str]], addresses: list[str]
) -> None:
    names["crm.example"] = addresses
    ended(office)
    client, seen = answering(200)
    send_due(office.store, (), client)
    assert seen == []
    assert "内部网络" in (the_message(office.store, MessageState.DEAD).error or "")


def test_a_network_that_is_named_is_called(office: Office, hook: WebhookRow, names: dict[str, list[str]]) -> None:
    names["crm.example"] = ["10.1.2.3"]
    ended(office)
    client, seen = answering(200)
    send_due(office.store, ("10.1.0.0/16",), client)
    assert seen[0].url.host == "10.1.2.3"


INSIDE = """127.0.0.1 0.0.0.0 10.1.1.1 172.16.0.1 192.168.0.1 169.254.169.254 100.64.0.1 224.0.0.1 255.255.255.255 ::1 :: fe80::1 fc00::1 ff02::1
::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: 2001::1"""


@pytest.mark.parametrize("address", INSIDE.split())
def test_addresses_inside(address: str) -> None:
    assert not allowed(ip_address(address), ())


def test_addresses_outside() -> None:
    assert allowed(ip_address(PUBLIC_ADDRESS), ())
    assert allowed(ip_address("2606:2800:220:1:248:1893:25c8:1946"), ())
    assert allowed(ip_address("::ffff:10.1.0.1"), ("10.1.0.0/16",))


NO_URLS = """ftp://a.example/ crm.example https:// https://u:p@a.example/ http://127.0.0.1/ http://[::1]/ http://10.0.0.1:80/ http://a:99999/
javascript:alert(1) file:///etc/passwd http://a.example:0/ http://[::1 https://a.example/\x07"""


@pytest.mark.parametrize("url", [*NO_URLS.split(), "https://a.example/" + "x" * 500])
def test_addresses_that_cannot_be_registered(office: Office, url: str) -> None:
    with pytest.raises(InputError, match="回调地址"):
        checked_url(url, ())
    assert office.client(Permission.ADMIN).post("/webhooks", data={"url": url}, headers=PAGE).status_code == 422


def test_an_administrator_registers_and_ends_one(office: Office) -> None:
    admin: Client = office.client(Permission.ADMIN)
    shown = admin.post("/webhooks", data={"url": URL}, headers=PAGE)
    (row,) = office.store.webhooks.active()
    assert row.secret in shown.text
    assert row.secret not in admin.get("/webhooks", headers=PAGE).text
    ended(office)
    assert admin.post(f"/webhooks/{row.id}/end", headers=PAGE).status_code == 303
    assert office.store.webhooks.active() == []
    client, seen = answering(200)
    send_due(office.store, (), client)
    assert seen == []
    assert [entry.action for entry in office.store.audit.entries(action="webhook")] == ["webhook.end", "webhook.add"]
