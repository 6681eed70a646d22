"""What every door does with a call: begin it or come back to it, bring its sound, report what cannot be read, leave.

In: sound in pieces as small as the network makes them. Out: the switchboard's verbs, in threads. The one decision: sound is handed on a tenth of
a second at a time, and not at all while too many turns of the call wait to be heard, so that who sends faster than people speak is slowed down
and fills no memory.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.concurrency import run_in_threadpool

from phrasecheck.errors import InputError
from phrasecheck.events import Cause
from phrasecheck.live.session import Caller
from phrasecheck.live.sound import MOST_CHANNELS, Format
from phrasecheck.service.switchboard import Switchboard, Trunk
from phrasecheck.types import Role, Speaker

PIECE_S = 0.1
MOST_OPEN = 30  # turns of one call that wait to be heard
LARGEST = 1 << 20  # bytes in one message: half a minute at the highest rate
MOST_PROBLEMS = 20  # told of one connection; what comes after is left out in silence
CALL_ID = re.compile(r"[\w.:@+-]{1,64}", re.ASCII)


class Known(BaseModel):
    """What a call's sender says of it; the doors' own words for it are translated to this."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    call: str
    role: Role | None = None
    channels: tuple[Speaker, ...] = Field((Speaker.AGENT, Speaker.CUSTOMER), min_length=1, max_length=MOST_CHANNELS)
    agent: str | None = Field(None, max_length=100)
    team: str | None = Field(None, max_length=100)

    @field_validator("call")
    @classmethod
    def _plain(cls, call: str) -> str:
        if not CALL_ID.fullmatch(call) or call.startswith("."):
            raise ValueError("1 到 64 个字母、数字或 _ . : @ + -")
        return call

    def caller(self, door: str) -> Caller:
        """As the session wants it."""
        return Caller(call=self.call, role=self.role, channels=self.channels, agent=self.agent, team=self.team, door=door)


def known(said: dict[str, Any]) -> Known:
    """Raises InputError naming each wrong field."""
    try:
        return Known(**{name: value for name, value in said.items() if value is not None and value != ""})
    except (ValidationError, TypeError) as error:
        raise InputError(f"通话的说明有误（{_wrong(error)}）：请对照 docs/live.md") from error


def _wrong(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "；".join(f"{'.'.join(map(str, e['loc']))}：{e['msg']}，收到 {str(e['input'])[:60]!r}" for e in error.errors())


class Hold:
    """One connection's hold on its call."""

    trunk: Trunk

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._pieces: dict[int | None, bytearray] = {}
        self._problems = 0

    async def take(self, about: Known, form: Format, door: str, *, resume: bool | None = None) -> None:
        """Begin the call, or come back to it; `resume` None: whichever it is. Raises InputError, NotFoundError, RefusedError."""
        if self._board.runs(about.call) if resume is None else resume:
            self.trunk = await run_in_threadpool(self._board.rejoin, about.call, form, self)
        else:
            self.trunk = await run_in_threadpool(self._board.open, about.caller(door), form, self)

    async def sound(self, data: bytes, channel: int | None = None) -> None:
        """The next sound."""
        if len(data) > LARGEST:
            await self.wrong(f"一条消息最多 {LARGEST} 字节声音，收到 {len(data)}：请分成几条")
            return
        waiting = self._pieces.setdefault(channel, bytearray())
        waiting += data
        form = self.trunk.line.session.form
        share = form.channels if channel is not None else 1
        if len(waiting) >= PIECE_S * form.bytes_a_second / share:
            await self._bring(channel)

    async def wrong(self, text: str, cause: Cause = Cause.FRAME) -> None:
        """Something came that cannot be read."""
        self._problems += 1
        if self._problems <= MOST_PROBLEMS:
            await run_in_threadpool(self._board.problem, self.trunk, cause, text)

    async def leave(self, *, over: bool) -> None:
        """The connection ends; `over`: and so does the call. Goes through even when whoever waits for it is cancelled, as happens when a server stops."""
        await asyncio.shield(asyncio.ensure_future(self._leave(over)))

    async def _leave(self, over: bool) -> None:
        for channel in list(self._pieces):
            await self._bring(channel)
        await run_in_threadpool(self._board.hang_up if over else self._board.drop, self.trunk, self)

    async def _bring(self, channel: int | None) -> None:
        data = bytes(self._pieces.pop(channel, b""))
        while self.trunk.line.session.open > MOST_OPEN and not self.trunk.closing:
            await asyncio.sleep(0.05)
        if data:
            await run_in_threadpool(self._board.feed, self.trunk, self, data, channel)


def voices(names: Sequence[Any]) -> tuple[Speaker, ...]:
    """Whose voices these words mean. Raises InputError."""
    try:
        return tuple(Speaker(str(name).strip().lower()) for name in names)
    except ValueError as error:
        raise InputError(f"声道应为 {'、'.join(Speaker)}，收到 {list(names)}：请改通话接入的设置") from error
