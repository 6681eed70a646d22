"""Training steps on a tiny encoder, and the road to an exported folder and back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from phrasecheck.engines.encoder import OnnxEncoder, SyllableReader, pooling
from phrasecheck.lexicon import Exemplar
from phrasecheck.matching.windows import windows
from phrasecheck.training.data import Example, example
from phrasecheck.training.export import export
from phrasecheck.training.model import Encoder, collate
from phrasecheck.training.sound import sound_start
from phrasecheck.training.train import Plan, _contrast, _pick, _target, losses, train
from tests.training.tiny import LINES, PHRASES, PLAN, body, tokenizer

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning", "ignore::torch.jit.TracerWarning"
)  # torch's exporter
TEXTS = ["条款里写着，你自己看，您好", "您先看条款", "有意见告去"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads would wait for each other longer than these matrices take."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(one_thread: None) -> tuple[Encoder, Any, list[str]]:
    reader = tokenizer()
    said: list[str] = []
    encoder = Encoder(body(reader.get_vocab_size()), len(PHRASES), vector=8)
    train(encoder, LINES, PHRASES, reader, PLAN, said.append)
    return encoder, reader, said


def judged(encoder: Encoder, reader: Any, line: Exemplar) -> tuple[float, int]:
    """The probability that a line violates, and the likeliest phrase."""
    with torch.no_grad():
        tone, meaning, _ = encoder(collate([example(line)], reader))
    return float(torch.sigmoid(tone[0, 0])), int(meaning[0, 0].argmax())


def test_it_learns_its_lines(trained: tuple[Encoder, Any, list[str]]) -> None:
    encoder, reader, _ = trained
    for line in LINES:
        probability, phrase = judged(encoder, reader, line)
        assert (probability > 0.5) is line.violates, line.text
        if line.violates:
            assert PHRASES[phrase] == line.phrase


def test_the_same_seed_makes_the_same_encoder() -> None:
    made = []
    for _ in range(2):
        reader = tokenizer()
        encoder = Encoder(body(reader.get_vocab_size()), len(PHRASES), vector=8)
        train(encoder, LINES, PHRASES, reader, Plan(seed=5, passes=1, batch=8), lambda _: None)
        made.append(torch.cat([p.detach().flatten() for p in encoder.parameters()]))
    assert torch.equal(*made)


def test_a_batch(trained: tuple[Encoder, Any, list[str]]) -> None:
    _, reader, _ = trained
    long, short = example(Exemplar(text="您好，你自己看，好", phrase="9.1.06", spans=((3, 7),))), example(LINES[-1])
    batch = collate([long, short], reader)
    assert batch.ids.shape == batch.mask.shape == (2, len(reader.encode(long.line.text).ids))
    assert batch.pool.shape == (2, len(long.windows), batch.ids.shape[1])
    assert batch.labels[0].tolist() == list(long.labels)
    assert batch.labels[1].tolist() == [0, *[-1] * (len(long.windows) - 1)]  # one clause: one window
    sums = batch.pool.sum(-1)
    assert sums[0].tolist() == pytest.approx([1.0] * len(long.windows))
    assert sums[1].tolist() == pytest.approx([1.0, *[0.0] * (len(long.windows) - 1)])
    assert (batch.ids[1][batch.mask[1] == 0] == 1).all()  # padding
    assert not batch.pool[1][:, batch.mask[1] == 0].any()


def test_padding_changes_nothing(trained: tuple[Encoder, Any, list[str]]) -> None:
    encoder, reader, _ = trained
    short, long = example(LINES[0]), example(Exemplar(text="您好，" * 6, phrase=None))
    with torch.no_grad():
        alone, together = encoder(collate([short], reader)), encoder(collate([short, long], reader))
    assert torch.allclose(alone[0][0, 0], together[0][0, 0], atol=1e-4)
    assert torch.allclose(alone[2][0, 0], together[2][0, 0], atol=1e-4)


def test_a_good_answer_costs_less() -> None:
    examples = [example(LINES[0]), example(LINES[-1])]
    batch = collate(examples, tokenizer())
    shape = batch.labels.shape
    vectors = torch.nn.functional.normalize(torch.ones(*shape, 4), dim=-1)
    right, wrong = torch.zeros(*shape, 2), torch.zeros(*shape, 2)
    right[0, :, 0], wrong[0, :, 1] = 5.0, 5.0
    tone = torch.where(batch.labels == 1, 5.0, -5.0)
    index = {phrase: i for i, phrase in enumerate(PHRASES)}
    costs = [
        float(losses(o, batch, examples, index, PLAN)) for o in ((tone, right, vectors), (tone, wrong, vectors), (-tone, right, vectors))
    ]
    assert costs[0] < costs[1] < costs[2]


def test_windows_that_nobody_knows_teach_nothing() -> None:
    line = Exemplar(text="甲乙，丙丁，戊己，庚辛，壬癸", phrase="9.1.06", spans=((0, 14),))
    examples = [example(line)]
    batch = collate(examples, tokenizer())
    assert (batch.labels == -1).any()
    tone = torch.zeros(batch.labels.shape, requires_grad=True)
    vectors = torch.nn.functional.normalize(torch.ones(*batch.labels.shape, 4), dim=-1)
    # The likeliest window of the turn is asked too; make that the whole.
    raised = tone + torch.nn.functional.one_hot(torch.tensor([0]), tone.shape[1])
    losses((raised, torch.zeros(*batch.labels.shape, 2), vectors), batch, examples, {"9.1.06": 0, "9.1.10": 1}, PLAN).backward()  # type: ignore[no-untyped-call]
    assert tone.grad is not None
    assert not tone.grad[batch.labels == -1].any()
    assert tone.grad[0, 0] < 0


@pytest.mark.parametrize(
    ("phrase", "also", "expected"),
    [
        ("a", (), [1.0, 0.0, 0.0]),
        ("a", ("b",), [0.65, 0.35, 0.0]),
        ("a", ("b", "c"), [0.65, 0.175, 0.175]),
        ("a", ("a", "x"), [1.0, 0.0, 0.0]),
    ],
)
def test_phrases_that_would_also_do_share_the_target(phrase: str, also: tuple[str, ...], expected: list[float]) -> None:
    line = Exemplar(text="甲", phrase=phrase, also=also, spans=((0, 1),))
    assert _target(line, {"a": 0, "b": 1, "c": 2}, 0.35).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "tokens", "violates", "expected"),
    [
        ([1, 0, 1, 1, -1], [9, 2, 5, 3, 2], True, 3),  # the shortest that violates
        ([1, 0, 1], [9, 2, 5], False, 0),
        ([-1, -1], [9, 2], True, 0),
    ],
)
def test_contrast_looks_at_the_marked_stretch(labels: list[int], tokens: list[int], violates: bool, expected: int) -> None:
    assert int(_pick(torch.tensor(labels), torch.tensor(tokens), violates)) == expected


def test_contrast_draws_lines_of_one_phrase_together() -> None:
    examples = [example(line) for line in (LINES[0], LINES[1], LINES[-1])]
    batch = collate(examples, tokenizer())
    index = {phrase: i for i, phrase in enumerate(PHRASES)}

    def cost(*vectors: tuple[float, float]) -> float:
        rows = torch.tensor(vectors)[:, None, :].repeat(1, batch.labels.shape[1], 1)
        return float(_contrast(rows, batch, examples, index, 0.1))

    assert cost((1, 0), (1, 0), (0, 1)) < cost((1, 0), (0, 1), (1, 0))


def test_contrast_without_a_pair_is_nothing() -> None:
    examples: list[Example] = [example(LINES[0]), example(LINES[-1])]
    batch = collate(examples, tokenizer())
    vectors = torch.ones(*batch.labels.shape, 4)
    assert float(_contrast(vectors, batch, examples, {"9.1.06": 0}, 0.1)) == 0


@pytest.fixture(scope="module")
def folder(trained: tuple[Encoder, Any, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    encoder, reader, _ = trained
    made = tmp_path_factory.mktemp("models") / "encoder-tiny"
    export(encoder, reader, made, PHRASES, "characters", "# card\n")
    return made


def test_an_exported_folder_holds_what_the_docs_say(folder: Path) -> None:
    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert files == {
        "onnx/model_qint8.onnx", "heads.npz", "tokenizer.json", "config.json", "modules.json", "sentence_bert_config.json", "tokenizer_config.json",
        "1_Pooling/config.json", "encoder.json", "README.md",
    }  # fmt: skip
    docs = Path("docs/encoder.md").read_text(encoding="utf-8")
    assert all(f"`{file}`" in docs for file in files)
    about = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    assert about["phrases"] == PHRASES
    assert about["name"].startswith("encoder-tiny ")


def test_the_exported_encoder_says_what_the_trained_one_says(trained: tuple[Encoder, Any, list[str]], folder: Path) -> None:
    """int8 weights cost little: tones within a tenth of their range, vectors nearly parallel."""
    encoder, reader, _ = trained
    loaded = OnnxEncoder(folder, threads=1)
    assert loaded.phrases == tuple(PHRASES)
    for text, reading in zip(TEXTS, loaded.read(TEXTS), strict=True):
        assert reading.windows == tuple(windows(text))
        with torch.no_grad():
            tone, meaning, vectors = encoder(collate([example(Exemplar(text=text, phrase=None))], reader))
        assert np.abs(reading.tone - tone[0].numpy()).max() < 0.1 * (1 + np.abs(tone[0].numpy()).max())
        assert (reading.meaning.argmax(1) == meaning[0].numpy().argmax(1)).all()
        assert (reading.vectors * vectors[0].numpy()).sum(1).min() > 0.98
        assert np.linalg.norm(reading.vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_alone_or_in_a_batch_a_text_reads_alike(folder: Path) -> None:
    loaded = OnnxEncoder(folder, threads=2)
    for text, together in zip(TEXTS, loaded.read(TEXTS), strict=True):
        (alone,) = loaded.read([text])
        assert (alone.tone == together.tone).all()
        assert (alone.vectors == together.vectors).all()


@pytest.mark.parametrize("text", ["", "。", "😀"])
def test_text_without_words_has_no_windows(folder: Path, text: str) -> None:
    (reading,) = OnnxEncoder(folder, threads=1).read([text])
    assert reading.windows == ()
    assert reading.tone.shape == (0,)
    assert reading.meaning.shape == (0, len(PHRASES))
    assert reading.vectors.shape == (0, 8)


def test_exporting_again_replaces(trained: tuple[Encoder, Any, list[str]], folder: Path) -> None:
    encoder, reader, _ = trained
    before = (folder / "encoder.json").read_text(encoding="utf-8")
    (folder / "stale.txt").write_text("", encoding="utf-8")
    export(encoder, reader, folder, PHRASES, "characters", "# card\n")
    assert not (folder / "stale.txt").exists()
    assert (folder / "encoder.json").read_text(encoding="utf-8") == before


def test_the_start_of_the_encoder_by_sound() -> None:
    """A syllable is the mean of its characters; homophones read alike."""
    characters = tokenizer()
    old = body(characters.get_vocab_size())
    table = old.embeddings.word_embeddings.weight.detach().clone()
    made, sounds = sound_start(old, characters)
    reader = SyllableReader(sounds)
    assert reader.encode("自己看").ids == reader.encode("字几看").ids
    ids, weights = sounds.get_vocab(), made.embeddings.word_embeddings.weight
    assert made.config.vocab_size == len(ids) == weights.shape[0]
    only = characters.token_to_id("您")  # no other character of these lines is read «nin»
    assert torch.allclose(weights[ids["nin"]], table[only])
    assert torch.allclose(weights[ids["<s>"]], table[0])
    assert torch.allclose(weights[ids["zhuang"]], table[3])  # a syllable of no known character starts as unknown


def test_pooling_is_the_same_in_training_and_at_work() -> None:
    encoding = tokenizer().encode(TEXTS[0])
    weights, kept = pooling(encoding.offsets, windows(TEXTS[0]))
    assert kept == windows(TEXTS[0])
    assert weights.sum(1) == pytest.approx(1)
