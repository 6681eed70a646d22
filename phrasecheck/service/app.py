"""The web application, put together.

In: Settings; a Store and workers if the caller has them. Out: a FastAPI application. The one decision: this file holds the only table from error to
HTTP status, and every route is behind security.admit.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from phrasecheck import __version__
from phrasecheck.current import CurrentMatcher
from phrasecheck.errors import (
    AudioError,
    InputError,
    LeaseLostError,
    LexiconError,
    ModelError,
    NotFoundError,
    PhrasecheckError,
    RefusedError,
    StoreError,
    TooLargeError,
)
from phrasecheck.service import middleware, pages
from phrasecheck.service.chores import Chores
from phrasecheck.service.desk import Desk
from phrasecheck.service.exchange import keyed, make_exchange, running
from phrasecheck.service.heap import one_heap
from phrasecheck.service.logs import LOGGER
from phrasecheck.service.metrics import Metrics
from phrasecheck.service.routes import (
    accounts,
    audit,
    call,
    calls,
    dashboard,
    feedback,
    lexicon,
    lexicon_edit,
    live,
    ops,
    queue,
    rescores,
    retention,
    reviews,
    sampling,
    uploads,
    webhooks,
)
from phrasecheck.service.security import SAFE, ForbiddenError, NotSignedInError, admit
from phrasecheck.settings import Settings
from phrasecheck.store.store import Store, open_store

if TYPE_CHECKING:
    from phrasecheck.cluster import Executor

ROUTERS: tuple[APIRouter, ...] = (
    dashboard.router,
    lexicon.router,
    lexicon.api,
    lexicon_edit.router,
    rescores.router,
    rescores.api,
    accounts.router,
    accounts.api,
    ops.router,
    audit.router,
    feedback.router,
    uploads.router,
    uploads.api,
    queue.router,
    queue.api,
    webhooks.router,
    calls.router,
    calls.api,
    call.router,
    reviews.router,
    reviews.api,
    live.router,
    live.api,
    sampling.router,
    retention.router,
)

# The nearest class counts; what is not here is our own mistake: 500.
STATUS: dict[type[Exception], int] = {
    NotSignedInError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    RefusedError: 409,
    LeaseLostError: 409,
    TooLargeError: 413,
    AudioError: 422,
    InputError: 422,
    LexiconError: 422,
    ModelError: 503,
    StoreError: 503,
    PhrasecheckError: 500,
}


def create_app(settings: Settings, store: Store | None = None, executor: "Executor | None" = None) -> FastAPI:
    """The application. Without `store` it opens the one of the settings, and closes it when it ends; `executor` is started and stopped with it.

    Raises StoreError.
    """
    one_heap()
    opened = store or open_store(settings.store)
    desk = make_desk(settings, opened, executor)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chores = Chores(desk)
        if executor is not None:
            await run_in_threadpool(executor.start)
        chores.start()
        try:
            async with running(app.state.exchange):
                yield
        finally:
            await run_in_threadpool(chores.stop)
            if executor is not None:
                await run_in_threadpool(executor.stop)
            if store is None:
                opened.close()

    app = FastAPI(
        title="phrasecheck",
        version=__version__,
        lifespan=lifespan,
        dependencies=[Depends(admit)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.desk = desk
    app.state.exchange = make_exchange(desk)
    for router in ROUTERS:
        app.include_router(router)
    with as_file(files("phrasecheck.service") / "static") as folder:
        app.mount("/static", StaticFiles(directory=folder), name="static")
    handler: Any = answer  # for requests and WebSockets; Starlette's type knows only one or the other
    for error in (PhrasecheckError, HTTPException, RequestValidationError):
        app.add_exception_handler(error, handler)
    _wrap(app, desk)
    return app


def make_desk(settings: Settings, store: Store, executor: "Executor | None") -> Desk:
    """The parts that routes share."""
    return Desk(
        settings=settings,
        store=store,
        executor=executor,
        matcher=CurrentMatcher(settings, store),
        templates=pages.environment(),
        metrics=Metrics(store.calls.counts, lambda: executor.alive() if executor else 0),
    )


def _wrap(app: FastAPI, desk: Desk) -> None:
    """The outermost comes last."""
    service = desk.settings.service
    app.add_middleware(middleware.limited, limit=service.form_bytes)
    app.add_middleware(middleware.rescued, answer=answer)
    app.add_middleware(middleware.secured, tls=service.secure_cookie)
    app.add_middleware(middleware.observed, metrics=desk.metrics)
    app.add_middleware(keyed)


# --- errors -------------------------------------------------------------------------------------------------------------------------


def status_of(error: Exception) -> int:
    """The HTTP status of an error."""
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, RequestValidationError):
        return 422
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


async def answer(connection: HTTPConnection, error: Exception) -> Response | None:
    """An error as a page, as JSON ({"error": {"code", "message"}}), or as the end of a WebSocket."""
    ours = isinstance(error, PhrasecheckError)  # else FastAPI may have wrapped what reading a body raised
    cause = error.__cause__ if not ours and isinstance(error.__cause__, PhrasecheckError) else error
    status, message = status_of(cause), message_of(cause)
    if status >= 500:
        LOGGER.error("%s: %s", type(cause).__name__, cause, exc_info=cause)
    if isinstance(connection, WebSocket):
        await connection.close(1008, message.encode()[:120].decode(errors="ignore"))
        return None
    request = Request(connection.scope)
    if not _wants_page(request):
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else getattr(cause, "headers", None)  # Allow, Tus-Version
        return JSONResponse({"error": {"code": code_of(cause), "message": message}}, status, headers)
    if status == 401 and request.method in SAFE and pages.visitor_of(request) is None:
        asked = pages.local_path(str(request.url), "/")
        return RedirectResponse(pages.url_for(request, "sign_in", {"next": None if asked == "/" else asked}), 303)
    return pages.render(request, "error.html.j2", status=status, code=status, message=message)


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def code_of(error: Exception) -> str:
    """A word for programs: not_found, refused, http_405 ..."""
    if isinstance(error, HTTPException):
        return f"http_{error.status_code}"
    name = type(error).__name__.removesuffix("Error") if isinstance(error, PhrasecheckError) else "Invalid"
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() if status_of(error) != 500 else "internal"


def message_of(error: Exception) -> str:
    """What the user reads; of our own mistakes he is told no details."""
    if isinstance(error, PhrasecheckError):
        return str(error)
    if isinstance(error, RequestValidationError):
        wrong = "；".join(f"{'.'.join(map(str, e['loc'][1:])) or '正文'}：{e['msg']}" for e in error.errors()[:5])
        return f"请求里有填错的地方：{wrong}。请改正后再发"
    if isinstance(error, HTTPException):
        return HTTP_MESSAGES.get(error.status_code) or str(error.detail)
    return "程序出错了，已记入日志：请把页面顶部响应头里的请求编号（X-Request-ID）告诉维护人员"


HTTP_MESSAGES = {
    400: "请求的格式有误：请刷新页面再试，或对照接口文档",
    404: "没有这个页面：请检查地址，或从首页进入",
    405: "这个地址不接受这种请求方法：请对照接口文档",
}
