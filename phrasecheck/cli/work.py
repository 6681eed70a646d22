"""phrasecheck work: workers by themselves, on this machine or on a Ray cluster, for the database and recordings that the settings name."""

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import serve_extra, settings_file_option, until_told

if TYPE_CHECKING:
    from phrasecheck.cluster import Executor, Progress

EXECUTORS = ("local", "ray")  # those of settings.ClusterSettings
TELL_S = 10  # how often it says how far it is, when that has changed


@click.command(
    help=say(
        "只当工人：从数据库里领通话来检查，直到停下（Ctrl-C）；网页服务可以在别的机器上。",
        "Only work: check the calls of the database until stopped (Ctrl-C); the web service may be elsewhere.",
    )
)
@click.option(
    "--executor", type=click.Choice(EXECUTORS), help=say("local：本机进程；ray：Ray 集群", "local: processes here; ray: a Ray cluster")
)
@click.option("--workers", type=click.IntRange(1), help=say("几个工人（默认按核数）", "How many [by cores]"))
@click.option("--address", help=say("Ray 集群的地址", "Address of the Ray cluster"))
@click.option("--until-done", is_flag=True, help=say("队列空了就结束", "End when the queue is empty"))
@settings_file_option
def work(executor: str | None, workers: int | None, address: str | None, until_done: bool, settings_file: Path | None) -> None:
    """Ctrl-C or SIGTERM: what is held is given back, then it ends."""
    from phrasecheck.settings import load_settings

    settings = load_settings(settings_file)
    given = {"executor": executor, "workers": workers, "address": address}
    cluster = settings.cluster.model_copy(update={name: value for name, value in given.items() if value is not None})
    with serve_extra():
        from phrasecheck.cluster import make_executor
    made = make_executor(settings.model_copy(update={"cluster": cluster}))
    stop = until_told()  # not before: Ray takes the signals for itself when it is connected
    made.start()
    try:
        _watch(made, stop, until_done)
    finally:
        click.echo(say("正在停下，手上的通话放回队列……", "Stopping; calls at hand go back into the queue ..."), err=True)
        made.stop()


def _watch(executor: "Executor", stop: Event, until_done: bool) -> None:
    """Says how far it is until told to stop."""
    from phrasecheck.errors import StoreError

    told = ""
    while not stop.wait(1 if until_done else TELL_S):
        try:
            progress = executor.progress()
        except StoreError as error:  # the workers wait for it too
            click.echo(str(error), err=True)
            continue
        if (now := _told(progress)) != told:
            click.echo(told := now, err=True)
        if until_done and not progress.waiting:
            return


def _told(progress: "Progress") -> str:
    counts = {state.value: count for state, count in progress.calls.items()}
    return say(
        f"{progress.workers} 个工人；排队 {counts['queued']}，检查中 {counts['checking']}，完成 {counts['done']}，失败 {counts['failed']}",
        f"{progress.workers} workers; {counts['queued']} queued, {counts['checking']} at work, {counts['done']} done, {counts['failed']} failed",
    )
