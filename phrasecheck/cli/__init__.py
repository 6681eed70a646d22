"""The commands. Nothing heavy is imported before a command runs: the table below names where each lives.

Help is Chinese; PHRASECHECK_LANG=en makes it English.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from phrasecheck import __version__
from phrasecheck.cli.language import say
from phrasecheck.errors import PhrasecheckError

# command -> (module, attribute, what the overview says)
COMMANDS = {
    "check": (
        "phrasecheck.cli.check",
        "check",
        say("检查录音：转写、比对、评分，出报告", "Check recordings: transcribe, match, score, report"),
    ),
    "rescore": (
        "phrasecheck.cli.check",
        "rescore",
        say("用另一份词库重新评判已有结果，不再转写", "Judge stored results with another lexicon, no ASR"),
    ),
    "transcribe": (
        "phrasecheck.cli.transcribe",
        "transcribe",
        say("只转写：文字、字幕或 JSON", "Only transcribe: text, subtitles or JSON"),
    ),
    "match": ("phrasecheck.cli.match", "match", say("比对文字（JSONL）", "Match lines of text (JSONL)")),
    "explain": ("phrasecheck.cli.match", "explain", say("说明一句话为什么命中或不命中", "Explain why a line is a hit or not")),
    "live": ("phrasecheck.cli.live", "live", say("把录音当作正在进行的通话，边放边提醒", "Play recordings as calls in progress")),
    "lexicon": ("phrasecheck.cli.lexicon", "lexicon", say("词库：检查、查看、自测", "Lexicons: check, show, test")),
    "eval": ("phrasecheck.cli.train", "evaluate", say("用有标注的文件测准确率", "Measure accuracy on a labelled file")),
    "train": ("phrasecheck.cli.train", "train", say("用例句训练编码器", "Train the encoder from exemplars")),
    "calibrate": ("phrasecheck.cli.train", "calibrate", say("拟合合成权重（训练之后）", "Fit the fusion weights (after training)")),
    "report": (
        "phrasecheck.cli.report",
        "report",
        say("给坐席、班组、岗位、负责人的反馈报告，和辅导材料", "Feedback reports for agents, teams, roles; coaching packs"),
    ),
    "db": ("phrasecheck.cli.db", "db", say("数据库：升级、核对、备份、恢复", "The database: upgrade, check, back up, restore")),
    "work": (
        "phrasecheck.cli.work",
        "work",
        say("只当工人：检查数据库里排队的通话", "Only work: check the calls queued in the database"),
    ),
    "serve": ("phrasecheck.cli.serve", "serve", say("网页与接口：上传、复核、报告", "Web pages and API: uploads, review, reports")),
    "audit": ("phrasecheck.cli.audit", "audit", say("审计记录：核对", "The audit trail: verify it")),
    "retention": ("phrasecheck.cli.retention", "retention", say("保留期限：删除到期的通话", "Retention: delete what was kept long enough")),
    "models": ("phrasecheck.cli.models", "models", say("模型：列出、取出、核对", "Models: list, fetch, verify")),
}


class _Lazy(click.Group):
    """A group that imports a command's module when the command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("命令", "Commands")):
            formatter.write_dl([(name, about) for name, (_, _, about) in COMMANDS.items()])


@click.group(
    cls=_Lazy,
    help=say(
        "phrasecheck：查出车险通话里的服务禁语，按岗位评分。", "phrasecheck: find forbidden service phrases in motor-insurance calls."
    ),
)
@click.version_option(__version__, prog_name="phrasecheck")
def cli() -> None:
    """The group itself."""


def main(args: Sequence[str] | None = None) -> None:
    """Entry point. Our own errors end with a clear message and status 1, never with a traceback."""
    try:
        cli.main(args=list(args) if args is not None else None, standalone_mode=True)
    except PhrasecheckError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of a pipe went away (| head)
        sys.stderr.close()
        sys.exit(0)
