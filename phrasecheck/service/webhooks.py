"""Telling others that a call has ended: signed, over an address that was looked at first.

In: messages of the outbox. Out: HTTP requests. The one decision: the name is resolved once, every address it has is checked, and the connection goes to
the address that was checked (TLS still asks for the name), so that no name can point elsewhere between the check and the call; redirects and proxies
are not followed.

Signed as the Standard Webhooks have it (standardwebhooks.com): webhook-id, webhook-timestamp, webhook-signature = "v1," + base64(HMAC-SHA256(secret,
id.timestamp.body)).
"""

import hmac
import json
import logging
import socket
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpx

from phrasecheck import __version__
from phrasecheck.errors import InputError, PhrasecheckError
from phrasecheck.store.store import Store
from phrasecheck.store.tables import WebhookMessageRow, WebhookRow

WAIT_S = 10.0
TEMPORARY = frozenset({408, 425, 429})  # of the 4xx, those that may go better later
INSIDE_OUT = tuple(ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "2001::/32"))  # an IPv4 address of anybody's choice is in these
log = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address


class DeliveryError(PhrasecheckError):
    """A message did not arrive. `final`: repeating it will not help."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


def checked_url(url: str, networks: Sequence[str]) -> str:
    """An address that may be registered. Raises InputError."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InputError(f"回调地址应为 https://主机/路径，收到「{url[:200]}」，请改正") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > 500 or not url.isprintable() or port == 0:
        raise InputError(f"回调地址应为 https://主机/路径（500 字以内），收到「{url[:200]}」，请改正")
    if parts.username or parts.password:
        raise InputError("回调地址里不应有用户名和密码：对方可凭签名核对，请去掉")
    if (literal := _literal(parts.hostname)) is not None and not allowed(literal, networks):
        raise InputError(_inside(parts.hostname))
    return parts.geturl()


def allowed(address: Address, networks: Sequence[str]) -> bool:
    """May a message go there: on the public Internet, or in a network that the settings name?"""
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    if any(address in ip_network(net, strict=False) for net in networks):
        return True
    return address.is_global and not address.is_multicast and not any(address in net for net in INSIDE_OUT)


def signature(secret: str, number: str, stamp: str, body: bytes) -> str:
    """What proves that a message is ours; see the head of this file."""
    encoded = secret.removeprefix("whsec_")
    try:
        key = b64decode(encoded, validate=True) if secret.startswith("whsec_") else secret.encode()
    except Error:
        key = secret.encode()
    return "v1," + b64encode(hmac.digest(key, f"{number}.{stamp}.".encode() + body, "sha256")).decode()


def send_due(store: Store, networks: Sequence[str], client: httpx.Client) -> int:
    """What is due, each once. Returns how many were tried."""
    due = store.webhooks.due()
    for message, webhook in due:
        try:
            _send(message, webhook, networks, client, int(store.database.now().timestamp()))
            store.webhooks.sent(message.id)
        except DeliveryError as error:
            state = store.webhooks.failed(message.id, str(error), final=error.final)
            log.warning("webhook %s, message %s: %s (%s)", webhook.id, message.id, error, state, extra={"call": message.call_id})
    return len(due)


def new_client() -> httpx.Client:
    """No proxies of the environment, no redirects, no cookies of others."""
    return httpx.Client(trust_env=False, follow_redirects=False, timeout=WAIT_S)


def _send(message: WebhookMessageRow, webhook: WebhookRow, networks: Sequence[str], client: httpx.Client, now: int) -> None:
    if webhook.ended_at is not None:
        raise DeliveryError("回调已停用", final=True)
    url = httpx.URL(webhook.url)
    address = _address(url.host, url.port or (443 if url.scheme == "https" else 80), networks)
    body = json.dumps(message.body, ensure_ascii=False).encode()
    request = client.build_request(
        "POST", url.copy_with(host=str(address)), content=body, headers=_headers(message, webhook, body, str(now), url)
    )
    request.extensions["sni_hostname"] = url.host
    try:
        response = client.send(request, stream=True)  # whatever they answer beside the status is not read
        response.close()
    except httpx.HTTPError as error:
        raise DeliveryError(f"连不上：{type(error).__name__} {error}") from error
    if not response.is_success:
        final = 300 <= response.status_code < 500 and response.status_code not in TEMPORARY
        raise DeliveryError(f"对方应回答 2xx，收到 {response.status_code}", final=final)


def _headers(message: WebhookMessageRow, webhook: WebhookRow, body: bytes, stamp: str, url: httpx.URL) -> Mapping[str, str]:
    number = f"msg_{message.id}"
    return {
        "Host": url.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": f"phrasecheck/{__version__}",
        "webhook-id": number,
        "webhook-timestamp": stamp,
        "webhook-signature": signature(webhook.secret, number, stamp, body),
    }


def _address(host: str, port: int, networks: Sequence[str]) -> Address:
    """One of the host's addresses, all of which are allowed. Raises DeliveryError."""
    try:
        found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise DeliveryError(f"找不到主机 {host}：{error}") from error
    addresses = [ip_address(info[4][0].partition("%")[0]) for info in found]
    if not addresses or not all(allowed(address, networks) for address in addresses):
        raise DeliveryError(_inside(host), final=True)
    return addresses[0]


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _inside(host: str) -> str:
    return f"回调地址 {host} 在本机或内部网络：应为公网地址；确需内网时请在设置 service.webhook_networks 里写明网段"
