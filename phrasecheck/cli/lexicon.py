"""phrasecheck lexicon check|show|test."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import make_settings, settings_options
from phrasecheck.errors import LexiconError

if TYPE_CHECKING:
    from phrasecheck.lexicon import Exemplar, Lexicon
    from phrasecheck.matching.matcher import Matcher

SHOWN = 40


@click.group(help=say("词库：检查、查看、自测。", "Lexicons: check, show, test."))
def lexicon() -> None:
    """The group itself."""


@lexicon.command(
    help=say("检查词库文件；不给文件则检查自带的词库和例句。", "Check lexicon files; without one, the shipped lexicon and exemplars.")
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--exemplars", type=click.Path(path_type=Path, file_okay=False), help=say("例句文件夹", "Folder of exemplars"))
def check(files: Sequence[Path], exemplars: Path | None) -> None:
    """Exit status 1 with a line for everything wrong."""
    from phrasecheck.lexicon import load_exemplars
    from phrasecheck.lexiconcheck import exemplar_problems

    problems: list[str] = []
    try:
        combined = _load(files)
        if not files or exemplars:
            lines = load_exemplars(exemplars)
            problems += exemplar_problems(lines, combined)
            click.echo(say(f"例句 {len(lines)} 条", f"{len(lines)} exemplars"))
    except LexiconError as error:
        problems += error.problems
    if problems:
        for problem in problems[:SHOWN]:
            click.echo(problem, err=True)
        if len(problems) > SHOWN:
            click.echo(say(f"……另有 {len(problems) - SHOWN} 处", f"... and {len(problems) - SHOWN} more"), err=True)
        sys.exit(1)
    click.echo(
        say(
            f"没有问题：{combined.name}，{len(combined.phrases)} 条禁语", f"Nothing wrong: {combined.name}, {len(combined.phrases)} phrases"
        )
    )


def _load(files: Sequence[Path]) -> "Lexicon":
    """Files that extend another lie over the shipped one; a whole lexicon stands by itself."""
    from phrasecheck.lexicon import load_lexicon
    from phrasecheck.lexiconfile import is_overlay

    whole = [f for f in files if not is_overlay(f)]
    return load_lexicon([f for f in files if f not in whole[:1]], base=whole[0] if whole else None)


@lexicon.command(help=say("列出词库里的禁语。", "Print the lexicon's phrases."))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def show(files: Sequence[Path]) -> None:
    """A table: id, severity, text, what to say instead."""
    from rich.console import Console
    from rich.table import Table

    combined = _load(files)
    table = Table(title=f"{combined.title}（{combined.name}）")
    for heading in (say("编号", "Id"), say("程度", "Severity"), say("禁语", "Phrase"), say("可以这样说", "Say instead")):
        table.add_column(heading, overflow="fold")
    for phrase in combined.phrases.values():
        table.add_row(phrase.id, phrase.severity.value + ("（一票否决）" if phrase.fatal else ""), phrase.text, phrase.instead)
    Console().print(table)


@lexicon.command(
    "test",
    help=say("用词库自己的话和例句自测：禁语都抓到，合规的都放过。", "Run the lexicon's own lines: phrases caught, fine ones left alone."),
)
@click.option("--held-back", is_flag=True, help=say("再加上没有用于训练的例句", "Also the exemplars kept from training"))
@settings_options
def self_test(held_back: bool, settings_file: Path | None, lexicons: Sequence[Path], without: Sequence[str]) -> None:
    """Exit status 1 when a phrase's own words are not caught or a line that a company calls fine is."""
    from phrasecheck.build import build_matcher
    from phrasecheck.lexicon import load_exemplars
    from phrasecheck.matching.semantic import own_lines
    from phrasecheck.training.split import held_back as is_held_back

    matcher = build_matcher(make_settings(settings_file, lexicons, without))
    own = own_lines(matcher.parts.lexicon, known=())
    wrong = _failures(matcher, own)
    click.echo(say(f"词库自己的话 {len(own)} 句，不符 {len(wrong)} 句", f"{len(own)} own lines, {len(wrong)} wrong"))
    for text, why in wrong[:SHOWN]:
        click.echo(f"  {why}  {text}")
    if held_back:
        kept = [line for line in load_exemplars() if is_held_back(line)]
        missed = _failures(matcher, kept)
        click.echo(
            say(
                f"未用于训练的例句 {len(kept)} 句，不符 {len(missed)} 句（{len(missed) / len(kept):.1%}）",
                f"{len(kept)} held-back exemplars, {len(missed)} wrong",
            )
        )
    if wrong:
        sys.exit(1)


def _failures(matcher: "Matcher", lines: Sequence["Exemplar"]) -> list[tuple[str, str]]:
    from phrasecheck.matching.matcher import Line
    from phrasecheck.types import HitState

    verdicts = matcher.verdicts([Line(id=str(i), text=line.text) for i, line in enumerate(lines)])
    wrong = []
    for line, verdict in zip(lines, verdicts, strict=True):
        caught = any(hit.state is HitState.HIT for hit in verdict.hits)
        if caught != line.violates:
            wrong.append((line.text, say("误报", "false alarm") if caught else say(f"漏了 {line.phrase}", f"missed {line.phrase}")))
    return wrong
