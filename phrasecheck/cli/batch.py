"""phrasecheck check --executor ray: a batch on a Ray cluster, from folders or object stores into Parquet."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from phrasecheck.cli.language import say
from phrasecheck.errors import InputError

if TYPE_CHECKING:
    from phrasecheck.cluster.parts import Outcome
    from phrasecheck.settings import Settings


class Place(click.Path):
    """A folder, or an address such as s3://bucket/results, which stays a string."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """An address would lose a slash as a Path."""
        return value if isinstance(value, str) and "://" in value else super().convert(value, param, ctx)


def check_on_ray(
    args: Sequence[str], role: str | None, agent_channel: str, metadata: Path | None, out: Path | str, settings: "Settings"
) -> None:
    """Exit status 1 if a recording could not be checked."""
    from phrasecheck.cli.check import make_requests

    try:
        from phrasecheck.cluster.batch import check_batch, find
    except ImportError as error:
        raise InputError(
            f"--executor ray 需要 fleet 和 serve 依赖，缺少 {error.name}：请运行 pip install 'phrasecheck[fleet,serve]'"
        ) from error
    addresses = find(args, settings.audio)
    requests = dict(zip(addresses, make_requests(map(Path, addresses), role, agent_channel, metadata), strict=True))
    told: list[Outcome] = []
    with _bar(len(requests)) as bar:
        task = bar.add_task("", total=len(requests))

        def done(outcome: "Outcome") -> None:
            told.append(outcome)
            bar.advance(task)

        check_batch(requests, str(out), settings, done)
    _finish(told, len(requests), out)


def _finish(told: Sequence["Outcome"], of: int, out: Path | str) -> None:
    failed = [outcome for outcome in told if outcome.reason]
    for outcome in failed:
        click.echo(f"✗ {outcome.recording}: {outcome.reason}", err=True)
    there, hits, bad = of - len(told), sum(outcome.hits for outcome in told), sum(outcome.bad for outcome in failed)
    click.echo(
        say(
            f"{len(told) - len(failed)} 通检查完，{hits} 处命中；{bad} 个文件读不了，{len(failed) - bad} 个没做成（再运行一次会重试）；{there} 个以前已有结果",
            f"{len(told) - len(failed)} checked, {hits} hits; {bad} files cannot be read, {len(failed) - bad} to be run again; {there} were there already",
        )
    )
    click.echo(say(f"表在 {out}：calls/、hits/、errors/（Parquet）", f"Tables are in {out}: calls/, hits/, errors/ (Parquet)"))
    if failed:
        sys.exit(1)


def _bar(total: int) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    return Progress(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True))
