"""phrasecheck live: recordings played as calls in progress, in this process or to a server; prints alerts with their delay."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Event as Over
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import ROLES, asr_options, make_settings, settings_options
from phrasecheck.errors import InputError, PhrasecheckError

if TYPE_CHECKING:
    from phrasecheck.live.sound import Format
    from phrasecheck.settings import Settings

MOST_OPEN = 30  # turns that wait to be heard, when nobody keeps the pace

Told = Callable[[dict[str, Any], float], None]
Play = Callable[[dict[str, Any], "Format", bytes, Told], None]


@click.command(help=say("把录音当作正在进行的通话来听，边放边提醒。", "Play recordings as calls in progress and print the alerts."))
@click.argument("files", nargs=-1, required=True)
@click.option("--pace", is_flag=True, help=say("按真实速度放（否则能多快就多快）", "In real time (else as fast as it goes)"))
@click.option(
    "--lines", type=click.IntRange(1, 200), default=1, help=say("同时几路；录音不够就重复", "Lines at once; recordings are repeated [1]")
)
@click.option(
    "--connect", metavar="URL", help=say("送到服务器，如 ws://主机:8000/api/v1/live", "To a server, e.g. ws://host:8000/api/v1/live")
)
@click.option("--token", envvar="PHRASECHECK_TOKEN", default="", help=say("接口令牌（或环境变量 PHRASECHECK_TOKEN）", "API token"))
@click.option(
    "--role",
    type=click.Choice(ROLES),
    help=say("岗位；不写：按接待计分，判断不偏向任何岗位", "Role; without: as `check` does"),
)
@click.option(
    "--agent-channel", type=click.Choice(("left", "right")), default="left", help=say("坐席在哪个声道", "The agent's channel [left]")
)
@click.option("--agent", help=say("工号", "Staff number"))
@click.option("--team", help=say("班组", "Team"))
@click.option("--text", is_flag=True, help=say("也打印听写的文字", "Print what is heard, too"))
@asr_options
@settings_options
def live(
    files: tuple[str, ...],
    pace: bool,
    lines: int,
    connect: str | None,
    token: str,
    role: str | None,
    agent_channel: str,
    agent: str | None,
    team: str | None,
    text: bool,
    settings_file: Path | None,
    lexicons: tuple[Path, ...],
    without: tuple[str, ...],
    hotwords: tuple[Path, ...],
    threads: int | None,
    asr_model: str | None,
) -> None:
    """Each recording is one call; exit status 1 when one could not be played."""
    from phrasecheck.audio import find_recordings

    settings = make_settings(settings_file, lexicons, without, hotwords, threads=threads, model=asr_model)
    found = find_recordings(files, settings.audio)
    calls = found if len(found) >= lines else [found[i % len(found)] for i in range(lines)]
    about = {"role": role, "agent": agent, "team": team}
    printing = Lock()

    def one(path: Path, play: Play) -> bool:
        from phrasecheck.live.client import sound

        try:
            form, data = sound(path, settings.audio)
            sides = [["agent", "customer"], ["customer", "agent"]][agent_channel == "right"] if form.channels == 2 else ["unsure"]
            start = {
                "call": f"{path.stem[:40].encode('ascii', 'ignore').decode()}-{uuid4().hex[:12]}".lstrip("-."),
                "channels": sides,
                **about,
            }
            play(start, form, data, lambda event, at: _print(path, event, at if pace else None, text, printing))
        except PhrasecheckError as error:
            with printing:
                click.echo(str(error), err=True)
            return False
        return True

    with ThreadPoolExecutor(lines) as pool, _server(connect, token, pace) if connect else _here(settings, pace) as play:
        done = list(pool.map(lambda path: one(path, play), calls))
    if not all(done):
        raise click.exceptions.Exit(1)


def _print(path: Path, event: dict[str, Any], came: float | None, text: bool, printing: Lock) -> None:
    start = int(event.get("start", event["at"]))
    late = (
        ""
        if came is None or "end" not in event
        else say(f"（说完后 {came - event['end']:.1f} 秒）", f" ({came - event['end']:.1f} s after)")
    )
    if shown := _shown(event, late, text):
        with printing:
            click.echo(f"{path.name} {start // 60}:{start % 60:02d} {shown}")


def _shown(event: dict[str, Any], late: str, text: bool) -> str:
    """What is printed of an event; nothing for most."""
    shown = ""
    match event["type"]:
        case "alert":
            early = say("，话没说完", ", early") if event["partial"] else ""
            shown = f"⚠ {event['severity']} {event['phrase']}「{event['quote']}」{late}{early}"
        case "retracted":
            shown = say(f"撤回：{event['text']}", f"retracted: {event['text']}")
        case "overloaded":
            shown = say(f"机器忙不过来，约晚 {event['delay']:.1f} 秒", f"behind by {event['delay']:.1f} s")
        case "problem":
            shown = event["text"]
        case "utterance" if text:
            shown = f"{event['speaker']}: {event['text']}{late}"
        case "ended":
            shown = say(f"结束，提醒 {event['raised']} 处", f"ended, {event['raised']} alerts")
    return shown


def _server(url: str, token: str, pace: bool) -> Any:
    """To a server."""
    if not token:
        raise InputError("--connect 需要接口令牌：请在「接口令牌」页申请范围含 live 的，用 --token 或环境变量 PHRASECHECK_TOKEN 给出")

    def play(start: dict[str, Any], form: "Format", data: bytes, told: Told) -> None:
        from phrasecheck.live.client import play as to_server

        to_server(url, token, start, form, data, told, pace=pace)

    return nullcontext(play)


def _here(settings: "Settings", pace: bool) -> Any:
    """In this process, with models of its own."""
    from phrasecheck.build import build_matcher
    from phrasecheck.live.hub import Hub
    from phrasecheck.live.minds import load_ears
    from phrasecheck.live.session import Minds

    @contextmanager
    def ready() -> Iterator[Play]:
        ears, matcher = load_ears(settings), build_matcher(settings)
        hub = Hub(ears.recogniser, settings.live, at_once=ears.at_once)
        hub.start()
        minds = Minds(hearing=ears.hearing, matcher=matcher, listener=ears.listener)
        with ThreadPoolExecutor(2) as pool:
            yield lambda start, form, data, told: _play_here(start, form, data, told, (minds, settings, hub, pool), pace)
        hub.stop()

    return ready()


def _play_here(start: dict[str, Any], form: "Format", data: bytes, told: Told, parts: Any, pace: bool) -> None:
    from phrasecheck.events import Cause, Event, to_json
    from phrasecheck.live.client import pieces
    from phrasecheck.live.line import Line
    from phrasecheck.live.session import Caller
    from phrasecheck.types import Role, Speaker

    minds, settings, hub, pool = parts
    speakers = tuple(map(Speaker, start["channels"]))
    role = Role(start["role"]) if start["role"] else None
    caller = Caller(call=start["call"], role=role, channels=speakers, agent=start["agent"], team=start["team"])
    began = time.monotonic()

    def tell(events: Sequence[Event]) -> None:
        for event in events:
            told(to_json(event), time.monotonic() - began)

    line = Line(caller, form, minds, settings, hub, pool, tell)
    line.start()
    for piece in pieces(form, data, pace=pace, began=began):
        while line.session.open > MOST_OPEN:
            time.sleep(0.05)
        line.feed(piece)
    over = Over()
    line.finish(over.set)
    over.wait()
    line.end(Cause.HUNG_UP, None)
