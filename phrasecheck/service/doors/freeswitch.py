"""FreeSWITCH's audio-streaming modules (mod_audio_stream, mod_audio_fork): JSON metadata, then binary L16 (docs/live-freeswitch.md).

In: a text message with what the dial plan says of the call, binary messages of 16-bit samples. Out: nothing; this side only listens. The one
decision: a close that the other side announces (1000, 1001) is the end of the call, any other is a line that may come back with the same call
id.
"""

import asyncio
import json
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from phrasecheck.errors import InputError, PhrasecheckError
from phrasecheck.live.sound import Format
from phrasecheck.service.doors.hold import Hold, known, voices
from phrasecheck.service.doors.own import refuse
from phrasecheck.service.switchboard import Switchboard

# mix type of the dial plan -> whose voice each channel carries: «read» is the leg's own party, «write» what it hears
MIXES = {"stereo": ("left", "right"), "mono": ("left",), "mixed": ("both",)}
USUAL = {"left": "customer", "right": "agent", "both": "unsure"}
GOODBYE = (1000, 1001, 1005)


async def serve(socket: WebSocket, board: Switchboard) -> None:
    """One connection, from accept to close."""
    await socket.accept()
    hold: Hold | None = None
    over = False
    try:
        hold = await _begin(await asyncio.wait_for(socket.receive(), board.settings.live.hello_s), dict(socket.query_params), board)
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                over = message.get("code") in GOODBYE
                break
            if (data := message.get("bytes")) is not None:
                await hold.sound(data)  # text in mid-call is the dial plan's own (marks, DTMF)
    except (TimeoutError, PhrasecheckError) as error:
        await refuse(socket, error)
    except WebSocketDisconnect:
        pass
    finally:
        if hold is not None:
            await hold.leave(over=over)


async def _begin(message: Any, query: dict[str, str], board: Switchboard) -> Hold:
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    told: dict[str, Any] = {**query, **_metadata(message.get("text"))}
    mix = str(told.get("mix", "mono"))
    if mix not in MIXES:
        raise InputError(f"mix 应为 {'、'.join(MIXES)}，收到「{mix}」：应与 uuid_audio_stream 或 uuid_audio_fork 的混音方式一致")
    rate = str(told.get("rate", "8000"))
    if not rate.isdecimal():
        raise InputError(f"rate 应为 8000 或 16000，收到「{rate}」：应与 uuid_audio_stream 的采样率一致")
    channels = voices([told.get(side, USUAL[side]) for side in MIXES[mix]])
    hold = Hold(board)
    form = Format(rate=int(rate), channels=len(channels))
    await hold.take(known({**told, "channels": channels}), form, "freeswitch")
    if message.get("bytes"):
        await hold.sound(message["bytes"])
    return hold


def _metadata(text: str | None) -> dict[str, Any]:
    """What the dial plan says; nothing, where the first message is sound and the address says it all."""
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(
            f'第一条消息应为 JSON，如 {{"call": "…", "role": "claims_report"}}，收到「{text[:80]}」：请改拨号方案里的 metadata'
        ) from error
    if not isinstance(found, dict):
        raise InputError(f"第一条消息应为 JSON 对象，收到「{text[:80]}」：请改拨号方案里的 metadata")
    return found
