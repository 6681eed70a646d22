"""phrasecheck check and rescore: recordings or stored results in, result files out."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phrasecheck.cli.batch import Place, check_on_ray
from phrasecheck.cli.language import say
from phrasecheck.cli.options import ROLES, asr_options, make_settings, raw_options, settings_options
from phrasecheck.cli.progress import recordings_bar
from phrasecheck.errors import InputError, PhrasecheckError

if TYPE_CHECKING:
    from phrasecheck.lexicon import Lexicon
    from phrasecheck.pipeline import Request
    from phrasecheck.settings import Settings
    from phrasecheck.types import Audio, CallResult

FORMATS = ("json", "html", "xlsx", "csv")
LONGEST_NAME = 200  # bytes of a result's name: file systems take 255, endings and the «-2» of namesakes have to fit
SUMMARY = "summary"  # .xlsx and .csv over all calls


@dataclass(slots=True)
class Writer:
    """Writes each result as it comes and remembers what the summary needs."""

    out: Path
    formats: Sequence[str]
    lexicon: "Lexicon"
    results: list["CallResult"] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def write(self, result: "CallResult", name: str, audio: "Audio | None") -> None:
        """One call's files, each whole or not at all. Raises InputError when they cannot be written."""
        from phrasecheck.report.html import render
        from phrasecheck.report.json import to_json

        if "json" in self.formats:
            write_whole(self.out / f"{name}.json", json.dumps(to_json(result), ensure_ascii=False, indent=1) + "\n")
        if "html" in self.formats:
            write_whole(self.out / f"{name}.html", render(result, self.lexicon, audio))
        self.results.append(result)

    def finish(self) -> None:
        """The tables over all calls, and what the terminal says."""
        from rich.console import Console

        from phrasecheck.report.terminal import summary
        from phrasecheck.report.xlsx import write_csv, write_xlsx

        if "xlsx" in self.formats:
            write_xlsx(self.results, self.failures, self.lexicon, self.out / f"{SUMMARY}.xlsx")
        if "csv" in self.formats:
            write_csv(self.results, self.lexicon, self.out / f"{SUMMARY}.csv")
        summary(self.results, self.failures, self.lexicon, Console())
        if self.formats:
            click.echo(say(f"结果在 {self.out}/", f"Results are in {self.out}/"))


def write_whole(path: Path, text: str) -> None:
    """Write beside, then rename: a result file is there whole or not at all. Raises InputError."""
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise InputError(f"写不了结果文件 {path}：{error.strerror}。请检查磁盘空间、权限和文件名的长度。") from error


def formats_of(text: str, known: Sequence[str] = FORMATS) -> list[str]:
    """«json,html» as a list. Raises InputError naming what is not a format."""
    given = [f.strip() for f in text.split(",") if f.strip()]
    wrong = [f for f in given if f not in known]
    if wrong:
        raise InputError(f"--format 应为 {','.join(known)} 中的一种或几种（逗号分隔），收到 {','.join(wrong)}")
    return given


@click.command(
    help=say("检查录音：一个录音一份结果；可给文件、文件夹或通配符。", "Check recordings: files, folders or globs; one result each.")
)
@click.argument("audio", nargs=-1, required=True)
@click.option(
    "--role",
    type=click.Choice(ROLES),
    help=say(
        "坐席的岗位；不填则按前台接待计分，判断时不看岗位",
        "The agent's role; without it calls are scored as reception and judged as anybody's",
    ),
)
@click.option(
    "--agent-channel",
    type=click.Choice(["left", "right", "auto"]),
    default="auto",
    show_default=True,
    help=say("坐席在哪个声道", "The agent's channel"),
)
@click.option(
    "--metadata",
    type=click.Path(path_type=Path),
    help=say("CSV/XLSX：文件、坐席、团队、岗位、坐席声道……", "CSV/XLSX: file, agent, team, role, agent_channel ..."),
)
@click.option(
    "--out",
    type=Place(path_type=Path, file_okay=False),
    default=Path("phrasecheck-results"),
    show_default=True,
    help=say("结果文件夹；用 Ray 时也可以是 s3:// 一类的地址", "Folder for results; with Ray also an address such as s3://..."),
)
@click.option(
    "--format",
    "formats",
    default="json,html",
    show_default=True,
    help=say("json,html,xlsx,csv，逗号分隔", "json,html,xlsx,csv, comma separated"),
)
@click.option(
    "--executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help=say("local：本机；ray：Ray 集群，结果为 Parquet", "local: this machine; ray: a Ray cluster, results in Parquet"),
)
@asr_options
@raw_options
@settings_options
def check(
    audio: Sequence[str],
    role: str | None,
    agent_channel: str,
    metadata: Path | None,
    out: Path | str,
    formats: str,
    executor: str,
    asr_model: str | None,
    threads: int | None,
    hotwords: Sequence[Path],
    settings_file: Path | None,
    lexicons: Sequence[Path],
    without: Sequence[str],
    **raw: object,
) -> None:
    """Exit status 0 whatever was found, 1 if a recording could not be read."""
    from phrasecheck.audio import find_recordings

    wanted = formats_of(formats)
    settings = make_settings(settings_file, lexicons, without, hotwords, raw, model=asr_model, threads=threads)
    if executor == "ray":
        check_on_ray(audio, role, agent_channel, metadata, out, settings)
        return
    if isinstance(out, str):
        raise InputError(f"--out 应为本机的文件夹，收到 {out}：要写到那里，请加 --executor ray")
    requests = make_requests(find_recordings(audio, settings.audio), role, agent_channel, metadata)
    from phrasecheck.pipeline import load_engines

    engines = load_engines(settings)
    writer = Writer(out=out, formats=wanted, lexicon=engines.matcher.parts.lexicon)
    _run(requests, engines, settings, writer)
    writer.finish()
    if writer.failures:
        sys.exit(1)


def make_requests(paths: Iterable[Path], role: str | None, agent_channel: str, metadata: Path | None) -> list["Request"]:
    """The recordings with what the options and the metadata table say of each."""
    from phrasecheck.metadata import apply_metadata, read_metadata
    from phrasecheck.pipeline import Request
    from phrasecheck.types import Role

    rows = read_metadata(metadata) if metadata else {}
    return [
        apply_metadata(Request(path=path, role=Role(role) if role else None, agent_channel=agent_channel), rows)  # type: ignore[arg-type]  # click checked it
        for path in paths
    ]


def names_for(paths: Sequence[Path]) -> dict[Path, str]:
    """A result name for each recording: its stem, cut where it would be too long for a file; where stems clash, «stem-2» and so on in the
    order given."""
    from phrasecheck.audio import spelled

    names: dict[Path, str] = {}
    used: set[str] = set()
    for path in paths:
        stem = name = Path(spelled(path)).stem.encode()[:LONGEST_NAME].decode(errors="ignore")
        number = 1
        while name in used:
            number += 1
            name = f"{stem}-{number}"
        used.add(name)
        names[path] = name
    return names


def _run(requests: Sequence["Request"], engines: object, settings: "Settings", writer: Writer) -> None:
    """Check all with a progress bar; a recording that cannot be read is remembered and the others go on."""
    from phrasecheck.audio import decode
    from phrasecheck.pipeline import check_calls

    paths = [request.path for request in requests]
    names = names_for(paths)
    with recordings_bar(paths) as bar:

        def done(request: "Request", outcome: "CallResult | Exception") -> None:
            try:
                if isinstance(outcome, Exception):
                    raise outcome
                audio = decode(request.path, settings.audio) if "html" in writer.formats else None
                writer.write(outcome, names[request.path], audio)
            except Exception as error:  # neither does what cannot be written stop the batch
                writer.failures.append(fail(request.path, error))
            bar.advance()

        check_calls(requests, engines, settings, done, bar.heard)  # type: ignore[arg-type]


def fail(path: Path, error: Exception) -> tuple[str, str]:
    """Tell the user what is wrong with a recording. Returns its path and the message, to be told once more at the end."""
    from phrasecheck.audio import spelled

    whole = spelled(path)
    message = (
        str(error) if isinstance(error, PhrasecheckError) else f"内部错误 {type(error).__name__}：{error}；请把这个文件和这行字发给维护人员"
    )
    click.echo(f"✗ {Path(whole).name}: {message}", err=True)
    return whole, message


@click.command(
    help=say(
        "用当前词库和设置重新评判 check 存下的 JSON 结果，或用 --store 评判质检台里的通话；不再转写。",
        "Judge stored JSON results again with the current lexicon and settings, or with --store the calls of the desk; no ASR.",
    )
)
@click.argument("results", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help=say("新结果的文件夹", "Folder for the new results"))
@click.option(
    "--format",
    "formats",
    default="json",
    show_default=True,
    help=say("json,html,xlsx,csv，逗号分隔", "json,html,xlsx,csv, comma separated"),
)
@click.option("--store", is_flag=True, help=say("评判质检台数据库里的通话", "Judge the calls of the desk's database"))
@click.option(
    "--version",
    type=click.IntRange(0),
    help=say("--store：词库第几版（默认现行，0 为不带公司补充）", "--store: lexicon version [the one in force]"),
)
@click.option("--team", help=say("--store：只看这个班组", "--store: only this team"))
@click.option("--role", type=click.Choice(ROLES), help=say("--store：只看这个岗位", "--store: only this role"))
@click.option("--as", "user", default="", help=say("--store：记在哪位质检主管名下", "--store: the QA lead who does it"))
@click.option("--apply", is_flag=True, help=say("--store：列出之后就应用", "--store: apply what was listed"))
@settings_options
def rescore(
    results: Sequence[Path],
    out: Path | None,
    formats: str,
    store: bool,
    version: int | None,
    team: str | None,
    role: str | None,
    user: str,
    apply: bool,
    settings_file: Path | None,
    lexicons: Sequence[Path],
    without: Sequence[str],
) -> None:
    """Exit status 1 if a file is not a stored result; the others are still done."""
    if store:
        if results or out is not None or lexicons or without:
            raise InputError(
                "--store 用质检台自己的词库版本和设置，不能再给文件、--out、--lexicon 或 --without：请去掉它们，或去掉 --store"
            )
        from phrasecheck.cli.stored import Wanted, rescore_store

        rescore_store(settings_file, Wanted(user=user, version=version, team=team, role=role, apply=apply))
        return
    if not results or out is None:
        raise InputError("请给出 check 的结果文件或文件夹，和 --out 新结果的文件夹；要评判质检台里的通话，请用 --store")
    from phrasecheck.build import build_matcher
    from phrasecheck.pipeline import rejudge
    from phrasecheck.report.json import from_json

    settings = make_settings(settings_file, lexicons, without)
    matcher = build_matcher(settings)
    writer = Writer(out=out, formats=formats_of(formats), lexicon=matcher.parts.lexicon)
    for path in stored_results(results):
        try:
            old = from_json(read_object(path))
        except InputError as error:
            writer.failures.append((str(path), str(error)))
            click.echo(f"✗ {path.name}: {error}", err=True)
            continue
        writer.write(rejudge(old, matcher, settings), path.stem, None)
    writer.finish()
    if writer.failures:
        sys.exit(1)


def stored_results(paths: Sequence[Path]) -> list[Path]:
    """The JSON files named, or lying in the folders named. Raises InputError when there is none."""
    files = [f for path in paths for f in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    if not files:
        raise InputError(f"{'、'.join(map(str, paths))} 里没有 JSON 结果；请给出 phrasecheck check 的结果文件或文件夹")
    return files


def read_object(path: Path) -> Mapping[str, object]:
    """A JSON file's object. Raises InputError."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} 不是 JSON 结果文件：{error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} 应为 phrasecheck check 写的 JSON 对象")
    return value
