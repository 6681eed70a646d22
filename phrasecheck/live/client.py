"""A recording played as a call: to a server, or to this process.

In: a recording. Out: events, each with the moment at which it came, in seconds since the first sample was spoken. The one decision: paced sound
is sent when it has been spoken and not before, so that a delay is what a caller would have seen.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from phrasecheck.audio import RATE, decode
from phrasecheck.errors import InputError
from phrasecheck.live.sound import MOST_CHANNELS, Format
from phrasecheck.settings import AudioSettings
from phrasecheck.tape import FULL

PIECE_S = 0.1
WAIT_S = 120.0  # for the last event
SESSION = "x-session-id"  # a balancer before several servers brings a line that dropped back by it (docs/scale.md)

Told = Callable[[dict[str, Any], float], None]
"""An event as JSON, and when it came."""


def sound(path: Path, settings: AudioSettings) -> tuple[Format, bytes]:
    """The recording as a line would bring it: PCM16 at 16 kHz. Raises AudioError, InputError."""
    channels = decode(path, settings).channels
    if len(channels) > MOST_CHANNELS:
        raise InputError(f"{path} 有 {len(channels)} 个声道，实时通话最多 {MOST_CHANNELS} 个：请先拆开")
    frames = np.stack([channel.samples[:] for channel in channels], axis=1)
    return Format(rate=RATE, channels=len(channels)), np.clip(np.rint(frames * FULL), -FULL, FULL - 1).astype("<i2").tobytes()


def pieces(form: Format, data: bytes, *, pace: bool, began: float | None = None) -> Iterator[bytes]:
    """The sound a tenth of a second at a time; with `pace` each when it is over."""
    size = round(form.bytes_a_second * PIECE_S)
    began = time.monotonic() if began is None else began
    for at in range(0, len(data), size):
        piece = data[at : at + size]
        if pace:
            time.sleep(max(0.0, began + (at + len(piece)) / form.bytes_a_second - time.monotonic()))
        yield piece


def play(url: str, token: str, start: dict[str, Any], form: Format, data: bytes, told: Told, *, pace: bool = True) -> None:
    """A call to a server's own door, until its last event. Raises InputError when it is refused."""
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    about = {"type": "start", "encoding": form.encoding, "rate": form.rate, **start}
    try:
        headers = {"Authorization": f"Bearer {token}", SESSION: str(start["call"])}
        with connect(url, additional_headers=headers, max_size=None) as socket:
            socket.send(json.dumps(about, ensure_ascii=False))
            first = json.loads(socket.recv(timeout=WAIT_S))  # the first call waits for the models
            if first["type"] == "error":
                raise InputError(f"服务器没有接：{first['text']}")
            began = time.monotonic()
            told(first, 0.0)
            over: Future[None] = Future()
            Thread(target=_read, args=(socket, began, told, over), daemon=True).start()
            for piece in pieces(form, data, pace=pace, began=began):
                socket.send(piece)
            socket.send('{"type": "stop"}')
            over.result(WAIT_S)
    except (OSError, WebSocketException) as error:
        raise InputError(f"连不上 {url}：{error}。请确认地址（ws://主机/api/v1/live）和令牌（范围含 live）") from error
    except TimeoutError as error:
        raise InputError(f"{url} 在 {WAIT_S:.0f} 秒里没有说完：请看服务器的日志") from error


def _read(socket: Any, began: float, told: Told, over: "Future[None]") -> None:
    try:
        for text in socket:
            event = json.loads(text)
            told(event, time.monotonic() - began)
            if event["type"] == "ended":
                break
        over.set_result(None)
    except Exception as error:
        over.set_exception(error)
