"""Pages: a template with what every page needs, or a way back with a message.

In: a request, a template's name, its values. Out: a response. The one decision: templates call functions, they do not know settings or the store; a
page has one language, told by a cookie, and `t(中文, English)` picks.

What a template finds beside its own values (docs at the top of templates/base.html.j2): t, visitor, csrf_field, csrf, nav, url_for, static, may,
label, masked, local, clock, amount, percent, language.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from phrasecheck import __version__
from phrasecheck.report import labels
from phrasecheck.service import shield, words
from phrasecheck.service.desk import desk
from phrasecheck.service.security import CSRF_FIELD, Visitor, csrf_of, remember_visit, set_cookie

LANGUAGE, FLASH = "phrasecheck_lang", "phrasecheck_flash"
ZONE_ISO = "%Y-%m-%d %H:%M"

# (Chinese, English, route): what the header offers, in this order, to those who may.
NAV = (
    ("看板", "Dashboard", "dashboard"),
    ("实时", "Live", "wall"),
    ("通话", "Calls", "calls"),
    ("上传", "Upload", "uploads"),
    ("抽检", "Sampling", "sampling"),
    ("反馈", "Feedback", "feedback"),
    ("词库", "Lexicon", "lexicon"),
    ("保留", "Retention", "retention"),
    ("审计", "Audit", "audit"),
    ("用户", "Users", "users"),
)


def environment() -> Environment:
    """The templates: escaped, and a name that is not there is an error."""
    made = Environment(
        loader=PackageLoader("phrasecheck.service"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals |= {"version": __version__}
    made.filters |= {"clock": labels.clock, "amount": labels.amount, "percent": labels.percent, "local": local}
    return made


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page."""
    message = _flash(request)
    text = desk(request).templates.get_template(template).render(**_common(request), flash=message, **values)
    response = HTMLResponse(text, status)
    if message is not None:
        response.delete_cookie(FLASH)
    if visitor_of(request) is None:
        remember_visit(request, response)
    return response


def back(request: Request, to: str, message: str = "", kind: str = "good") -> RedirectResponse:
    """Redirect after a form was sent; the next page shows `message` once (kind: good, bad)."""
    response = RedirectResponse(to, 303)
    if message:
        set_cookie(request, response, FLASH, quote(json.dumps([kind, message], ensure_ascii=False)))
    return response


def visitor_of(request: Request) -> Visitor | None:
    """Who is signed in, as security.admit found him; None before it ran (no such page)."""
    found: Visitor | None = getattr(request.state, "visitor", None)
    return found


def language(request: Request) -> str:
    """zh or en."""
    return "en" if request.cookies.get(LANGUAGE) == "en" else "zh"


def translator(request: Request) -> Callable[[str, str], str]:
    """`t` of the templates, for messages that are made in a route."""
    english = language(request) == "en"
    return lambda zh, en: en if english else zh


def url_for(request: Request, route: str, query: Mapping[str, Any] | None = None, **path: Any) -> str:
    """The path of a route, with a query string of what is not None in `query`."""
    known = {name: value for name, value in (query or {}).items() if value is not None and value != ""}
    place = f"{request.scope.get('root_path', '')}{request.app.url_path_for(route, **path)}"
    return f"{place}?{urlencode(known)}" if known else place


def local_path(address: str | None, otherwise: str) -> str:
    """Path and query of an address of ours, never another site's: what `next` and Referer may lead to."""
    parts = urlsplit(address or "")
    path = parts.path
    if not path.startswith("/") or path.startswith(("//", "/\\")) or "\\" in path:
        return otherwise
    return f"{path}?{parts.query}" if parts.query else path


def local(at: datetime | None, form: str = ZONE_ISO) -> str:
    """A time as the clocks of this machine show it; an em dash for none."""
    return "—" if at is None else at.astimezone().strftime(form)


def _common(request: Request) -> dict[str, Any]:
    visitor, english = visitor_of(request), language(request) == "en"
    csrf = csrf_of(request)

    def address(route: str, query: Mapping[str, Any] | None = None, **path: Any) -> str:
        return url_for(request, route, query, **path)

    return {
        "request": request,
        "visitor": visitor,
        "language": "en" if english else "zh",
        "t": translator(request),
        "label": lambda value: words.pair(value)[int(english)],
        "action": lambda code: words.action(code)[int(english)],
        "may": lambda route: visitor is not None and visitor.may(route),
        "masked": visitor and partial(shield.words, visitor),
        "csrf": csrf,
        "csrf_field": Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, csrf),
        "nav": [(zh, en, route) for zh, en, route in NAV if visitor and visitor.may(route)],
        "here": getattr(request.scope.get("route"), "name", ""),
        "url_for": address,
        "static": lambda name: address("static", path=name),
    }


def _flash(request: Request) -> tuple[str, str] | None:
    try:
        kind, message = json.loads(unquote(request.cookies[FLASH]))
    except (KeyError, ValueError, TypeError):
        return None
    return ("bad" if kind == "bad" else "good"), str(message)
