"""An exported encoder, taken up again: the same encoder but for int8, with room for a company's phrases."""

import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from phrasecheck.errors import ModelError
from phrasecheck.lexicon import Exemplar
from phrasecheck.training.data import example
from phrasecheck.training.export import export
from phrasecheck.training.make import Recipe, make
from phrasecheck.training.model import Encoder, collate
from phrasecheck.training.restore import restore
from tests.matching.lexicons import lexicon, phrase
from tests.training.tiny import LINES, PHRASES, body, tokenizer

TEXTS = ["条款里写着，你自己看", "您别急我来问"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Encoder, Path]:
    reader = tokenizer()
    encoder = Encoder(body(reader.get_vocab_size()), len(PHRASES)).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)  # ONNX stores equal tensors once, and fresh biases are all zero
    folder = tmp_path_factory.mktemp("models") / "encoder-tiny"
    export(encoder, reader, folder, PHRASES, "characters", "# card\n")
    return encoder, folder


def outputs(encoder: Encoder, reader: Any) -> Any:
    with torch.no_grad():
        return encoder.eval()(collate([example(Exemplar(text=text, phrase=None)) for text in TEXTS], reader))


def test_what_comes_back_says_what_was_exported(made: tuple[Encoder, Path]) -> None:
    encoder, folder = made
    again, reader = restore(folder, PHRASES, layers=12)
    for new, old in zip(outputs(again, reader), outputs(encoder, tokenizer()), strict=True):
        assert torch.allclose(new, old, atol=0.05 * float(old.abs().max()))


def test_phrases_keep_their_rows_and_new_ones_start_at_nothing(made: tuple[Encoder, Path]) -> None:
    encoder, folder = made
    again, _ = restore(folder, ["9.2.99", *reversed(PHRASES)], layers=12)
    assert not again.phrase.weight[0].any()
    assert torch.allclose(again.phrase.weight[1:].flip(0), encoder.phrase.weight, atol=1e-3)


def test_fewer_layers_may_be_asked_for(made: tuple[Encoder, Path]) -> None:
    again, _ = restore(made[1], PHRASES, layers=1)
    assert len(again.body.encoder.layer) == again.body.config.num_hidden_layers == 1


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="不是编码器文件夹"):
        restore(tmp_path, PHRASES, layers=12)


def test_a_company_trains_on_from_the_shipped_encoder(made: tuple[Encoder, Path], tmp_path: Path) -> None:
    start = tmp_path / "start"
    shutil.copytree(made[1], start)
    book = lexicon(*(phrase(p, "自己看。") for p in [*PHRASES, "9.2.99"]))
    out = tmp_path / "encoder-own"
    make(
        [*LINES, Exemplar(text="爱买不买", phrase="9.2.99", spans=((0, 4),))],
        book,
        Recipe(start=start, passes=1),
        out,
        tmp_path,
        lambda _: None,
    )
    again, _ = restore(out, [*PHRASES, "9.2.99"], layers=12)
    assert again.phrase.weight[2].any()
    assert f"--start {start}" in (out / "README.md").read_text(encoding="utf-8")


def test_out_is_never_a_folder_of_something_else(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("", encoding="utf-8")
    with pytest.raises(ModelError, match="不是空的"):
        make(LINES, lexicon(phrase("9.1.06", "自己看。")), Recipe(), tmp_path, tmp_path / "work", lambda _: None)
    assert precious.exists()
