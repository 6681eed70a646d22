"""Who is knocking, and whether the door opens.

In: a request or a WebSocket. Out: its Visitor, or NotSignedInError / ForbiddenError. The one decision: `admit` is a dependency of the whole
application, so no route can forget it; it asks access.ACCESS by the route's name. A browser carries a session in an HttpOnly cookie and proves with a
token, made from that session's secret, that a form is ours (OWASP: HMAC-based CSRF token); a program carries a bearer token and no cookie, so nothing
can be forged in its name.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from phrasecheck.errors import PhrasecheckError
from phrasecheck.personal import USUAL
from phrasecheck.service.access import ACCESS, Rule
from phrasecheck.service.desk import Desk, desk
from phrasecheck.settings import Settings
from phrasecheck.store.states import Permission
from phrasecheck.store.tables import TokenKind, UserRow
from phrasecheck.types import Personal

SESSION = "phrasecheck_session"
VISIT = "phrasecheck_visit"  # of somebody who is not signed in: what the CSRF token of the sign-in form is made from
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class NotSignedInError(PhrasecheckError):
    """Nobody is known to be there, or name and password do not belong together."""


class ForbiddenError(PhrasecheckError):
    """Somebody is there and may not; or the request was not made by one of our pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is signed in. `scopes` is None in a browser, else what the API token is good for; `hides`: the personal data that he is not told."""

    id: int
    name: str
    permission: Permission
    team: str | None = None
    agent: str | None = None  # staff number
    scopes: frozenset[str] | None = None
    hides: frozenset[Personal] = USUAL

    def may(self, route: str) -> bool:
        """May the visitor use the route of this name?"""
        rule = ACCESS.get(route)
        return rule is not None and rule.allows(self.permission, self.scopes)


async def admit(connection: HTTPConnection) -> Visitor | None:
    """The visitor, if the route is open to him. Raises NotSignedInError, ForbiddenError."""
    name = connection.scope["route"].name
    rule = ACCESS.get(name)
    if rule is None:
        raise ForbiddenError(f"程序有误：页面 {name} 没有写明谁可以用，请告诉维护人员")
    visitor = await run_in_threadpool(_visitor, desk(connection), connection)
    connection.state.visitor = visitor
    _check_permission(rule, visitor)
    if visitor is None or visitor.scopes is None:
        await _check_origin(connection)
    return visitor


def _check_permission(rule: Rule, visitor: Visitor | None) -> None:
    if rule.allows(visitor.permission if visitor else None, visitor.scopes if visitor else None):
        return
    if visitor is None:
        raise NotSignedInError("请先登录")
    if visitor.scopes is not None and rule.allows(visitor.permission):
        raise ForbiddenError(
            f"这个接口令牌的范围应含 {rule.scope or '（网页，不对令牌开放）'}，现为 {'、'.join(sorted(visitor.scopes)) or '空'}：请另发一个"
        )
    raise ForbiddenError("您的权限不能使用这个页面：如有需要，请联系管理员")


def _visitor(here: Desk, connection: HTTPConnection) -> Visitor | None:
    kind, _, secret = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        found = here.store.accounts.whose(secret.strip(), TokenKind.API)
        if found is None:
            raise NotSignedInError("接口令牌无效、已撤销或已过期：请重新申请一个")
        return visitor_of(found[0], here.settings, frozenset(found[1].scopes.split()))
    found = here.store.accounts.whose(connection.cookies.get(SESSION, ""), TokenKind.SESSION)
    return None if found is None else visitor_of(found[0], here.settings)


def visitor_of(user: UserRow, settings: Settings, scopes: frozenset[str] | None = None) -> Visitor:
    """The visitor that an account is."""
    hides = frozenset[Personal]() if user.permission is Permission.LEAD else frozenset(settings.privacy.redact)
    return Visitor(id=user.id, name=user.name, permission=user.permission, team=user.team, agent=user.agent, scopes=scopes, hides=hides)


# --- forged requests ----------------------------------------------------------------------------------------------------------------


async def _check_origin(connection: HTTPConnection) -> None:
    """What changes something must come from one of our own pages. A WebSocket cannot carry the token, so its Origin decides."""
    websocket = connection.scope["type"] == "websocket"
    if not websocket and connection.scope["method"] in SAFE:
        return
    origin = connection.headers.get("origin")
    if (origin is None and websocket) or (origin is not None and urlsplit(origin).netloc not in _own_hosts(connection)):
        raise ForbiddenError(
            f"请求应来自本系统的页面，来自 {origin or '未知处'}：请从本系统的页面操作；经代理访问时请设置 service.public_url"
        )
    if isinstance(connection, Request) and not hmac.compare_digest(await _sent_csrf(connection), csrf_of(connection)):
        raise ForbiddenError("页面停留太久，或登录状态变了：请刷新页面再试")


def _own_hosts(connection: HTTPConnection) -> set[str]:
    public = urlsplit(desk(connection).settings.service.public_url).netloc
    return {connection.headers.get("host", ""), public} - {""}


async def _sent_csrf(request: Request) -> str:
    header = request.headers.get(CSRF_HEADER)
    if header is not None or not request.headers.get("content-type", "").startswith(FORMS):
        return header or ""
    field = (await request.form()).get(CSRF_FIELD)
    return field if isinstance(field, str) else ""


def csrf_of(connection: HTTPConnection) -> str:
    """The token that this visitor's forms carry."""
    secret = connection.cookies.get(SESSION) if getattr(connection.state, "visitor", None) else None
    return hmac.new((secret or visit(connection)).encode(), b"csrf", "sha256").hexdigest()


def visit(connection: HTTPConnection) -> str:
    """The secret of somebody not signed in: the cookie, or a new one that `remember_visit` hands out."""
    if not hasattr(connection.state, "visit"):
        connection.state.visit = connection.cookies.get(VISIT) or secrets.token_urlsafe(32)
    found: str = connection.state.visit
    return found


# --- cookies ------------------------------------------------------------------------------------------------------------------------


def remember_visit(request: Request, response: Response) -> None:
    """Give somebody who is not signed in the cookie that his forms' token is made from."""
    if request.cookies.get(VISIT) != visit(request):
        set_cookie(request, response, VISIT, visit(request))


def start_session(request: Request, response: Response, user_id: int) -> None:
    """Sign in: a new secret, never one that was there before (session fixation)."""
    service, accounts = desk(request).settings.service, desk(request).store.accounts
    lasts = timedelta(hours=service.session_hours)
    set_cookie(request, response, SESSION, accounts.issue(TokenKind.SESSION, user_id, lasts), lasts)
    response.delete_cookie(VISIT)


def end_session(request: Request, response: Response) -> None:
    """Sign out: the secret is good for nothing any more, wherever it was copied to."""
    desk(request).store.accounts.revoke(request.cookies.get(SESSION, ""))
    response.delete_cookie(SESSION)


def set_cookie(request: Request, response: Response, name: str, value: str, lasts: timedelta | None = None) -> None:
    """A cookie that scripts cannot read and other sites' forms do not carry."""
    seconds = int(lasts.total_seconds()) if lasts else None
    secure = desk(request).settings.service.secure_cookie
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)


def allow_body(request: Request, limit: int) -> None:
    """The request's body may have so many bytes (middleware.limit_body has set service.form_bytes); to be called before it is read."""
    request.scope["body_limit"][0] = limit


def signed_in(visitor: Annotated[Visitor | None, Depends(admit)]) -> Visitor:
    """The visitor of a route that is not public."""
    if visitor is None:
        raise NotSignedInError("请先登录")
    return visitor


Who = Annotated[Visitor, Depends(signed_in)]
Anyone = Annotated[Visitor | None, Depends(admit)]
