"""Options that several commands share, and the Settings they come to."""

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

import click

from phrasecheck.cli.language import say
from phrasecheck.errors import InputError

if TYPE_CHECKING:
    from phrasecheck.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

# The values of types.Role and types.Method; a test holds them together (importing types here would bring numpy into --help).
ROLES = ("reception", "sales", "underwriting", "claims_report", "survey", "loss_assessment", "documents", "complaints", "internal")
METHODS = ("exact", "fuzzy", "phonetic", "semantic", "acoustic")

RAW = ("alaw", "ulaw", "s16le")  # those of settings.AudioSettings


settings_file_option = click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    help=say("设置文件（YAML，见 docs/settings.md）", "Settings file (YAML)"),
)


def settings_options(command: F) -> F:
    """--settings, --lexicon, --without: what shapes matching in every command."""
    for option in (
        click.option(
            "--without", multiple=True, type=click.Choice(METHODS), help=say("不用这种方法（可多次）", "Switch a method off (repeatable)")
        ),
        click.option(
            "--lexicon",
            "lexicons",
            multiple=True,
            type=click.Path(path_type=Path),
            help=say("叠加的公司词库（可多次）", "Company lexicon laid over (repeatable)"),
        ),
        settings_file_option,
    ):
        command = option(command)
    return command


def asr_options(command: F) -> F:
    """--asr-model, --threads, --hotwords: who listens, and for what."""
    for option in (
        click.option(
            "--hotwords",
            multiple=True,
            type=click.Path(path_type=Path),
            help=say("公司的热词文件，一行一个词（可多次）", "Words to expect, one a line (repeatable)"),
        ),
        click.option("--threads", type=click.IntRange(0), help=say("CPU 线程数，0 = 全部", "CPU threads, 0 = all")),
        click.option(
            "--asr-model", help=say("识别模型：base、文件夹或型号（见 docs/engines.md）", "base, a folder or a name (docs/engines.md)")
        ),
    ):
        command = option(command)
    return command


def raw_options(command: F) -> F:
    """--raw, --raw-rate, --raw-channels: what recordings without a header are; their values are for `audio` of make_settings."""
    for option in (
        click.option("--raw-channels", type=click.IntRange(1, 8), help=say("它们的声道数，默认 1", "Their channels [1]")),
        click.option("--raw-rate", type=click.IntRange(4000, 192_000), help=say("它们的采样率，默认 8000", "Their sample rate [8000]")),
        click.option("--raw", type=click.Choice(RAW), help=say("没有文件头的录音是什么编码", "What recordings without a header are")),
    ):
        command = option(command)
    return command


@contextmanager
def serve_extra() -> Iterator[None]:
    """Around imports of what the serve extra brings. Raises InputError naming what is missing."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"这个命令需要 serve 依赖，缺少 {error.name}：请运行 pip install 'phrasecheck[serve]'") from error


def make_settings(
    settings_file: Path | None,
    lexicons: Sequence[Path],
    without: Sequence[str],
    hotwords: Sequence[Path] = (),
    audio: Mapping[str, object] | None = None,
    **asr: object,
) -> "Settings":
    """Settings from the file and environment, with the options over them: `audio` and `asr` override the fields of these groups that are not
    None, `hotwords` come before those of the settings."""
    from phrasecheck.settings import load_settings
    from phrasecheck.types import Method

    settings = load_settings(settings_file)
    methods = tuple(m for m in settings.matching.methods if m.value not in without and m in Method)
    return settings.model_copy(
        update={
            "lexicons": (*settings.lexicons, *lexicons),
            "matching": settings.matching.model_copy(update={"methods": methods}),
            "audio": settings.audio.model_copy(update=_given(audio or {})),
            "asr": settings.asr.model_copy(update={**_given(asr), "hotwords": (*map(str, hotwords), *settings.asr.hotwords)}),
        }
    )


def _given(options: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


def until_told() -> Event:
    """Set when the process is told to stop: Ctrl-C, SIGTERM."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
