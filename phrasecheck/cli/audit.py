"""phrasecheck audit verify: has anybody changed the past?"""

from pathlib import Path

import click

from phrasecheck.cli.db import whole_trail
from phrasecheck.cli.language import say
from phrasecheck.cli.options import settings_file_option
from phrasecheck.errors import InputError


@click.group(help=say("审计记录：谁在什么时候做了什么。", "The audit trail: who did what, when."))
def audit() -> None:
    """The group itself."""


@audit.command(help=say("从头到尾核对校验链，给出末尾的校验值。", "Go through the chain from its beginning; print the last digest."))
@click.option(
    "--noted",
    help=say(
        "以前抄下的校验值：核对它还在，即末尾没有被截掉", "A digest written down before: is it still there, i.e. was nothing cut off?"
    ),
)
@settings_file_option
def verify(noted: str | None, settings_file: Path | None) -> None:
    """Exit status 1 when an entry was changed, or what was noted is gone."""
    _, trail = whole_trail(settings_file)
    if noted is not None and not trail.holds(noted.strip()):
        raise InputError(f"审计记录里应有校验值 {noted}，没有找到：那一条之后被截掉过，或换过数据库，请与备份核对")
    latest = trail.entries(limit=1)
    number = latest[0].id if latest else 0
    click.echo(say(f"审计记录完整，共到第 {number} 条", f"The audit trail is whole, up to entry {number}"))
    click.echo(
        say(f"末尾的校验值（抄在别处，以后用 --noted 核对）：{trail.last_digest()}", f"Last digest (for --noted): {trail.last_digest()}")
    )
