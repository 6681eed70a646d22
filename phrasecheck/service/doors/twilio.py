"""Media Streams as Twilio defined them and others copied: JSON messages with mu-law in base64 (docs/live-twilio.md).

In: connected, start, media, stop. Out: nothing; this side only listens. The one decision: each track is placed by its own timestamps, so that
packets that were lost leave silence and both sides stay in step.
"""

import asyncio
import base64
import binascii
import json
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from phrasecheck.errors import InputError, PhrasecheckError
from phrasecheck.events import Cause
from phrasecheck.live.sound import Format
from phrasecheck.service.doors.hold import Hold, known, voices
from phrasecheck.service.doors.own import refuse
from phrasecheck.service.switchboard import Switchboard

FORMATS = {"audio/x-mulaw": "ulaw", "audio/x-alaw": "alaw", "audio/x-l16": "pcm16"}
SILENT = {"ulaw": b"\xff", "alaw": b"\xd5", "pcm16": b"\x00\x00"}
TRACKS = ("inbound", "outbound")
GAP_MS = 60  # jitter; more is a loss
LONGEST_GAP_MS = 10_000  # a jump further than this is a broken clock, not a loss


async def serve(socket: WebSocket, board: Switchboard) -> None:
    """One connection, from accept to close."""
    await socket.accept()
    stream: _Stream | None = None
    over = False
    try:
        while not over:
            wait = board.settings.live.hello_s if stream is None else None
            message = _message(await asyncio.wait_for(socket.receive(), wait))
            kind = message.get("event")
            if kind == "start" and stream is None:
                stream = await _begin(message.get("start") or {}, board)
            elif kind == "media" and stream is not None:
                await stream.media(message.get("media") or {})
            elif kind == "stop":
                over = True
            elif stream is not None and kind not in ("connected", "start", "mark", "dtmf"):
                await stream.hold.wrong(f"应为 media 或 stop 消息，收到 {str(message)[:80]}：已忽略")
    except (TimeoutError, PhrasecheckError) as error:
        await refuse(socket, error)
    except WebSocketDisconnect:
        pass
    finally:
        if stream is not None:
            await stream.hold.leave(over=over)


class _Stream:
    """One stream's tracks."""

    def __init__(self, hold: Hold, form: Format, tracks: list[str]) -> None:
        self.hold = hold
        self._form = form
        self._tracks = tracks
        self._next: dict[str, float] = {}  # track -> the timestamp at which its next sound is due

    async def media(self, media: dict[str, Any]) -> None:
        """One packet of one track."""
        track = str(media.get("track", self._tracks[0]))
        try:
            payload = base64.b64decode(media["payload"], validate=True)
            at = float(media.get("timestamp", self._next.get(track, 0)))
            channel = self._tracks.index(track)
        except (KeyError, TypeError, ValueError, binascii.Error):
            await self.hold.wrong(
                f"media 应有 {'、'.join(self._tracks)} 之一的 track、base64 的 payload 和毫秒 timestamp，收到 {str(media)[:80]}"
            )
            return
        self._next.setdefault(track, at)
        late = at - self._next[track]
        if GAP_MS < late <= LONGEST_GAP_MS:
            await self.hold.wrong(f"{track} 缺 {late:.0f} 毫秒的声音，用静音补上", Cause.GAP)
            await self.hold.sound(SILENT[self._form.encoding] * round(late * self._form.rate / 1000), channel)
        self._next[track] = at + len(payload) / self._form.width * 1000 / self._form.rate
        await self.hold.sound(payload, channel)


async def _begin(start: dict[str, Any], board: Switchboard) -> _Stream:
    told, media = start.get("customParameters") or {}, start.get("mediaFormat") or {}
    tracks = [track for track in TRACKS if track in (start.get("tracks") or TRACKS)] or list(TRACKS)
    encoding = FORMATS.get(str(media.get("encoding", "audio/x-mulaw")))
    if encoding is None:
        raise InputError(f"mediaFormat.encoding 应为 {'、'.join(FORMATS)}，收到 {media.get('encoding')!r}")
    sides = {"inbound": told.get("inbound", "customer"), "outbound": told.get("outbound", "agent")}
    about = known({**told, "call": told.get("call") or start.get("callSid"), "channels": voices([sides[track] for track in tracks])})
    form = Format(encoding=encoding, rate=int(media.get("sampleRate", 8000)), channels=len(tracks))  # type: ignore[arg-type]
    hold = Hold(board)
    await hold.take(about, form, "twilio")
    return _Stream(hold, form, tracks)


def _message(message: Any) -> dict[str, Any]:
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    try:
        found = json.loads(message.get("text") or message.get("bytes") or "")
    except ValueError:
        return {"event": None, "text": str(message)[:80]}
    return found if isinstance(found, dict) else {}
