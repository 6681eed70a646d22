"""The overview and what every command promises of itself."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from phrasecheck.cli import COMMANDS, cli


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_in_the_table_is_there_and_has_help(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    answer = CliRunner().invoke(cli, [name, "--help"])
    assert answer.exit_code == 0
    assert command.help


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(cli, ["sing"]).exit_code == 2


def test_help_is_english_when_asked() -> None:
    script = "from phrasecheck.cli import main; main(['--help'])"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PHRASECHECK_LANG": "en", "PATH": ""}
    )
    assert "Check recordings" in shown.stdout


def test_our_errors_end_with_a_message_and_not_a_traceback() -> None:
    script = "from phrasecheck.cli import main; main(['match', '/nowhere.jsonl', '--settings', '/nowhere.yaml'])"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "读不了设置文件" in ended.stderr
    assert "Traceback" not in ended.stderr
