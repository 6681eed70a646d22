"""Signing in and out, invitations, users, API tokens, the language; and the way in, `/`.

In: forms. Out: pages, or the way back. The one decision: secrets (invitation links, API tokens) are shown by the answer to the form itself and
nowhere else: they are in no redirect, no cookie and no log.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from phrasecheck.errors import InputError, RefusedError
from phrasecheck.service import pages
from phrasecheck.service.access import Scope
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.security import Anyone, NotSignedInError, Who, end_session, start_session
from phrasecheck.store.accounts import NewUser
from phrasecheck.store.states import Permission
from phrasecheck.store.tables import TokenKind

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Form(max_length=200)]
Optional = Annotated[str, Form(max_length=100)]

# Where each permission begins.
HOME: dict[Permission, str] = {
    Permission.ADMIN: "dashboard",
    Permission.LEAD: "dashboard",
    Permission.INSPECTOR: "queue_mine",
    Permission.TRAINER: "feedback",
    Permission.SUPERVISOR: "wall",
    Permission.AGENT: "calls",
}


@router.get("/", name="home")
def home(request: Request, who: Who) -> Response:
    """To where this visitor's work is."""
    return pages.back(request, pages.url_for(request, HOME[who.permission]))


# --- signing in and out -------------------------------------------------------------------------------------------------------------


@router.get("/sign-in", name="sign_in")
def sign_in(request: Request, who: Anyone, next: str = "/") -> Response:
    """The form."""
    if who is not None:
        return pages.back(request, pages.local_path(next, "/"))
    return pages.render(request, "login.html.j2", next=next, name="", problem=None)


@router.post("/sign-in", name="sign_in_send")
def sign_in_send(request: Request, here: Here, name: Text, password: Text, next: Text = "/") -> Response:
    """Signed in, or the form again with the reason."""
    from phrasecheck.service.app import status_of

    try:
        user = here.store.accounts.sign_in(name.strip(), password)
        if user is None:
            raise NotSignedInError("用户名或密码不对：请再试一次；连续错几次账号会锁定一会儿")
    except (NotSignedInError, RefusedError) as error:
        return pages.render(request, "login.html.j2", status=status_of(error), next=next, name=name, problem=str(error))
    response = pages.back(request, pages.local_path(next, "/"))
    start_session(request, response, user.id)
    return response


@router.post("/sign-out", name="sign_out_send")
def sign_out_send(request: Request) -> Response:
    """The session is over."""
    t = pages.translator(request)
    response = pages.back(request, pages.url_for(request, "sign_in"), t("已退出", "Signed out"))
    end_session(request, response)
    return response


@router.post("/language", name="language_send")
def language_send(request: Request, here: Here, language: Annotated[str, Form(pattern="^(zh|en)$")]) -> Response:
    """The same page in the other language."""
    response = pages.back(request, pages.local_path(request.headers.get("referer"), "/"))
    response.set_cookie(pages.LANGUAGE, language, max_age=365 * 86400, samesite="lax", secure=here.settings.service.secure_cookie)
    return response


# --- links that set a password ------------------------------------------------------------------------------------------------------


@router.get("/welcome/{link}", name="welcome")
def welcome(request: Request, link: str) -> Response:
    """The form that makes the first administrator."""
    return pages.render(request, "welcome.html.j2", link=link, name="", problem=None)


@router.post("/welcome/{link}", name="welcome_send")
def welcome_send(request: Request, here: Here, link: str, name: Text, password: Text, again: Text) -> Response:
    """The first administrator, signed in."""
    try:
        user = here.store.accounts.make_first(link, name, _same(password, again))
    except InputError as error:
        return pages.render(request, "welcome.html.j2", status=422, link=link, name=name, problem=str(error))
    response = pages.back(request, pages.url_for(request, "users"), f"欢迎，{user.name}。现在可以为同事开户了")
    start_session(request, response, user.id)
    return response


@router.get("/invitation/{link}", name="invitation")
def invitation(request: Request, here: Here, link: str) -> Response:
    """The form that sets the password of an account."""
    return pages.render(request, "invitation.html.j2", link=link, name=_invited(here, link), problem=None)


@router.post("/invitation/{link}", name="invitation_send")
def invitation_send(request: Request, here: Here, link: str, password: Text, again: Text) -> Response:
    """The password is set and its owner signed in."""
    name = _invited(here, link)
    try:
        user = here.store.accounts.accept(link, _same(password, again))
    except InputError as error:
        return pages.render(request, "invitation.html.j2", status=422, link=link, name=name, problem=str(error))
    response = pages.back(request, "/", f"密码已设好，您好，{user.name}")
    start_session(request, response, user.id)
    return response


def _invited(here: Desk, link: str) -> str:
    found = here.store.accounts.whose(link, TokenKind.INVITATION)
    if found is None:
        raise RefusedError("链接无效、已用过或已过期：请让管理员重发一个")
    return found[0].name


def _same(password: str, again: str) -> str:
    if password != again:
        raise InputError("两次输入的密码应相同，收到的不同：请重新输入")
    return password


# --- users --------------------------------------------------------------------------------------------------------------------------


@router.get("/users", name="users")
def users(request: Request, here: Here) -> Response:
    """All accounts, and the form for a new one."""
    return _users(request, here)


@router.post("/users", name="user_invite_send")
def user_invite_send(
    request: Request, here: Here, who: Who, name: Text, permission: Annotated[Permission, Form()], team: Optional = "", agent: Optional = ""
) -> Response:
    """A new account, and the link for its owner."""
    new = NewUser(name=name, permission=permission, team=team.strip() or None, agent=agent.strip() or None)
    try:
        user, link = here.store.accounts.invite(new, who.name)
    except InputError as error:
        return _users(request, here, status=422, problem=str(error), typed=new)
    return _users(request, here, invited=(user.name, _address(request, here, link)))


def _users(
    request: Request,
    here: Desk,
    status: int = 200,
    problem: str | None = None,
    typed: NewUser | None = None,
    invited: tuple[str, str] | None = None,
) -> Response:
    accounts = here.store.accounts
    typed = typed or NewUser(name="", permission=Permission.INSPECTOR)
    return pages.render(
        request,
        "users.html.j2",
        status=status,
        users=accounts.users(),
        teams=accounts.teams(),
        permissions=list(Permission),
        typed=typed,
        problem=problem,
        invited=invited,
        now=here.store.database.now(),
    )


@router.get("/users/{user_id}", name="user")
def user(request: Request, here: Here, user_id: int) -> Response:
    """One account."""
    return _user(request, here, user_id)


@router.post("/users/{user_id}", name="user_change_send")
def user_change_send(
    request: Request,
    here: Here,
    who: Who,
    user_id: int,
    permission: Annotated[Permission, Form()],
    team: Optional = "",
    agent: Optional = "",
) -> Response:
    """What it may do, and where it belongs."""
    here.store.accounts.change(user_id, who.name, permission=permission, team=team.strip() or None, agent=agent.strip() or None)
    return _back_to(request, user_id, ("已保存", "Saved"))


@router.post("/users/{user_id}/reinvite", name="user_reinvite_send")
def user_reinvite_send(request: Request, here: Here, who: Who, user_id: int) -> Response:
    """A new link, for a forgotten password."""
    link = here.store.accounts.reinvite(user_id, who.name)
    return _user(request, here, user_id, _address(request, here, link))


@router.post("/users/{user_id}/close", name="user_close_send")
def user_close_send(request: Request, here: Here, who: Who, user_id: int) -> Response:
    """The account is closed."""
    here.store.accounts.close(user_id, who.name)
    return _back_to(request, user_id, ("账号已停用", "The account is closed"))


def _back_to(request: Request, user_id: int, message: tuple[str, str]) -> Response:
    return pages.back(request, pages.url_for(request, "user", user_id=user_id), pages.translator(request)(*message))


def _user(request: Request, here: Desk, user_id: int, link: str | None = None) -> Response:
    accounts = here.store.accounts
    found = accounts.user(user_id)
    trail = here.store.audit.entries(subject=f"user:{user_id}", limit=20)
    return pages.render(
        request,
        "user.html.j2",
        user=found,
        permissions=list(Permission),
        teams=accounts.teams(),
        link=link,
        trail=trail,
        tokens=accounts.tokens(user_id),
        now=here.store.database.now(),
    )


def _address(request: Request, here: Desk, link: str) -> str:
    """The whole address of an invitation, to be sent to its owner."""
    base = here.settings.service.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return base + pages.url_for(request, "invitation", link=link)


# --- API tokens ---------------------------------------------------------------------------------------------------------------------


@router.get("/tokens", name="tokens")
def tokens(request: Request, here: Here, who: Who) -> Response:
    """The visitor's own tokens; an administrator sees everybody's."""
    return _tokens(request, here, who)


@router.post("/tokens", name="token_issue_send")
def token_issue_send(
    request: Request,
    here: Here,
    who: Who,
    name: Optional,
    days: Annotated[int, Form(ge=1, le=3650)],
    scopes: Annotated[tuple[Scope, ...], Form()] = (),
) -> Response:
    """A new token, shown once."""
    lasts = timedelta(days=min(days, here.settings.service.token_days))
    try:
        secret = here.store.accounts.issue_api(who.id, lasts, name, scopes)
    except InputError as error:
        return _tokens(request, here, who, status=422, problem=str(error))
    return _tokens(request, here, who, secret=secret)


@router.post("/tokens/{token_id}/revoke", name="token_revoke_send")
def token_revoke_send(request: Request, here: Here, who: Who, token_id: int) -> Response:
    """The token is good for nothing from now on."""
    here.store.accounts.end_token(token_id, who.name, None if who.permission is Permission.ADMIN else who.id)
    return pages.back(request, pages.url_for(request, "tokens"), pages.translator(request)("令牌已撤销", "The token is revoked"))


def _tokens(request: Request, here: Desk, who: Who, status: int = 200, problem: str | None = None, secret: str | None = None) -> Response:
    found = here.store.accounts.tokens(None if who.permission is Permission.ADMIN else who.id)
    return pages.render(
        request,
        "tokens.html.j2",
        status=status,
        tokens=found,
        scopes=list(Scope),
        days=int(here.settings.service.token_days),
        problem=problem,
        secret=secret,
    )


# --- the API ------------------------------------------------------------------------------------------------------------------------

api = APIRouter(prefix="/api/v1", tags=["account"])


@api.get("/me", name="api_me")
def me(who: Who) -> dict[str, object]:
    """Who the token belongs to, and what it is good for."""
    scopes = None if who.scopes is None else sorted(who.scopes)
    return {"name": who.name, "permission": who.permission, "team": who.team, "agent": who.agent, "scopes": scopes}
