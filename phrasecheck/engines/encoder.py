"""The encoder at work: a turn in, for every window of it a tone, a meaning and a vector out. onnxruntime and tokenizers only.

One text a run: nothing is padded, and a line gets the same numbers alone as in a batch (int8 activations are scaled by what is in the run, so
batch mates would colour each other). Each encoder keeps half the cores busy; there are two.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phrasecheck.engines.machine import cores
from phrasecheck.errors import ModelError
from phrasecheck.matching.reading import Floats, Reading
from phrasecheck.matching.sound import syllables
from phrasecheck.matching.windows import windows
from phrasecheck.normalize import clauses, unfinished

MAX_TOKENS = 512  # e5-small has no more positions
LONGEST_TEXT = 150  # characters; a longer turn is read in pieces, as training saw none


class OnnxEncoder:
    """An exported encoder folder (docs/encoder.md): onnx/model_qint8.onnx, tokenizer.json, heads.npz, encoder.json."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        model = folder / "onnx" / "model_qint8.onnx"
        if not model.is_file():
            raise ModelError(f"编码器文件夹 {folder} 里没有 onnx/model_qint8.onnx；请重装 phrasecheck，或用 phrasecheck train 重新制作")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        about = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        self._reader: Any = SyllableReader(tokenizer) if about["reads"] == "syllables" else tokenizer
        self._name: str = about["name"]
        self._phrases: tuple[str, ...] = tuple(about["phrases"])
        with np.load(folder / "heads.npz") as heads:
            self._heads: dict[str, Floats] = {name: heads[name].astype(np.float32) for name in heads.files}
        self._pool = ThreadPoolExecutor(threads or max(1, cores() // 2), thread_name_prefix="encoder")

    @property
    def phrases(self) -> tuple[str, ...]:
        """Ids of the phrases that the columns of `meaning` stand for."""
        return self._phrases

    @property
    def name(self) -> str:
        """Name and version, as results quote them."""
        return self._name

    def read(self, texts: Sequence[str]) -> Iterator[Reading]:
        """One Reading a text, in order, while later ones are still being read."""
        return self._pool.map(self._read, texts)

    def _read(self, text: str) -> Reading:
        text = unfinished(text)
        if len(text) <= LONGEST_TEXT:
            return self._read_piece(text)
        parts = [(start, self._read_piece(text[start:end])) for start, end in pieces(text)]
        return _joined([(start, reading) for start, reading in parts if reading.windows]) or self._nothing()

    def _read_piece(self, text: str) -> Reading:
        cut = windows(text)
        encoding = self._reader.encode(text)
        ids = np.array([encoding.ids[:MAX_TOKENS]], dtype=np.int64)
        if not cut or ids.shape[1] <= 2:
            return self._nothing()
        (hidden,) = self._session.run(["last_hidden_state"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        pool, kept = pooling(encoding.offsets[:MAX_TOKENS], cut)
        if not kept:
            return self._nothing()
        pooled: Floats = pool @ hidden[0]
        h = self._heads
        vectors = pooled @ h["vector.weight"].T
        return Reading(
            windows=tuple(kept),
            tone=(pooled @ h["violation.weight"].T + h["violation.bias"])[:, 0],
            meaning=pooled @ h["phrase.weight"].T + h["phrase.bias"],
            vectors=vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9),
        )

    def _nothing(self) -> Reading:
        width = self._heads["vector.weight"].shape[0]
        return Reading(
            windows=(),
            tone=np.zeros(0, np.float32),
            meaning=np.zeros((0, len(self._phrases)), np.float32),
            vectors=np.zeros((0, width), np.float32),
        )


def pieces(text: str, longest: int = LONGEST_TEXT) -> list[tuple[int, int]]:
    """A long text as ranges of at most about `longest` characters, cut between clauses."""
    cut: list[tuple[int, int]] = []
    for start, end in clauses(text):
        if cut and end - cut[-1][0] <= longest:
            cut[-1] = (cut[-1][0], end)
        else:
            cut.append((start, end))
    return cut


def _joined(parts: Sequence[tuple[int, Reading]]) -> Reading | None:
    """Readings of the pieces of one text as one, the piece that sounds worst first, so that the first window still speaks for the whole."""
    worst_first = sorted(parts, key=lambda part: -float(part[1].tone[0]))
    if not worst_first:
        return None
    return Reading(
        windows=tuple((a + start, b + start) for start, r in worst_first for a, b in r.windows),
        tone=np.concatenate([r.tone for _, r in worst_first]),
        meaning=np.concatenate([r.meaning for _, r in worst_first]),
        vectors=np.concatenate([r.vectors for _, r in worst_first]),
    )


@dataclass(frozen=True, slots=True)
class Encoding:
    """Token ids and their character ranges in the text, as `tokenizers` gives them."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class SyllableReader:
    """Text to tokens by sound: one token a character, its toneless syllable, so that a homophone error is no error at all."""

    def __init__(self, tokenizer: Any) -> None:
        self._ids: dict[str, int] = tokenizer.get_vocab()
        self._unknown = self._ids["<unk>"]

    def encode(self, text: str) -> Encoding:
        """An encoding between <s> and </s>; a character without a sound is its own token or unknown."""
        lower = text.lower()
        sounds = syllables(lower) if len(lower) == len(text) else syllables(text)
        ids = [self._ids.get(sound, self._unknown) for sound in sounds]
        return Encoding([0, *ids, 2], [(0, 0), *((i, i + 1) for i in range(len(ids))), (0, 0)])


def pooling(offsets: Sequence[tuple[int, int]], cut: Sequence[tuple[int, int]]) -> tuple[Floats, list[tuple[int, int]]]:
    """Mean-pooling weights (windows, tokens) and the windows that have a token: one whose middle lies inside."""
    middles = np.array([(a + b) / 2 if b > a else -1.0 for a, b in offsets], dtype=np.float32)
    rows, kept = [], []
    for start, end in cut:
        inside = (middles >= start) & (middles <= end)
        if inside.any():
            rows.append(inside / inside.sum())
            kept.append((start, end))
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(offsets)), kept
