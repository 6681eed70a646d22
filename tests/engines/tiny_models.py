"""Model folders in the formats of sherpa-onnx, a few kilobytes each: whatever they hear, they say the tokens they were made with at the times they
were made with. Real files for the real sherpa-onnx, in place of weights of hundreds of megabytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FRAMES = 1000
SURE = 10.0  # logit of a token over the others' -10: a probability of nearly 1
LFR = {"lfr_window_size": 7, "lfr_window_shift": 6, "neg_mean": ",".join(["0"] * 560), "inv_stddev": ",".join(["1"] * 560)}
LANGUAGES = {"lang_auto": 0, "lang_zh": 3, "lang_en": 4, "lang_yue": 7, "lang_ja": 11, "lang_ko": 12}
SENSE_VOICE = {
    **LFR,
    **LANGUAGES,
    "model_type": "sense_voice_ctc",
    "normalize_samples": 0,
    "with_itn": 14,
    "without_itn": 15,
    "comment": "tiny",
}
PARAFORMER = {**LFR, "model_type": "paraformer"}
INTS, FLOATS = TensorProto.INT64, TensorProto.FLOAT
Said = Mapping[int, str]
"""Frame of the network's output -> token."""


def sense_voice(folder: Path, said: Said, metadata: Mapping[str, object] = SENSE_VOICE) -> Path:
    """A CTC network of 60 ms a frame, four frames of tags first."""
    tags = {-4: "<|zh|>", -3: "<|NEUTRAL|>", -2: "<|Speech|>", -1: "<|withitn|>"}
    table, tokens = _table({at + 4: token for at, token in {**tags, **said}.items()}, ["<unk>"])
    nodes = [
        _node("Shape", ["x"], "n", start=0, end=1),
        _node("Shape", ["x"], "t", start=1, end=2),
        _node("Add", ["t", "four"], "end"),
        _node("Slice", ["table", "zero", "end", "one"], "cut"),
        _node("Concat", ["n", "one", "one"], "shape", axis=0),
        _node("Expand", ["cut", "shape"], "logits"),
    ]
    inputs = [("x", FLOATS, ["N", "T", 560]), *((name, TensorProto.INT32, ["N"]) for name in ("x_length", "language", "text_norm"))]
    outputs = [("logits", FLOATS, ["N", "L", len(tokens)])]
    constants = {"table": table, "zero": [0], "one": [1], "four": [4]}
    _save(folder / "model.int8.onnx", nodes, inputs, outputs, constants, {**metadata, "vocab_size": len(tokens)})
    return _with_tokens(folder, tokens)


def paraformer(folder: Path, said: Sequence[str], peaks: Sequence[int] = ()) -> Path:
    """A network that says its tokens in one go; with `peaks` (20 ms each) it also says when."""
    table, tokens = _table(dict(enumerate([*said, "</s>"])), ["<blank>", "<s>", "</s>"], len(said) + 1)
    nodes = [
        _node("Shape", ["speech"], "n", start=0, end=1),
        _node("Concat", ["n", "one", "one"], "shape", axis=0),
        _node("Expand", ["table", "shape"], "logits"),
        _node("Expand", ["count", "n"], "token_num"),
    ]
    outputs = [("logits", FLOATS, ["N", "U", len(tokens)]), ("token_num", TensorProto.INT32, ["N"])]
    constants: dict[str, Any] = {"table": table, "one": [1], "count": np.array([len(said) + 1], np.int32)}
    if peaks:
        peak = np.zeros((1, 3 * FRAMES), np.float32)
        peak[0, [*peaks, peaks[-1] + 1]] = 1.0
        constants |= {"peaks": peak, "zero": [0], "three": [3]}
        nodes += [
            _node("Shape", ["speech"], "t", start=1, end=2),
            _node("Mul", ["t", "three"], "end"),
            _node("Slice", ["peaks", "zero", "end", "one"], "cut"),
            _node("Concat", ["n", "one"], "flat", axis=0),
            _node("Expand", ["cut", "flat"], "us_cif_peak"),
            _node("Identity", ["us_cif_peak"], "us_alphas"),
        ]
        outputs += [("us_alphas", FLOATS, ["N", "P"]), ("us_cif_peak", FLOATS, ["N", "P"])]
    inputs = [("speech", FLOATS, ["N", "T", 560]), ("speech_lengths", TensorProto.INT32, ["N"])]
    _save(folder / "model.int8.onnx", nodes, inputs, outputs, constants, {**PARAFORMER, "vocab_size": len(tokens)})
    return _with_tokens(folder, tokens)


def zipformer(folder: Path, said: Said, encoder: Mapping[str, object] | None = None) -> Path:
    """A transducer of 40 ms a frame."""
    table, tokens = _table(said, ["<blk>", "<sos/eos>", "<unk>"])
    width = len(tokens)
    nodes = [
        _node("Shape", ["x"], "n", start=0, end=1),
        _node("Shape", ["x"], "t", start=1, end=2),
        _node("Div", ["t", "four"], "end"),
        _node("Slice", ["table", "zero", "end", "one"], "cut"),
        _node("Concat", ["n", "one", "one"], "shape", axis=0),
        _node("Expand", ["cut", "shape"], "encoder_out"),
        _node("Div", ["x_lens", "four"], "encoder_out_lens"),
    ]
    constants = {"table": table, "zero": [0], "one": [1], "four": [4]}
    inputs = [("x", FLOATS, ["N", "T", 80]), ("x_lens", INTS, ["N"])]
    outputs = [("encoder_out", FLOATS, ["N", "L", width]), ("encoder_out_lens", INTS, ["N"])]
    _save(folder / "encoder-epoch-1-avg-1.int8.onnx", nodes, inputs, outputs, constants, encoder or {"model_type": "zipformer2"})
    nodes = [
        _node("Shape", ["y"], "n", start=0, end=1),
        _node("Concat", ["n", "one"], "shape", axis=0),
        _node("Expand", ["nothing", "shape"], "decoder_out"),
    ]
    constants = {"nothing": np.zeros((1, width), np.float32), "one": [1]}
    told = {"vocab_size": width, "context_size": 2}
    _save(folder / "decoder-epoch-1-avg-1.onnx", nodes, [("y", INTS, ["N", 2])], [("decoder_out", FLOATS, ["N", width])], constants, told)
    nodes = [_node("Add", ["encoder_out", "decoder_out"], "logit")]
    inputs = [(name, FLOATS, ["N", width]) for name in ("encoder_out", "decoder_out")]
    _save(folder / "joiner-epoch-1-avg-1.int8.onnx", nodes, inputs, [("logit", FLOATS, ["N", width])], {}, {"joiner_dim": width})
    return _with_tokens(folder, tokens)


def _table(said: Said, special: Sequence[str], frames: int = FRAMES) -> tuple[Any, list[str]]:
    """Logits (1, frames, tokens), the blank (token 0) where nothing is said, and the tokens."""
    tokens = list(dict.fromkeys([*special, *said.values()]))
    table = np.full((1, frames, len(tokens)), -SURE, np.float32)
    table[:, :, 0] = 0.0
    for at, token in said.items():
        table[0, at, tokens.index(token)] = SURE
    return table, tokens


def _node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    return helper.make_node(kind, inputs, [output], **attributes)


def _save(
    path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: Mapping[str, Any], metadata: Mapping[str, object]
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    heard, told = ([helper.make_tensor_value_info(*each) for each in side] for side in (inputs, outputs))
    model = helper.make_model(helper.make_graph(nodes, "tiny", heard, told, tensors), opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.save(model, str(path))


def _with_tokens(folder: Path, tokens: Sequence[str]) -> Path:
    (folder / "tokens.txt").write_text("".join(f"{token} {number}\n" for number, token in enumerate(tokens)), encoding="utf-8")
    return folder
