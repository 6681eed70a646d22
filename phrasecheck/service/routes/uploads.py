"""Uploads: the page, and parts that can be gone on with after a lost connection (tus 1.0: creation, expiration, termination).

In: parts of files. Out: calls in the queue, told by GET /api/v1/uploads/{id}. The one decision: a body goes to disk block by block as it comes; once
the first bytes are here they are looked at, and what is no recording, ZIP or table is refused and gone before the rest is sent.
"""

import logging
from base64 import b64decode
from binascii import Error
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from phrasecheck.errors import AudioError, InputError, RefusedError, TooLargeError
from phrasecheck.metadata import known, template_csv, template_xlsx
from phrasecheck.service import pages, shield
from phrasecheck.service.desk import Desk, Here
from phrasecheck.service.intake import head_of, take_in
from phrasecheck.service.security import Visitor, Who, allow_body
from phrasecheck.service.sheets import XLSX
from phrasecheck.service.sniff import HEAD, kind_of
from phrasecheck.store.tables import Outcome, UploadItemRow, UploadRow, UploadState
from phrasecheck.store.uploads import NewUpload
from phrasecheck.types import Role

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api/v1/uploads", tags=["uploads"])
log = logging.getLogger(__name__)

VERSION = "1.0.0"
PARTS = "application/offset+octet-stream"
BUFFER = 1 << 18  # bytes that are written at once
OWN_KEYS = frozenset({"filename", "filetype", "batch", "wait", "again"})
LONGEST_NAME, MOST_FACTS = 1000, 30

UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
TusVersion = Annotated[str | None, Header(alias="Tus-Resumable", description=f"{VERSION}; may be left out")]


# --- pages --------------------------------------------------------------------------------------------------------------------------


@router.get("/uploads", name="uploads")
def uploads(request: Request, here: Here) -> Response:
    """Where files are dropped."""
    return pages.render(
        request,
        "uploads.html.j2",
        roles=list(Role),
        most=here.settings.service.upload_bytes,
        call=pages.url_for(request, "call", call_id="CALL"),
    )


@router.get("/uploads/template.{kind}", name="uploads_template")
def template(kind: Annotated[str, Path(pattern="^(csv|xlsx)$")]) -> Response:
    """A metadata table to fill in."""
    media = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX}[kind]
    name = quote(f"元数据模板.{kind}")
    made = template_csv() if kind == "csv" else template_xlsx()
    return Response(
        made, media_type=media, headers={"Content-Disposition": f"attachment; filename=\"template.{kind}\"; filename*=UTF-8''{name}"}
    )


# --- tus ----------------------------------------------------------------------------------------------------------------------------


@api.options("", name="api_upload_options", status_code=204, response_class=Response)
def options(here: Here) -> Response:
    """What this server can do (tus)."""
    return Response(status_code=204, headers={**_limits(here), "Tus-Version": VERSION, "Tus-Extension": "creation,expiration,termination"})


@api.post("", name="api_upload_begin", status_code=201, response_class=Response, responses={413: {}, 422: {}})
def begin(
    here: Here,
    who: Who,
    request: Request,
    upload_length: Annotated[int | None, Header(ge=0, le=1 << 62)] = None,
    upload_metadata: Annotated[str, Header(max_length=16_000)] = "",
    tus_resumable: TusVersion = None,
) -> Response:
    """Room for a file of `Upload-Length` bytes. `Upload-Metadata`: filename, batch, wait, again, and facts (role, agent, team, time, direction, agent_channel,
    others), each a word and its value in base64, separated by commas."""
    _check_version(tus_resumable)
    if upload_length is None:
        raise InputError("缺少 Upload-Length：应为整个文件的字节数（不支持 Upload-Defer-Length）")
    row = here.store.uploads.begin(who.id, _new(here, upload_length, _metadata(upload_metadata)))
    return Response(status_code=201, headers={**_told(here, row), "Location": pages.url_for(request, "api_upload", upload_id=row.id)})


@api.head("/{upload_id}", name="api_upload_offset", response_class=Response, responses={404: {}})
def offset(here: Here, who: Who, upload_id: UploadId) -> Response:
    """How far it is: `Upload-Offset`."""
    row = here.store.uploads.get(upload_id, who.id)
    return Response(headers={**_told(here, row), "Upload-Length": str(row.length)})


@api.get("/{upload_id}", name="api_upload", responses={404: {}})
def upload(here: Here, who: Who, upload_id: UploadId) -> dict[str, Any]:
    """How far it is, and what became of each file in it."""
    row = here.store.uploads.get(upload_id, who.id)
    items = here.store.uploads.items(upload_id)
    return {
        "id": row.id,
        "name": row.name,
        "length": row.length,
        "offset": here.store.uploads.offset(row),
        "state": row.state,
        "items": [{"name": item.name, "outcome": item.outcome, "message": _message(who, item), "call": item.call_id} for item in items],
    }


def _message(who: Visitor, item: UploadItemRow) -> str:
    """Of an earlier call it names the file, which was somebody else's."""
    return shield.words(who, item.told) if item.outcome in {Outcome.KNOWN, Outcome.AGAIN} else item.told


@api.patch(
    "/{upload_id}",
    name="api_upload_part",
    status_code=204,
    response_class=Response,
    responses={404: {}, 409: {}, 413: {}, 415: {}, 422: {}},
    openapi_extra={"requestBody": {"required": True, "content": {PARTS: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def part(
    request: Request,
    here: Here,
    who: Who,
    upload_id: UploadId,
    upload_offset: Annotated[int, Header(ge=0, le=1 << 62)],
    tus_resumable: TusVersion = None,
) -> Response:
    """The bytes from `Upload-Offset` on; with the last of them what is in the file is taken in. A connection that breaks off leaves what had come."""
    _check_version(tus_resumable)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PARTS:
        raise HTTPException(
            415, f"这一段的 Content-Type 应为 {PARTS}，收到 {request.headers.get('content-type', '')[:100] or '（空）'}：请改正后再发"
        )
    row = await run_in_threadpool(here.store.uploads.get, upload_id, who.id)
    await run_in_threadpool(here.store.uploads.append, row, upload_offset, b"")  # is it where its sender believes?
    allow_body(request, row.length - upload_offset)
    at = await _received(request, here, row, upload_offset)
    if at < row.length:
        return Response(status_code=204, headers=_told(here, row))
    await run_in_threadpool(here.store.uploads.whole, row)
    return Response(status_code=204, headers={**_limits(here), "Upload-Offset": str(at)}, background=BackgroundTask(_take_in, here, row.id))


@api.delete("/{upload_id}", name="api_upload_drop", status_code=204, response_class=Response, responses={404: {}, 409: {}})
def drop(here: Here, who: Who, upload_id: UploadId) -> Response:
    """Give it up; its parts are gone."""
    row = here.store.uploads.get(upload_id, who.id)
    if row.state is not UploadState.OPEN:
        raise RefusedError("文件已经收齐，正在处理或已处理完，不能取消：需要时请在队列里取消检查")
    here.store.uploads.drop(row)
    return Response(status_code=204, headers=_limits(here))


async def _received(request: Request, here: Desk, row: UploadRow, at: int) -> int:
    """The new offset."""
    buffer = bytearray()
    try:
        async for block in request.stream():
            buffer += block
            if len(buffer) >= BUFFER:
                at = await run_in_threadpool(_kept, here, row, at, bytes(buffer))
                buffer.clear()
    except ClientDisconnect:
        log.info("upload %s: the connection broke off", row.id)
    return await run_in_threadpool(_kept, here, row, at, bytes(buffer))


def _kept(here: Desk, row: UploadRow, at: int, data: bytes) -> int:
    """Written; and looked at, once there is enough of it. Raises AudioError for what is not to be uploaded."""
    new, enough = here.store.uploads.append(row, at, data), min(HEAD, row.length)
    if at < enough <= new:
        try:
            kind_of(head_of(here.store.uploads.path(row)), row.name, here.settings.audio)
        except AudioError:
            here.store.uploads.drop(row)
            raise
    return new


def _take_in(here: Desk, upload_id: str) -> None:
    """After the answer; what fails here is tried again by the chores."""
    try:
        take_in(here, upload_id)
    except Exception as error:
        log.error("upload %s is not taken in yet", upload_id, exc_info=error)


def _new(here: Desk, length: int, said: dict[str, str]) -> NewUpload:
    service, name = here.settings.service, said.get("filename", "").strip().replace("\\", "/").lstrip("/")
    if not name or len(name) > LONGEST_NAME:
        raise InputError(f"Upload-Metadata 里应有 filename（{LONGEST_NAME} 字以内），收到 {len(name)} 字：请改正后再发")
    if length == 0:
        raise InputError(f"{name}：文件是空的，应为通话录音、ZIP 或元数据表。请重新导出")
    if length > service.upload_bytes:
        raise TooLargeError(f"{name}：应不超过 {service.upload_bytes >> 20} MB，收到 {length >> 20} MB：请压缩或分段，或请管理员调高上限")
    facts = {key: value for key, value in said.items() if key not in OWN_KEYS and value}
    known(facts, name)
    wishes = {"facts": facts, "wait": said.get("wait") == "true", "again": said.get("again") == "true"}
    return NewUpload(name=name, length=length, batch=said.get("batch", "")[:64], known=wishes, lasts=timedelta(hours=service.upload_hours))


def _metadata(header: str) -> dict[str, str]:
    """tus: «key base64,key base64». Raises InputError."""
    said: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            said[key] = b64decode(value.strip(), validate=True).decode()
        except (Error, ValueError) as error:
            raise InputError(f"Upload-Metadata 的 {key[:50]} 应为 UTF-8 文字的 base64，收到的不是：请改正后再发") from error
    if len(said) > MOST_FACTS:
        raise InputError(f"Upload-Metadata 应不超过 {MOST_FACTS} 项，收到 {len(said)} 项")
    return plain(said)


def plain(said: dict[str, str]) -> dict[str, str]:
    """Texts without control characters: no database and no page wants them. Raises InputError."""
    for key, value in said.items():
        if not key.isprintable() or not value.isprintable():
            raise InputError(f"「{key[:50]!a}」里有空字节或控制字符：应为普通文字，请改正后再发")
    return said


def _check_version(version: str | None) -> None:
    if version not in (None, VERSION):
        raise HTTPException(412, f"Tus-Resumable 应为 {VERSION}，收到 {version[:20]}：请换用 tus 1.0 的客户端", {"Tus-Version": VERSION})


def _limits(here: Desk) -> dict[str, str]:
    return {"Tus-Resumable": VERSION, "Tus-Max-Size": str(here.settings.service.upload_bytes), "Cache-Control": "no-store"}


def _told(here: Desk, row: UploadRow) -> dict[str, str]:
    expires = f"{row.expires_at:%a, %d %b %Y %H:%M:%S} GMT"
    return {**_limits(here), "Upload-Offset": str(here.store.uploads.offset(row)), "Upload-Expires": expires}
