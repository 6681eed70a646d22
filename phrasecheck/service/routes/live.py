"""Calls in progress: the doors, the supervisor's wall, the agent's hint, and what became of a call.

In: connections and requests. Out: events. The one decision: wall and hint are one stream of events, read from the board; what a visitor may see
is decided here, event by event, by whose call it is.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Form, Query, Request, Response, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from phrasecheck.errors import NotFoundError, RefusedError
from phrasecheck.live.after import second_look
from phrasecheck.service import pages, shield
from phrasecheck.service.desk import Here
from phrasecheck.service.doors import freeswitch, own, twilio
from phrasecheck.service.doors.hold import known
from phrasecheck.service.exchange import Calls
from phrasecheck.service.scope import may_see
from phrasecheck.service.security import Visitor, Who
from phrasecheck.service.switchboard import Switchboard
from phrasecheck.store.live import Note, Told
from phrasecheck.store.tables import LiveCallRow
from phrasecheck.types import Role

router = APIRouter(include_in_schema=False)
api = APIRouter(prefix="/api/v1/live", tags=["live"])
FAR_BEHIND = 2000  # a page that missed more is told how things stand instead
HINTS = frozenset({"started", "alert", "retracted", "ended", "problem"})  # what the agent's page is told

Sees = Callable[[Told], bool]


# --- doors --------------------------------------------------------------------------------------------------------------------------


@api.websocket("", name="live_own")
async def live_own(socket: WebSocket, calls: Calls) -> None:
    """Our own protocol."""
    async with _seated(socket, calls.switchboard):
        await own.serve(socket, calls.switchboard)


@api.websocket("/twilio", name="live_twilio")
async def live_twilio(socket: WebSocket, calls: Calls) -> None:
    """Media Streams."""
    async with _seated(socket, calls.switchboard):
        await twilio.serve(socket, calls.switchboard)


@api.websocket("/freeswitch", name="live_freeswitch")
async def live_freeswitch(socket: WebSocket, calls: Calls) -> None:
    """mod_audio_stream, mod_audio_fork."""
    async with _seated(socket, calls.switchboard):
        await freeswitch.serve(socket, calls.switchboard)


@contextlib.asynccontextmanager
async def _seated(socket: WebSocket, board: Switchboard) -> AsyncIterator[None]:
    """The connection has its place; where there is none left it is closed with the reason."""
    try:
        with board.seat():
            yield
    except RefusedError as error:
        await socket.close(1013, str(error).encode()[:120].decode(errors="ignore"))


@api.post("/announce", name="live_announce")
def live_announce(calls: Calls, about: Annotated[dict[str, Any], Body()]) -> dict[str, str]:
    """What is known of a call that is about to come by AudioSocket."""
    said = known({"channels": ["agent"], **about})
    calls.announced.add(said)
    return {"call": said.call}


# --- calls --------------------------------------------------------------------------------------------------------------------------


@api.get("/calls", name="live_calls")
def live_calls(here: Here, who: Who) -> list[dict[str, Any]]:
    """Calls in progress that the visitor may see."""
    rows = [row for row in here.store.live.running() if may_see(who, agent=row.agent, team=row.team)]
    return [_call(row) for row in rows]


@api.get("/calls/{call}/events", name="live_call_events")
def live_call_events(here: Here, who: Who, call: str, after: Annotated[int, Query(ge=0)] = 0) -> list[dict[str, Any]]:
    """Events of a call behind its number `after`; also when it is over."""
    _visible(here, who, call)
    return [shield.told(who, told.body) for told in here.store.live.events(call, after)]


def _call(row: LiveCallRow) -> dict[str, Any]:
    names = ("id", "role", "agent", "team", "door", "seq", "check_id")
    return {**{name: getattr(row, name) for name in names}, "channels": row.channels.split(","), "started_at": row.started_at}


def _visible(here: Here, who: Visitor, call: str) -> LiveCallRow:
    row = here.store.live.get(call)
    if not may_see(who, agent=row.agent, team=row.team):
        raise NotFoundError(f"没有实时通话 {call}：可能已过保存期，请在列表里核对")
    return row


@router.get("/live/{call}", name="live_call")
def live_call(request: Request, here: Here, who: Who, call: str) -> Response:
    """What was told while the call ran, and what the check made of it."""
    row = _visible(here, who, call)
    events = [shield.told(who, told.body) for told in here.store.live.events(call)]
    look = None
    if row.check_id is not None:
        with contextlib.suppress(NotFoundError):  # not checked yet
            look = second_look(events, shield.shielded(who, here.store.results.get(row.check_id)))
    notes: dict[int, list[Note]] = {}
    for note in here.store.live.notes([call]):
        notes.setdefault(note.seq, []).append(note)
    return pages.render(request, "livecall.html.j2", row=row, events=events, look=look, notes=notes)


# --- the wall and the hint ----------------------------------------------------------------------------------------------------------


@router.get("/wall", name="wall")
def wall(request: Request, here: Here, calls: Calls) -> Response:
    """All calls in progress."""
    return pages.render(request, "wall.html.j2", roles=list(Role), dead=here.store.live.dead(20))


@router.websocket("/wall/events", name="wall_events")
async def wall_events(socket: WebSocket, here: Here, who: Who, calls: Calls, after: int | None = None) -> None:
    """What the wall shows: first how things stand, or what came behind number `after`; then what comes."""
    await _streamed(socket, calls.switchboard, who, after, lambda told: may_see(who, agent=told.agent, team=told.team), notes=True)


@router.get("/hint", name="hint")
def hint(request: Request) -> Response:
    """The agent's own small page."""
    return pages.render(request, "hint.html.j2")


@router.websocket("/hint/events", name="hint_events")
async def hint_events(socket: WebSocket, who: Who, calls: Calls, after: int | None = None) -> None:
    """Alerts of the agent's own calls."""

    def mine(told: Told) -> bool:
        return bool(who.agent) and told.agent == who.agent and told.body["type"] in HINTS

    await _streamed(socket, calls.switchboard, who, after, mine, notes=False)


@router.post("/wall/{call}/{seq}", name="wall_note_send")
def wall_note_send(here: Here, who: Who, calls: Calls, call: str, seq: int, text: Annotated[str, Form()] = "") -> Response:
    """The visitor has seen an alert, or writes a note for coaching to it."""
    _visible(here, who, call)
    calls.switchboard.board.say(here.store.live.note(call, seq, who.id, text))
    return Response(status_code=204)


@router.post("/wall/messages/{message}/again", name="wall_message_send")
def wall_message_send(request: Request, here: Here, who: Who, message: int) -> Response:
    """Send a message that was given up once more."""
    here.store.live.again(message, who.name)
    t = pages.translator(request)
    return pages.back(request, pages.url_for(request, "wall"), t("已重新排队", "Queued again"))


async def _streamed(socket: WebSocket, board: Switchboard, who: Visitor, after: int | None, sees: Sees, *, notes: bool) -> None:
    """Events to a page until it is gone. Nothing it sends is read but its going."""
    async with _seated(socket, board):
        await socket.accept()
        gone = asyncio.create_task(_gone(socket))
        telling = asyncio.create_task(_stream(socket, board, who, after, sees, notes))
        done, _ = await asyncio.wait((gone, telling), return_when=asyncio.FIRST_COMPLETED)
        for task in (gone, telling):
            task.cancel()
        error = telling.exception() if telling in done else None
        if error and not isinstance(error, TimeoutError | WebSocketDisconnect | RuntimeError):
            raise error
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it is gone already
            await socket.close(1012)


async def _gone(socket: WebSocket) -> None:
    with contextlib.suppress(RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass


async def _stream(socket: WebSocket, board: Switchboard, who: Visitor, after: int | None, sees: Sees, notes: bool) -> None:
    last = board.board.last
    if after is None or not 0 <= last - after <= FAR_BEHIND:
        after = last
        standing = await run_in_threadpool(board.store.live.so_far)
        await own.send(socket, {"reset": True, "n": last})
        for told in standing:
            if sees(told) and told.id <= last:
                await own.send(socket, _told(who, told))
        if notes:
            seen = list({told.call for told in standing if sees(told)})
            for note in await run_in_threadpool(board.store.live.notes, seen):
                await own.send(socket, _note(note))
    await own.send(socket, {"ready": True, "n": after})
    async for many in board.board.follow(after):
        for each in many:
            if isinstance(each, Note):
                if notes and sees(await _owner(board, each.call)):
                    await own.send(socket, _note(each))
            elif sees(each):
                await own.send(socket, _told(who, each))


async def _owner(board: Switchboard, call: str) -> Told:
    row = await run_in_threadpool(board.store.live.get, call)
    return Told(id=0, call=call, agent=row.agent, team=row.team, body={"type": "note"})


def _told(who: Visitor, told: Told) -> dict[str, Any]:
    return {"n": told.id, "agent": told.agent, "team": told.team, "event": shield.told(who, told.body)}


def _note(note: Note) -> dict[str, Any]:
    return {"note": {**asdict(note), "at": note.at.isoformat()}}
