"""The docs tell the truth: commands, options, settings, models, modules, links and examples are held against the code."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from phrasecheck.cli import cli
from phrasecheck.cli.options import METHODS, ROLES, settings_options
from phrasecheck.lexicon import load_lexicon
from phrasecheck.resources import resource
from phrasecheck.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
HEAVY = {
    *("torch", "transformers", "scipy", "numpy", "faster_whisper", "ctranslate2", "onnxruntime", "av"),
    *("jieba", "pydantic", "rich", "jinja2", "openpyxl"),
}

HAN = re.compile(r"[\u4e00-\u9fff]")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- commands ---------------------------------------------------------------------------------------------------------------------


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from commands(inner, (*path, name))


COMMANDS = dict(commands(cli, ("phrasecheck",)))


def sections(text: str) -> dict[str, str]:
    """Heading -> the text below it, up to the next heading."""
    found = list(HEADING.finditer(text))
    ends = [later.start() for later in found[1:]] + [len(text)]
    return {heading.group(1): text[heading.end() : end] for heading, end in zip(found, ends, strict=True)}


def described(name: str) -> str:
    """Where docs/commands.md describes a command: its own section, or its line in the section of its group."""
    by_heading = sections((DOCS / "commands.md").read_text(encoding="utf-8"))
    if name in by_heading:
        return by_heading[name]
    group = by_heading.get(name.rpartition(" ")[0], "")
    return "\n".join(line for line in group.splitlines() if f"`{name}`" in line)


def shared_options() -> set[str]:
    @settings_options
    @click.command()
    def probe(**_: object) -> None: ...

    return {flag for option in probe.params for flag in option.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_described(name: str) -> None:
    text = described(name)
    assert text.strip(), f"docs/commands.md does not describe {name}"
    intro = next(iter(sections((DOCS / "commands.md").read_text(encoding="utf-8")).values()))
    for param in COMMANDS[name].params:
        if isinstance(param, click.Argument):
            assert f"`{(param.name or '').upper()}" in text, f"{name}: argument {param.name}"
        else:
            for flag in param.opts:
                assert f"`{flag}`" in (intro if flag in shared_options() else text), f"{name}: {flag}"


def test_no_option_is_described_that_does_not_exist() -> None:
    known = {flag for command in COMMANDS.values() for param in command.params for flag in param.opts} | {"--help", "--version"}
    told = set(re.findall(r"`(--[a-z-]+)`", (DOCS / "commands.md").read_text(encoding="utf-8")))
    assert told <= known


def test_every_role_and_method_is_named() -> None:
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert [word for word in (*ROLES, *METHODS) if f"`{word}`" not in text] == []


def examples() -> Iterator[tuple[str, str]]:
    """Every phrasecheck command line in a code block of a page."""
    for page in PAGES:
        for _, block in FENCE.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                found = re.search(r"(?:^|[|=\w]\s+|/)phrasecheck (?=[a-z])(.*)$", line)
                if found:
                    yield name_of(page), found.group(1)


@pytest.mark.parametrize(("page", "line"), list(examples()))
def test_examples_are_valid_command_lines(page: str, line: str) -> None:
    args = shlex.split(line, comments=True)
    command: click.Command = cli
    while isinstance(command, click.Group):
        inner = command.get_command(click.Context(command), args.pop(0))
        assert inner is not None, f"{page}: {line}"
        command = inner
    command.make_context("phrasecheck", args)


WHAT_HELP_LOADS = """
import sys
from phrasecheck.cli import main
try:
    main(["--help"])
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", WHAT_HELP_LOADS], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(done.stderr.split())
    assert all(name in done.stdout for name in ("check", "match", "models"))
    assert "click" in loaded
    assert loaded & HEAVY == set()


# --- settings ---------------------------------------------------------------------------------------------------------------------


def groups(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """A settings model and the models inside it, each with the names that lead to it."""
    yield path, model
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from groups(field.annotation, (*path, name))


def fields() -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Every setting with the names that lead to it."""
    inner = {model for _, model in groups(Settings)}
    for path, model in groups(Settings):
        yield from (((*path, name), field) for name, field in model.model_fields.items() if field.annotation not in inner)


def settings_table() -> dict[str, tuple[str, str, str]]:
    """name -> (default, environment variable, meaning) from docs/settings.md."""
    row = re.compile(r"^\| `([a-z_.]+)` \| `(.*?)` \| `(\w+)` \| (.+) \|$", re.MULTILINE)
    rows = row.findall((DOCS / "settings.md").read_text(encoding="utf-8"))
    return {name: (default, variable, meaning) for name, default, variable, meaning in rows}


def test_every_setting_is_described() -> None:
    table = settings_table()
    assert set(table) == {".".join(path) for path, _ in fields()}
    for path, field in fields():
        default, variable, meaning = table[".".join(path)]
        assert yaml.safe_load(default) == to_jsonable_python(field.default), path  # as YAML reads it, so that 5 and 5.0 are one
        assert variable == "PHRASECHECK_" + "__".join(path).upper()
        assert HAN.search(meaning), f"{path}: the meaning is to be told in Chinese"


def test_every_setting_says_what_it_is_in_the_code() -> None:
    assert [path for path, field in fields() if not field.description] == []


def test_the_example_settings_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHRASECHECK_MATCHING__THRESHOLD", raising=False)
    file = tmp_path / "settings.yaml"
    (example,) = [block for kind, block in FENCE.findall((DOCS / "settings.md").read_text(encoding="utf-8")) if kind == "yaml"]
    file.write_text(example, encoding="utf-8")
    assert load_settings(file).matching.threshold == 0.6


# --- everything else --------------------------------------------------------------------------------------------------------------


def slug(heading: str) -> str:
    """The anchor that a heading gets on the usual forges."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{name_of(page)} links to {target}"
        if anchor and file.suffix == ".md":
            assert anchor in map(slug, HEADING.findall(file.read_text(encoding="utf-8"))), f"{name_of(page)} links to {target}"


def test_readme_names_the_two_commands_that_make_knows() -> None:
    readme, makefile = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "Makefile"))
    for target in ("demo", "test"):
        assert re.search(rf"^make {target}\b", readme, re.MULTILINE)
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_model_is_described() -> None:
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    for entry in yaml.safe_load(resource("models/manifest.yaml").read_text(encoding="utf-8"))["models"]:
        row = next((line for line in text.splitlines() if line.startswith(f"| `{entry['name']}` |")), "")
        assert entry["sha256"] in row, entry["name"]
        assert f"| {entry['licence']} |" in row, entry["name"]


def test_every_module_has_its_place_in_the_architecture() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    modules = [p for p in (ROOT / "phrasecheck").iterdir() if not p.name.startswith((".", "_"))]
    named = [f"`{p.name}/`" if p.is_dir() else f"`{p.name}`" for p in modules]
    assert [name for name in named if name not in text] == []


def test_the_example_company_lexicon_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "company.yaml"
    (example,) = [block for kind, block in FENCE.findall((DOCS / "quickstart.md").read_text(encoding="utf-8")) if kind == "yaml"]
    file.write_text(example, encoding="utf-8")
    shipped, combined = load_lexicon(), load_lexicon([file])
    assert "公司-01" in combined.phrases
    assert "9.2.04" in shipped.phrases
    assert "9.2.04" not in combined.phrases
