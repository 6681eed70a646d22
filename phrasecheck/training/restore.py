"""From an exported folder back to an encoder that can go on learning.

In: a folder that `export` wrote. Out: an Encoder in float32 and its tokenizer. Weights come back from int8, so a company can train the shipped encoder on
its own lines without the files of the run that made it; the first steps mend what rounding took.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phrasecheck.errors import ModelError
from phrasecheck.training.model import Encoder, fewer_layers


def restore(folder: Path, phrases: list[str], layers: int) -> tuple[Encoder, Any]:
    """The encoder in `folder` with at most `layers` of its layers, its phrase head laid out for `phrases` (rows of new ones start at zero).

    Raises ModelError when the folder holds no encoder.
    """
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertModel

    model = folder / "onnx" / "model_qint8.onnx"
    if not model.is_file():
        raise ModelError(f"{folder} 不是编码器文件夹：里面没有 onnx/model_qint8.onnx（--start 要的是 phrasecheck train 做出的文件夹）")
    body = BertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False)
    missing, unexpected = body.load_state_dict(weights(model), strict=False)
    lost = [name for name in missing if not name.endswith(("position_ids", "token_type_ids"))]
    if lost or unexpected:
        raise ModelError(f"{model}: 张量对不上（缺 {lost}，多 {unexpected}），请用同一版本的 phrasecheck train 重新制作")
    encoder = Encoder(fewer_layers(body, layers), len(phrases))
    _heads(encoder, folder, phrases)
    return encoder, Tokenizer.from_file(str(folder / "tokenizer.json"))


def weights(model: Path) -> dict[str, torch.Tensor]:
    """A BertModel's state dict in float32. Plain tensors carry its names; a quantised matrix is known by the node that multiplies with it."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(model)).graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    state = {name: tensor for name, tensor in tensors.items() if name.startswith("body.") and tensor.dtype == np.float32}
    state = {name: tensor for name, tensor in state.items() if not name.endswith("_scale")}
    for stem in [name.removesuffix("_quantized") for name in tensors if name.startswith("body.") and name.endswith("_quantized")]:
        state[stem] = _floats(tensors, stem)
    for node in graph.node:
        if node.op_type == "MatMulInteger" and node.input[1].endswith("_quantized"):
            name = node.name.strip("/").removesuffix("/MatMul_quant").replace("/", ".") + ".weight"
            state[name] = _floats(tensors, node.input[1].removesuffix("_quantized")).T
    return {name.removeprefix("body."): torch.from_numpy(np.array(tensor, dtype=np.float32)) for name, tensor in state.items()}


def _floats(tensors: dict[str, Any], stem: str) -> Any:
    """A quantised tensor as it was; one scale for all, or one a column."""
    zero = tensors[f"{stem}_zero_point"].astype(np.float32)
    return (tensors[f"{stem}_quantized"].astype(np.float32) - zero) * tensors[f"{stem}_scale"]


def _heads(encoder: Encoder, folder: Path, phrases: list[str]) -> None:
    known: list[str] = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))["phrases"]
    rows = [(phrases.index(phrase), i) for i, phrase in enumerate(known) if phrase in phrases]
    with np.load(folder / "heads.npz") as heads, torch.no_grad():
        encoder.phrase.weight.zero_()
        encoder.phrase.bias.zero_()
        for name, parameter in encoder.named_parameters():
            if name.startswith("body."):
                continue
            stored = torch.from_numpy(heads[name].astype(np.float32))
            if name.startswith("phrase."):
                for new, old in rows:
                    parameter[new] = stored[old]
            else:
                parameter.copy_(stored)
