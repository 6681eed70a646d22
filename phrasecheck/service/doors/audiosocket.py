"""Asterisk's AudioSocket over TCP: frames of type, length, payload (docs/live-asterisk.md).

In: 0x01 with the call's UUID, then 0x10 (8 kHz) or 0x12 (16 kHz) with sound, 0x00 at the end. Out: nothing; this side only listens. The one
decision: AudioSocket carries no more than a UUID, so what else is known of the call is announced beforehand by HTTP (Announced); a call nobody
announced is taken with the usual values.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from threading import Lock
from uuid import UUID

from phrasecheck.errors import InputError, PhrasecheckError
from phrasecheck.live.sound import Format
from phrasecheck.service.doors.hold import Hold, Known
from phrasecheck.service.logs import LOGGER
from phrasecheck.service.switchboard import Switchboard
from phrasecheck.types import Speaker

HANG_UP, ID, DTMF, ERROR = 0x00, 0x01, 0x03, 0xFF
RATES = {0x10: 8_000, 0x12: 16_000}
HEAD = 3  # bytes: type, length (big-endian)
WAITS_S = 600.0  # an announced call begins within this time
MOST = 10_000


@dataclass(slots=True)
class Announced:
    """Calls that are about to come."""

    _calls: dict[str, tuple[float, Known]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, call: Known) -> None:
        """Raises InputError unless the id is a UUID and there is one channel."""
        name = str(_uuid(call.call))
        if len(call.channels) != 1:
            raise InputError(f"AudioSocket 只有一个声道，channels 应只有一项，收到 {len(call.channels)} 项")
        with self._lock:
            old = time.monotonic() - WAITS_S
            self._calls = {known: told for known, told in self._calls.items() if told[0] > old}
            if len(self._calls) >= MOST:
                raise InputError(f"预告了却没有来的通话已有 {MOST} 通：请检查 AudioSocket 的地址")
            self._calls[name] = time.monotonic(), call.model_copy(update={"call": name})

    def take(self, name: str) -> Known:
        """What is known of a call; the usual values when nobody announced it."""
        with self._lock:
            _, call = self._calls.pop(name, (0.0, Known(call=name, channels=(Speaker.AGENT,))))
        return call


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InputError(f"call 应为 UUID，与拨号方案里 AudioSocket() 的一致，收到「{text}」") from error


async def listen(address: str, board: Switchboard, announced: Announced) -> asyncio.Server:
    """A server on «host:port». Raises InputError, OSError."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        raise InputError(f"live.audiosocket 应为 主机:端口，如 127.0.0.1:9092，收到「{address}」")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve(reader, board, announced)
        except (PhrasecheckError, TimeoutError) as error:
            LOGGER.warning("AudioSocket %s: %s", writer.get_extra_info("peername"), error)
            with contextlib.suppress(OSError):
                writer.write(bytes((ERROR, 0, 1, 0x01)))
                await writer.drain()
        finally:
            writer.close()

    return await asyncio.start_server(serve, host or None, int(port), limit=1 << 18)


async def _serve(reader: asyncio.StreamReader, board: Switchboard, announced: Announced) -> None:
    first = await asyncio.wait_for(_frame(reader), board.settings.live.hello_s)
    kind, payload = first or (HANG_UP, b"")
    if kind != ID or len(payload) != 16:
        raise InputError(f"AudioSocket 的第一帧应为 0x01 和 16 字节的 UUID，收到 {kind:#04x} 和 {len(payload)} 字节")
    name = str(UUID(bytes=payload))
    hold: Hold | None = None
    over = False
    try:
        while (frame := await _frame(reader)) is not None:
            kind, payload = frame
            if kind == HANG_UP:
                over = True
                break
            if hold is None:
                if kind not in RATES:
                    continue  # the rate of the first sound is the call's
                hold = Hold(board)
                await hold.take(announced.take(name), Format(rate=RATES[kind]), "audiosocket")
            if RATES.get(kind) == hold.trunk.line.session.form.rate:
                await hold.sound(payload)
            elif kind == ERROR:
                await hold.wrong(f"Asterisk 报告错误 {payload.hex()}：请看它的日志")
            elif kind != DTMF:
                await hold.wrong(
                    f"应为 {hold.trunk.line.session.form.rate} Hz 的声音帧，收到类型 {kind:#04x}、{len(payload)} 字节：已忽略，请检查通道的编码"
                )
    finally:
        if hold is not None:
            await hold.leave(over=over)


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """The next frame; None when the connection is gone, also in the middle of one."""
    try:
        head = await reader.readexactly(HEAD)
        return head[0], await reader.readexactly(int.from_bytes(head[1:], "big"))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
