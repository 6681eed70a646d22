"""phrasecheck db upgrade|check: the tables of the database and this software's version of them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from phrasecheck.cli.language import say
from phrasecheck.errors import InputError

if TYPE_CHECKING:
    from phrasecheck.store.database import Database

_settings = click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    help=say("设置文件（YAML，见 docs/settings.md）", "Settings file (YAML)"),
)


@click.group(help=say("数据库：升级表结构、核对。", "The database: upgrade its tables, check them."))
def db() -> None:
    """The group itself."""


@db.command(help=say("把表结构升到这个版本；已经是的话什么也不做。", "Bring the tables to this version; nothing when they are."))
@_settings
def upgrade(settings_file: Path | None) -> None:
    """Says from which version to which."""
    database = _database(settings_file)
    before = database.revision()
    database.upgrade()
    after = database.revision()
    if before == after:
        click.echo(say(f"表结构已是版本 {after}", f"The tables are of version {after} already"))
    else:
        empty = say("空", "empty")
        click.echo(say(f"表结构：{before or empty} → {after}", f"Tables: {before or empty} -> {after}"))


@db.command(
    help=say("核对表结构的版本，以及审计记录没有被改过。", "Check the version of the tables, and that nobody has changed the audit trail.")
)
@_settings
def check(settings_file: Path | None) -> None:
    """Exit status 1 when either is not as it should be."""
    from phrasecheck.store.audit import Audit

    database = _database(settings_file)
    database.check()
    audit = Audit(database)
    broken = audit.first_broken()
    if broken is not None:
        raise InputError(f"审计记录从第 {broken} 条起与它前面的对不上：有人绕过程序改过数据库，请与备份核对")
    click.echo(say(f"表结构是版本 {database.revision()}，审计记录完整", f"Tables of version {database.revision()}, audit trail whole"))
    click.echo(say(f"审计记录的末尾校验值：{audit.last_digest()}", f"Last digest of the audit trail: {audit.last_digest()}"))


def _database(settings_file: Path | None) -> "Database":
    from phrasecheck.settings import load_settings

    try:
        from phrasecheck.store.database import Database
    except ImportError as error:
        raise InputError(f"这个命令需要 serve 依赖，缺少 {error.name}：请运行 pip install 'phrasecheck[serve]'") from error
    return Database(load_settings(settings_file).store.database)
