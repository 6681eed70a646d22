"""What stands round every request: its number, its line in the log, its security headers, its largest body.

In: an ASGI application. Out: another. The one decision: these are plain ASGI functions, because Starlette's BaseHTTPMiddleware holds streamed bodies back.
"""

import re
from collections.abc import Awaitable, Callable
from time import perf_counter
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from phrasecheck.errors import TooLargeError
from phrasecheck.service.logs import REQUEST, request_log
from phrasecheck.service.metrics import Metrics

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {  # OWASP secure headers project
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # browsers that do not know frame-ancestors
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}
Answer = Callable[[HTTPConnection, Exception], Awaitable[Response | None]]
REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
NO_ROUTE = "-"  # nothing of ours was asked for; the path itself is the visitor's text and goes into no label


def secured(app: ASGIApp, *, tls: bool) -> ASGIApp:
    """Every answer has HEADERS, and none but static files stays in a cache."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
                if tls:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await app(scope, receive, with_headers if scope["type"] == "http" else send)

    return run


def rescued(app: ASGIApp, *, answer: Answer) -> ASGIApp:
    """What nobody foresaw is answered too, inside the security headers; Starlette's own last resort stands outside them."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await app(scope, receive, noting)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            response = await answer(HTTPConnection(scope), error)
            assert response is not None
            await response(scope, receive, send)

    return run


def limited(app: ASGIApp, *, limit: int) -> ASGIApp:
    """No request's body is longer than `limit`, unless its route allows it more (security.allow_body); what is too long is not read to its end."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        allowed, announced, read = [limit], _announced(scope), 0
        scope["body_limit"] = allowed

        async def counted() -> Message:
            nonlocal read
            _check(max(read, announced), allowed[0])
            message = await receive()
            read += len(message.get("body", b""))
            _check(read, allowed[0])
            return message

        return await app(scope, counted, send)

    return run


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise TooLargeError(f"这个请求应不超过 {limit / (1 << 20):.4g} MB，收到 {size / (1 << 20):.4g} MB：请分成几次，或请管理员调高上限")


def observed(app: ASGIApp, *, metrics: Metrics) -> ASGIApp:
    """Every request has a number (X-Request-ID, the caller's if it is sane), a line in the log, and is counted."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            return await app(scope, receive, send)
        number, began, status = _number(scope), perf_counter(), 500
        token = REQUEST.set(number)

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = number
            await send(message)

        try:
            await app(scope, receive, numbered)
        finally:
            seconds, route = perf_counter() - began, _route(scope)
            if scope["type"] == "http":
                metrics.count(scope["method"], route, status, seconds)
            request_log(scope, route, status, seconds)
            REQUEST.reset(token)
        return None

    return run


def _number(scope: Scope) -> str:
    sent = Headers(scope=scope).get("x-request-id", "")
    return sent if REQUEST_ID.fullmatch(sent) else uuid4().hex


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", None) or ("/static" if scope["path"].startswith("/static/") else NO_ROUTE)
