"""phrasecheck db upgrade|check|backup|restore: the tables of the database, this software's version of them, and copies of all of it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import serve_extra, settings_file_option
from phrasecheck.errors import InputError

if TYPE_CHECKING:
    from phrasecheck.store.audit import Audit
    from phrasecheck.store.database import Database
    from phrasecheck.store.recordings import Recordings


@click.group(help=say("数据库：升级表结构、核对、备份、恢复。", "The database: upgrade its tables, check, back up, restore."))
def db() -> None:
    """The group itself."""


@db.command(help=say("把表结构升到这个版本；已经是的话什么也不做。", "Bring the tables to this version; nothing when they are."))
@settings_file_option
def upgrade(settings_file: Path | None) -> None:
    """Says from which version to which."""
    database = open_database(settings_file)
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
@settings_file_option
def check(settings_file: Path | None) -> None:
    """Exit status 1 when either is not as it should be."""
    database, audit = whole_trail(settings_file)
    click.echo(say(f"表结构是版本 {database.revision()}，审计记录完整", f"Tables of version {database.revision()}, audit trail whole"))
    click.echo(say(f"审计记录的末尾校验值：{audit.last_digest()}", f"Last digest of the audit trail: {audit.last_digest()}"))


@db.command(help=say("整个数据库写成一个备份文件；服务可以照常运行。", "Write the whole database into one file; the service may go on."))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-recordings", is_flag=True, help=say("不要录音，只要数据库", "The database alone, without recordings"))
@settings_file_option
def backup(file: Path, no_recordings: bool, settings_file: Path | None) -> None:
    """Refuses to overwrite: yesterday's backup may be the good one."""
    from phrasecheck.store.backup import backup as write

    if file.exists():
        raise InputError(f"{file} 已经有了：备份不覆盖旧文件，请换一个文件名")
    database = open_database(settings_file)
    copied = write(database, None if no_recordings else _recordings(settings_file), file)
    size = file.stat().st_size / (1 << 20)
    told = f"（{size:.1f} MB，表结构版本 {copied.revision}，录音 {copied.recordings} 个）"
    click.echo(say(f"备份写好了：{file}{told}", f"Backup written: {file} ({size:.1f} MB, {copied.recordings} recordings)"))


@db.command(
    help=say(
        "从备份文件恢复到一个空的数据库；旧版本的表结构随即升级。", "Restore a backup into an empty database; older tables are upgraded."
    )
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@settings_file_option
def restore(file: Path, settings_file: Path | None) -> None:
    """Says whether the audit trail in it holds."""
    from phrasecheck.store.audit import Audit
    from phrasecheck.store.backup import restore as read

    database = open_database(settings_file)
    copied = read(database, _recordings(settings_file), file)
    broken = Audit(database).first_broken()
    click.echo(say(f"恢复好了：表结构版本 {copied.revision}，录音 {copied.recordings} 个", f"Restored: {copied.recordings} recordings"))
    if broken is not None:
        raise InputError(f"但备份里的审计记录从第 {broken} 条起与它前面的对不上：备份之前就被改过，请与更早的备份核对")


def _recordings(settings_file: Path | None) -> "Recordings":
    from phrasecheck.settings import load_settings
    from phrasecheck.store.recordings import Recordings

    return Recordings(load_settings(settings_file).store.recordings)


def whole_trail(settings_file: Path | None) -> "tuple[Database, Audit]":
    """The database and its audit trail. Raises StoreError for tables of another version, InputError for a trail that was changed."""
    database = open_database(settings_file)
    from phrasecheck.store.audit import Audit

    database.check()
    audit = Audit(database)
    broken = audit.first_broken()
    if broken is not None:
        raise InputError(f"审计记录从第 {broken} 条起与它前面的对不上：有人绕过程序改过数据库，请与备份核对")
    return database, audit


def open_database(settings_file: Path | None) -> "Database":
    from phrasecheck.settings import load_settings

    with serve_extra():
        from phrasecheck.store.database import Database
    return Database(load_settings(settings_file).store.database)
