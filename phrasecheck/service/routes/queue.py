"""The queue as a page, and calls for programs: hand one in, ask how it stands, take its result.

In: multipart recordings, ids. Out: JSON; the page. The one decision: a program gets what the page gets, through the same functions; a recording that
was here before is not checked again unless it is asked for, and is answered with the call that it already is.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from phrasecheck.errors import InputError, RefusedError, StoreError, TooLargeError
from phrasecheck.metadata import known
from phrasecheck.report.json import to_json
from phrasecheck.service import pages, shield
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.intake import Sent, base, head_of, recording, wake
from phrasecheck.service.routes.uploads import LONGEST_NAME, MOST_FACTS, plain
from phrasecheck.service.scope import CallId, narrowed, visible_call
from phrasecheck.service.security import Visitor, Who, allow_body
from phrasecheck.service.sniff import Kind, kind_of
from phrasecheck.store.listing import Filter
from phrasecheck.store.states import CallState
from phrasecheck.store.tables import CallRow, Outcome
from phrasecheck.types import Role

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api/v1", tags=["calls"])

SHOWN = 50  # calls in each list of the page
FIELD = 10_000  # bytes of a form field
BLOCK = 1 << 20
Word = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00-\x1f]*$")]
FIELDS = ("role", "agent", "team", "time", "direction", "agent_channel", "wait", "again")
FORM = {
    "type": "object",
    "required": ["audio"],
    "properties": {"audio": {"type": "string", "format": "binary"}, **{name: {"type": "string", "maxLength": 200} for name in FIELDS}},
}


# --- the page -----------------------------------------------------------------------------------------------------------------------


@router.get("/queue", name="queue")
def queue(request: Request, here: Here) -> Response:
    """What is being checked, what waits, what failed and why."""
    lines = {state: here.store.queue.line(state, SHOWN) for state in CallState if state is not CallState.DONE}
    return pages.render(
        request,
        "queue.html.j2",
        lines=lines,
        counts=here.store.calls.counts(),
        pace=here.store.queue.pace(),
        now=here.store.database.now(),
        shown=SHOWN,
    )


@router.post("/queue/{call_id}/run-again", name="queue_again_send")
def queue_again_send(request: Request, here: Here, who: Who, call_id: CallId) -> Response:
    """One that failed, once more."""
    wake(here, here.store.calls.run_again(call_id, who.name))
    return _to_queue(request, "已重新排队", "Queued again")


@router.post("/queue/run-failed", name="queue_failed_send")
def queue_failed_send(request: Request, here: Here, who: Who) -> Response:
    """All that failed, once more."""
    failed = here.store.queue.failed()
    for call_id in failed:
        try:
            wake(here, here.store.calls.run_again(call_id, who.name))
        except RefusedError:
            continue  # somebody was quicker
    return _to_queue(request, f"{len(failed)} 通已重新排队", f"{len(failed)} calls queued again")


@router.post("/queue/{call_id}/release", name="queue_release_send")
def queue_release_send(request: Request, here: Here, who: Who, call_id: CallId) -> Response:
    """Not to wait for metadata any longer."""
    wake(here, here.store.calls.release(call_id, who.name))
    return _to_queue(request, "已开始排队", "Queued")


@router.post("/queue/{call_id}/cancel", name="queue_cancel_send")
def queue_cancel_send(request: Request, here: Here, who: Who, call_id: CallId) -> Response:
    """Not to be checked."""
    here.store.calls.cancel(call_id, who.name)
    return _to_queue(request, "已取消", "Cancelled")


def _to_queue(request: Request, zh: str, en: str) -> Response:
    return pages.back(request, pages.url_for(request, "queue"), pages.translator(request)(zh, en))


# --- handing in ---------------------------------------------------------------------------------------------------------------------


@api.post(
    "/calls",
    name="api_call_add",
    status_code=202,
    responses={200: {"description": "This recording was here before"}, 400: {}, 413: {}, 415: {}, 422: {}},
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}},
)
async def add(
    request: Request,
    here: Here,
    who: Who,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=150, pattern=r"^[\x21-\x7e]+$")] = None,
) -> JSONResponse:
    """A recording (`audio`) with what is known of it. The same `Idempotency-Key` again is the same call; `wait`=true: not checked before its
    metadata are here or it is released; `again`=true: checked even if this recording was here before."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "请求的 Content-Type 应为 multipart/form-data，录音放在 audio 一栏：请改正后再发")
    allow_body(request, here.settings.service.upload_bytes + here.settings.service.form_bytes)
    try:
        async with request.form(max_files=1, max_fields=MOST_FACTS, max_part_size=FIELD) as form:
            audio = form.get("audio")
            if not isinstance(audio, UploadFile):
                raise InputError("缺少录音：应在 multipart 的 audio 一栏放录音文件（带文件名），请改正后再发")
            said = plain({key: value for key, value in form.items() if isinstance(value, str) and key != "csrf"})
            return await run_in_threadpool(_added, here, who, audio, said, idempotency_key, request)
    except ClientDisconnect as error:  # nobody hears this; it is for the log
        raise HTTPException(400, "连接在收完之前断开：请用同一个 Idempotency-Key 重发") from error


def _added(here: Desk, who: Visitor, audio: UploadFile, said: dict[str, str], key: str | None, request: Request) -> JSONResponse:
    name = base(plain({"filename": audio.filename or ""})["filename"])[:LONGEST_NAME] or "录音"
    wait, again = (said.pop(wish, "") == "true" for wish in ("wait", "again"))
    known(said, name)
    scratch = here.store.uploads.scratch(name)
    try:
        _copy(audio, scratch, here.settings.service.upload_bytes)
        if kind_of(head_of(scratch), name, here.settings.audio) is not Kind.RECORDING:
            raise InputError(f"{name}：这里只收一段录音，ZIP 和元数据表请用 /api/v1/uploads 上传")
        item = recording(here, scratch, name, Sent(user_id=who.id, actor=who.name, facts=said, wait=wait, again=again), key)
    finally:
        scratch.unlink(missing_ok=True)
    assert item.call is not None
    told = {"id": item.call.id, "state": item.call.state, "duplicate": item.outcome is not Outcome.ACCEPTED, "message": item.told}
    place = pages.url_for(request, "api_call", call_id=item.call.id)
    return JSONResponse(told, 200 if item.outcome is Outcome.KNOWN else 202, {"Location": place})


def _copy(audio: UploadFile, to: Path, most: int) -> None:
    size = 0
    try:
        with to.open("wb") as file:
            while block := audio.file.read(BLOCK):
                size += len(block)
                if size > most:
                    raise TooLargeError(f"录音应不超过 {most >> 20} MB，收到的更大：请压缩或分段，或请管理员调高上限")
                file.write(block)
    except OSError as error:
        raise StoreError(f"录音存不下：{error.strerror}。请腾出磁盘空间后重新上传") from error


# --- asking -------------------------------------------------------------------------------------------------------------------------


@api.get("/calls", name="api_calls", responses={404: {}, 409: {}, 422: {}})
def calls(
    here: Here,
    who: Who,
    state: CallState | None = None,
    role: Role | None = None,
    agent: Word = None,
    team: Word = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Annotated[str | None, Query(pattern=r"^[0-9A-Za-z_-]{1,64}$")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Calls, the latest first; `next` is the `after` of the next page."""
    wanted = Filter(state=state, role=role, agent=agent, team=team, since=_aware(since), until=_aware(until))
    last = visible_call(here.store, who, after) if after else None
    lines = here.store.listing.page(narrowed(who, wanted), last, limit)
    return {"calls": [_call(who, line.call) for line in lines], "next": lines[-1].call.id if len(lines) == limit else None}


@api.get("/calls/{call_id}", name="api_call", responses={404: {}, 422: {}})
def call(here: Here, who: Who, call_id: CallId) -> dict[str, Any]:
    """How a call stands; while it waits, its place in the queue and the seconds left, as fast as it went of late."""
    row = visible_call(here.store, who, call_id)
    if row.state is not CallState.QUEUED:
        return _call(who, row)
    ahead, pace = here.store.calls.ahead(call_id), here.store.queue.pace()
    return {**_call(who, row), "ahead": ahead, "seconds_left": pace and (ahead + 1) * pace}


@api.get("/calls/{call_id}/result", name="api_call_result", responses={404: {}, 422: {}})
def result(here: Here, who: Who, call_id: CallId) -> dict[str, Any]:
    """The published result (docs/result.schema.json); what is personal in it is blackened for everyone but the QA lead."""
    visible_call(here.store, who, call_id)
    found = here.store.results.get(call_id)
    return to_json(shield.shielded(who, found))


@api.post("/calls/{call_id}/run-again", name="api_call_again", status_code=202, responses={404: {}, 409: {}, 422: {}})
def again(here: Here, who: Who, call_id: CallId) -> dict[str, Any]:
    """A call that is done or failed, once more."""
    row = here.store.calls.run_again(call_id, who.name)
    wake(here, row)
    return _call(who, row)


@api.post("/calls/{call_id}/release", name="api_call_release", status_code=202, responses={404: {}, 409: {}, 422: {}})
def release(here: Here, who: Who, call_id: CallId) -> dict[str, Any]:
    """A call that waits for its metadata, without them."""
    row = here.store.calls.release(call_id, who.name)
    wake(here, row)
    return _call(who, row)


@api.get("/queue", name="api_queue")
def api_queue(here: Here) -> dict[str, Any]:
    """How many calls are in each state, the seconds from one result to the next as of late, and the seconds until all are done."""
    counts, pace = here.store.calls.counts(), here.store.queue.pace()
    waiting = counts[CallState.QUEUED] + counts[CallState.CHECKING]
    return {"calls": counts, "pace_s": pace, "seconds_left": pace and waiting * pace}


def _aware(at: datetime | None) -> datetime | None:
    """On this machine's clock unless it names a zone."""
    try:
        return at if at is None or at.tzinfo else at.astimezone()
    except (ValueError, OverflowError) as error:
        raise InputError(f"时间应为 2026-11-02T10:00:00+08:00 的样子，收到 {at}") from error


def _call(who: Visitor, row: CallRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "source": shield.words(who, row.source),
        "state": row.state,
        "reason": row.reason,
        "role": row.role,
        "agent": row.agent,
        "team": row.team,
        "agent_channel": row.agent_channel,
        "direction": row.direction,
        "said_at": row.said_at,
        "uploaded_at": row.uploaded_at,
        "sha256": row.sha256,
    }
