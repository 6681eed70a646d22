"""phrasecheck transcribe: recordings in, what was said in them out, and nothing judged."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phrasecheck.cli.check import fail, formats_of, names_for, write_whole
from phrasecheck.cli.language import say
from phrasecheck.cli.options import asr_options, make_settings, raw_options, settings_file_option
from phrasecheck.cli.progress import recordings_bar
from phrasecheck.errors import InputError

if TYPE_CHECKING:
    from phrasecheck.settings import Settings
    from phrasecheck.types import Call, Provenance, Transcript

FORMATS = ("txt", "srt", "vtt", "json")


@click.command(
    help=say(
        "只转写，不比对、不计分：一个录音一份文字、字幕或 JSON；可给文件、文件夹或通配符。",
        "Transcribe only: text, subtitles or JSON of each recording; files, folders or globs.",
    )
)
@click.argument("audio", nargs=-1, required=True)
@click.option(
    "--format", "formats", default="txt", show_default=True, help=say("txt,srt,vtt,json，逗号分隔", "txt,srt,vtt,json, comma separated")
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help=say("结果文件夹；只有一份时可不给，打印出来", "Folder for the files; a single one is printed without it"),
)
@click.option(
    "--agent-channel",
    type=click.Choice(["left", "right", "auto"]),
    default="auto",
    show_default=True,
    help=say("坐席在哪个声道", "The agent's channel"),
)
@asr_options
@raw_options
@settings_file_option
def transcribe(
    audio: Sequence[str],
    formats: str,
    out: Path | None,
    agent_channel: str,
    asr_model: str | None,
    threads: int | None,
    hotwords: Sequence[Path],
    settings_file: Path | None,
    **raw: object,
) -> None:
    """Exit status 1 if a recording could not be read; the others are still done."""
    from phrasecheck.audio import find_recordings

    wanted = formats_of(formats, FORMATS)
    settings = make_settings(settings_file, (), (), hotwords, raw, model=asr_model, threads=threads)
    paths = find_recordings(audio, settings.audio)
    if out is None and len(paths) * len(wanted) != 1:
        raise InputError(f"有 {len(paths)} 个录音、{len(wanted)} 种格式，不止一份结果：请用 --out 指定放它们的文件夹。")
    failed = _run(paths, agent_channel, wanted, out, settings)
    if out is not None:
        click.echo(say(f"结果在 {out}/", f"Results are in {out}/"))
    if failed:
        sys.exit(1)


def _run(paths: Sequence[Path], agent_channel: str, formats: Sequence[str], out: Path | None, settings: "Settings") -> int:
    """Hear all with a progress bar. Returns how many could not be heard."""
    from phrasecheck import __version__
    from phrasecheck.pipeline import Request, hear, load_senses
    from phrasecheck.types import Provenance

    senses = load_senses(settings)
    made_by = Provenance(
        software=f"phrasecheck {__version__}",
        lexicon="",
        lexicon_sha256="",
        models=senses.models,
        settings=settings.model_dump(mode="json", include={"speech", "asr"}),
    )
    names = names_for(paths)
    failed = 0
    printed = ""
    with recordings_bar(paths) as bar:
        for path in paths:
            try:
                request = Request(path=path, agent_channel=agent_channel)  # type: ignore[arg-type]  # click checked it
                _, call, transcript = hear(request, senses, settings, bar.heard)
                for form, text in _texts(call, transcript, made_by, formats):
                    if out is None:
                        printed += text
                    else:
                        write_whole(out / f"{names[path]}.{form}", text)
            except Exception as error:  # whatever one recording does, the others go on
                fail(path, error)
                failed += 1
            bar.advance()
    click.echo(printed, nl=False)  # not before the bar is gone: while it stands, it takes all that is printed to standard error
    return failed


def _texts(call: "Call", transcript: "Transcript", made_by: "Provenance", formats: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each format and the text in it; what was odd about the recording goes to standard error."""
    from phrasecheck.report.transcript import to_json, to_srt, to_text, to_vtt

    for warning in call.warnings:
        click.echo(f"! {call.source}: {warning}", err=True)
    for form in formats:
        yield (
            form,
            to_json(call, transcript, made_by) if form == "json" else {"txt": to_text, "srt": to_srt, "vtt": to_vtt}[form](transcript),
        )
