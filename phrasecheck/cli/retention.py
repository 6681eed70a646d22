"""phrasecheck retention run: delete the calls that have been kept long enough, as the server does every day."""

from pathlib import Path

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import serve_extra, settings_file_option


@click.group(help=say("保留期限：删除到期的通话。", "Retention: delete calls that have been kept long enough."))
def retention() -> None:
    """The group itself."""


@retention.command(
    help=say(
        "删除到期的通话（连同录音、结果和复核）；封存的、没检查完的、申诉未裁决的不删。",
        "Delete calls that are due, with recordings, results and reviews; not those on hold, unfinished or under appeal.",
    )
)
@click.option("--dry-run", is_flag=True, help=say("只列出会删哪些，不删", "List what would go, delete nothing"))
@settings_file_option
def run(dry_run: bool, settings_file: Path | None) -> None:
    """One line a call, and how many."""
    from phrasecheck.settings import load_settings

    with serve_extra():
        from phrasecheck.store.retention import WHY
        from phrasecheck.store.store import open_store
    settings = load_settings(settings_file)
    store = open_store(settings.store)
    if not dry_run:
        gone = store.retention.run(settings.privacy)
        click.echo(say(f"已删除 {gone} 通到期的通话，记录见审计", f"{gone} calls were deleted; the audit trail tells which"))
        return
    store.retention.assign(settings.privacy)
    leaving = store.retention.leaving(store.database.now(), None)
    for one in leaving:
        click.echo(f"{one.call.id}  {one.call.said_at.astimezone():%Y-%m-%d}  {WHY[one.keeping]}")
    click.echo(say(f"到期的通话 {len(leaving)} 通，没有删除", f"{len(leaving)} calls are due; nothing was deleted"))
