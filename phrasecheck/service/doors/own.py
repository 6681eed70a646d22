"""Our own WebSocket: JSON start, binary sound, events back (docs/live.md).

In: {"type": "start", ...}, then binary messages of sound, then {"type": "stop"}. Out: events as JSON, each once and in order. The one decision:
whoever comes back says the number of the last event he has (`after`); he is told what he missed, and in `resumed` how much sound has arrived, so
that he can send the rest.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from phrasecheck.errors import InputError, PhrasecheckError
from phrasecheck.live.sound import Encoding, Format
from phrasecheck.service.doors.hold import Hold, Known, known
from phrasecheck.service.switchboard import Switchboard
from phrasecheck.store.live import Told

SLOW_S = 30.0  # who does not take a message for so long is cut off; he may come back for it


async def serve(socket: WebSocket, board: Switchboard) -> None:
    """One connection, from accept to close."""
    await socket.accept()
    try:
        first = await asyncio.wait_for(socket.receive(), board.settings.live.hello_s)
        start = _start(first)
        about, form, after = known(start), _form(start), start.get("after")
        number = board.board.last
        hold = Hold(board)
        await hold.take(about, form, "own", resume=after is not None)
    except (TimeoutError, PhrasecheckError) as error:
        await refuse(socket, error)
        return
    except WebSocketDisconnect:
        return
    telling = asyncio.create_task(_tell(socket, board, about, number, int(after or 0)))
    over = False
    try:
        over = await _listen(socket, hold, telling)
    finally:
        with contextlib.suppress(RuntimeError):  # the pool may be gone when the server stops
            await hold.leave(over=over)
        if over:
            with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                await asyncio.wait_for(asyncio.shield(telling), 120)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)  # a connection that is gone ends it in many ways
    if socket.application_state is WebSocketState.CONNECTED and socket.client_state is WebSocketState.CONNECTED:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it may go at this very moment
            await socket.close(1000)


async def refuse(socket: WebSocket, error: Exception) -> None:
    """Say why, then close."""
    text = "应先发 start（JSON），等了太久没有等到：请对照 docs/live.md" if isinstance(error, TimeoutError) else str(error)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.send_json({"type": "error", "text": text})
        await socket.close(1008)


async def _listen(socket: WebSocket, hold: Hold, telling: asyncio.Task[None]) -> bool:
    """Sound until the client says stop (True) or is gone."""
    while not telling.done():
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return False
        if (data := message.get("bytes")) is not None:
            await hold.sound(data)
        elif _json(message.get("text") or "").get("type") == "stop":
            return True
        else:
            await hold.wrong(f'应为二进制的声音或 {{"type": "stop"}}，收到文字「{(message.get("text") or "")[:80]}」：已忽略')
    return False


async def _tell(socket: WebSocket, board: Switchboard, about: Known, number: int, after: int) -> None:
    """The call's events behind its own number `after`, then as they come, until the last."""
    for told in await run_in_threadpool(board.store.live.events, about.call, after):
        number, after = max(number, told.id), told.body["seq"]
        await send(socket, told.body)
        if told.body["type"] == "ended":
            return
    async for many in board.board.follow(number):
        for each in many:
            if not isinstance(each, Told) or each.call != about.call or each.body["seq"] <= after:
                continue
            await send(socket, each.body)
            if each.body["type"] == "ended":
                return


async def send(socket: WebSocket, message: Mapping[str, Any]) -> None:
    """To a client, a wall or a hint. Raises TimeoutError."""
    await asyncio.wait_for(socket.send_text(json.dumps(message, ensure_ascii=False)), SLOW_S)


def _start(message: Any) -> dict[str, Any]:
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    said = _json(message.get("text") or "")
    if said.get("type") != "start":
        raise InputError('第一条消息应为 {"type": "start", "call": …}（JSON 文字）：请对照 docs/live.md')
    return said


def _form(start: dict[str, Any]) -> Format:
    channels = start.get("channels")
    try:
        rate = int(start.get("rate", 8000))
    except (TypeError, ValueError) as error:
        raise InputError(f"采样率应为 8000 或 16000，收到 {start.get('rate')!r}") from error
    count = len(channels) if isinstance(channels, list) else 2
    return Format(encoding=cast(Encoding, str(start.get("encoding", "pcm16"))), rate=rate, channels=count)


def _json(text: str) -> dict[str, Any]:
    """The object, or an empty one for what is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
