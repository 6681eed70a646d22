"""phrasecheck models list|fetch|verify."""

import sys

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import make_settings


@click.group(help=say("模型：列出、取出、核对。", "Models: list, fetch, verify."))
def models() -> None:
    """The group itself."""


@models.command("list", help=say("有哪些模型、从哪里来、什么许可。", "What is there, from where, under which licence."))
def list_models() -> None:
    """A table from models/manifest.yaml."""
    from rich.console import Console
    from rich.table import Table

    from phrasecheck.engines.registry import entries

    table = Table()
    for heading in (say("名称", "Name"), say("用途", "Purpose"), say("来源", "Source"), say("许可", "Licence"), say("大小 MB", "MB")):
        table.add_column(heading, overflow="fold")
    for entry in entries():
        table.add_row(entry.name, entry.purpose, entry.source, entry.licence, f"{entry.size / 1e6:.1f}")
    Console().print(table)


@models.command(
    help=say("把识别模型拼好放进缓存（首次使用也会自动做）。", "Join the recogniser's weights into the cache (done at first use too).")
)
def fetch() -> None:
    """Says where the weights lie."""
    from phrasecheck.engines.registry import resolve

    settings = make_settings(None, (), ())
    click.echo(resolve("base", settings.cache_dir))


@models.command(help=say("核对每个模型文件的 SHA-256。", "Check every model file's SHA-256."))
def verify() -> None:
    """Exit status 1 when a hash is wrong."""
    from phrasecheck.engines.registry import verify as check_hashes

    checks = check_hashes(make_settings(None, (), ()).cache_dir)
    for check in checks:
        place = check.path or say("还没有取到本机", "not on this machine yet")
        click.echo(f"{'✗' if check.problem else '✓'} {check.entry.name}  {check.problem or place}")
    if any(check.problem for check in checks):
        sys.exit(1)
