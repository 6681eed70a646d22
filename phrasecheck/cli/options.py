"""Options that several commands share, and the Settings they come to."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from phrasecheck.cli.language import say

if TYPE_CHECKING:
    from phrasecheck.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

# The values of types.Role and types.Method; a test holds them together (importing types here would bring numpy into --help).
ROLES = ("reception", "sales", "underwriting", "claims_report", "survey", "loss_assessment", "documents", "complaints", "internal")
METHODS = ("exact", "fuzzy", "phonetic", "semantic")


def settings_options(command: F) -> F:
    """--settings, --lexicon, --without: what shapes matching in every command."""
    for option in (
        click.option(
            "--without", multiple=True, type=click.Choice(METHODS), help=say("不用这种方法（可多次）", "Switch a method off (repeatable)")
        ),
        click.option(
            "--lexicon",
            "lexicons",
            multiple=True,
            type=click.Path(path_type=Path),
            help=say("叠加的公司词库（可多次）", "Company lexicon laid over (repeatable)"),
        ),
        click.option(
            "--settings",
            "settings_file",
            type=click.Path(path_type=Path),
            help=say("设置文件（YAML，见 docs/settings.md）", "Settings file (YAML)"),
        ),
    ):
        command = option(command)
    return command


def make_settings(settings_file: Path | None, lexicons: Sequence[Path], without: Sequence[str], **asr: object) -> "Settings":
    """Settings from the file and environment, with the options over them. `asr` overrides fields of settings.asr that are not None."""
    from phrasecheck.settings import load_settings
    from phrasecheck.types import Method

    settings = load_settings(settings_file)
    methods = tuple(m for m in settings.matching.methods if m.value not in without and m in Method)
    return settings.model_copy(
        update={
            "lexicons": (*settings.lexicons, *lexicons),
            "matching": settings.matching.model_copy(update={"methods": methods}),
            "asr": settings.asr.model_copy(update={k: v for k, v in asr.items() if v is not None}),
        }
    )
