"""phrasecheck train and eval: make the encoder, measure the whole."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import make_settings, settings_options
from phrasecheck.errors import InputError


@click.command(
    help=say(
        "用例句训练编码器并写成模型文件夹（需要 train 依赖）。",
        "Train an encoder from the exemplars into a model folder (needs the train extra).",
    )
)
@click.option(
    "--reads",
    type=click.Choice(["characters", "syllables"]),
    default="characters",
    show_default=True,
    help=say("读字还是读音", "Characters or syllables"),
)
@click.option("--layers", type=click.IntRange(1, 12), default=12, show_default=True, help=say("保留几层", "Layers kept"))
@click.option("--passes", type=float, default=4.5, show_default=True, help=say("例句过几遍", "Passes over the exemplars"))
@click.option("--seed", type=int, default=1, show_default=True, help=say("随机种子", "Random seed"))
@click.option("--rate", type=float, default=1e-4, show_default=True, help=say("学习率", "Learning rate"))
@click.option(
    "--start",
    type=click.Path(path_type=Path, file_okay=False),
    help=say("从已有的编码器文件夹接着训练", "Go on from an encoder folder"),
)
@click.option("--threads", type=click.IntRange(0), default=0, help=say("CPU 线程数，0 = 全部", "CPU threads, 0 = all"))
@click.option("--exemplars", type=click.Path(path_type=Path, file_okay=False), help=say("例句文件夹", "Folder of exemplars"))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help=say("模型文件夹", "Model folder"))
def train(
    reads: str, layers: int, passes: float, seed: int, rate: float, start: Path | None, threads: int, exemplars: Path | None, out: Path
) -> None:
    """About half an hour a run on two cores."""
    from phrasecheck.lexicon import load_exemplars, load_lexicon
    from phrasecheck.training.make import Recipe, make

    settings = make_settings(None, (), ())
    recipe = Recipe(reads=reads, layers=layers, passes=passes, seed=seed, rate=rate, start=start, threads=threads)
    work = settings.cache_dir.expanduser() / "training"
    work.mkdir(parents=True, exist_ok=True)
    make(load_exemplars(exemplars), load_lexicon(), recipe, out, work, click.echo)
    click.echo(say(f"编码器在 {out}；接着运行 phrasecheck calibrate", f"Encoder in {out}; run phrasecheck calibrate next"))


@click.command(
    help=say(
        "在未用于训练的例句上拟合合成权重（models/fuse.json），并存下例句的向量。",
        "Fit the fusion weights on held-back exemplars, and store the exemplars' vectors.",
    )
)
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help=say("模型文件夹（内有 encoder-characters）", "Folder holding encoder-characters"),
)
def calibrate(models: Path) -> None:
    """Writes fuse.json and encoder-characters/exemplars.npz."""
    from phrasecheck.training.fitting import fit_all

    click.echo(json.dumps(fit_all(models), ensure_ascii=False, indent=1))


@click.command(
    "eval", help=say("用有标注的 JSONL 测准确率：{text, speaker, role, labels, also_ok, kind}。", "Measure accuracy on labelled JSONL.")
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--errors", is_flag=True, help=say("列出每个错误", "List every mistake"))
@settings_options
def evaluate(file: Path, errors: bool, settings_file: Path | None, lexicons: Sequence[Path], without: Sequence[str]) -> None:
    """The table by kind, section and role."""
    from phrasecheck.build import build_matcher
    from phrasecheck.matching.matcher import Line
    from phrasecheck.training.evaluate import evaluate as measure
    from phrasecheck.training.evaluate import to_text
    from phrasecheck.types import Role, Speaker

    try:
        rows = [json.loads(raw) for raw in file.read_text(encoding="utf-8").splitlines() if raw.strip()]
        lines = [
            Line(id=str(i), text=r["text"], speaker=Speaker(r.get("speaker", "agent")), role=Role(r["role"]) if r.get("role") else None)
            for i, r in enumerate(rows)
        ]
        _ = [row["labels"] for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f'{file} 应为每行一个 {{"text", "speaker", "role", "labels"}} 的 JSONL：{error!r}') from error
    matcher = build_matcher(make_settings(settings_file, lexicons, without))
    click.echo(to_text(measure(rows, matcher.verdicts(lines)), errors))
