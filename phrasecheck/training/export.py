"""From a trained encoder to the folder that the product loads: int8 ONNX, tokenizer, heads, and what a sentence-transformers folder has.

In: an Encoder and its tokenizer. Out: a folder under models/ (docs/encoder.md lists its files), at most 45 MB.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from phrasecheck.training.model import Encoder

_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def export(encoder: Encoder, tokenizer: Any, folder: Path, phrases: list[str], reads: str, card: str) -> None:
    """Write everything to `folder`, replacing what was there. `reads` is "characters" or "syllables"."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "onnx").mkdir(parents=True)
    _export_onnx(encoder.body, folder / "onnx" / "model_qint8.onnx")
    heads = {n: p.detach().numpy().astype(np.float16) for n, p in encoder.named_parameters() if not n.startswith("body.")}
    np.savez_compressed(folder / "heads.npz", **heads)  # type: ignore[arg-type]
    tokenizer.save(str(folder / "tokenizer.json"))
    encoder.body.config.save_pretrained(folder)
    hidden = encoder.body.config.hidden_size
    _write(folder / "modules.json", _MODULES)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": 192, "do_lower_case": False})
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 192,
            "cls_token": "<s>",
            "bos_token": "<s>",
            "sep_token": "</s>",
            "eos_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
        },
    )
    (folder / "1_Pooling").mkdir()
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": hidden, "pooling_mode_mean_tokens": True})
    digest = hashlib.sha256((folder / "onnx" / "model_qint8.onnx").read_bytes()).hexdigest()
    _write(folder / "encoder.json", {"name": f"{folder.name} {digest[:12]}", "reads": reads, "phrases": phrases})
    (folder / "README.md").write_text(card, encoding="utf-8")


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


class _Body(torch.nn.Module):
    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden


def _export_onnx(body: Any, path: Path) -> None:
    """fp32 graph, then dynamic int8 per channel (weights and word embeddings)."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain = path.with_suffix(".fp32.onnx")
    axes = {name: {0: "batch", 1: "tokens"} for name in ("input_ids", "attention_mask", "last_hidden_state")}
    ids = torch.tensor([[0, 5, 6, 7, 2]])
    torch.onnx.export(
        _Body(body).eval(),
        (ids, torch.ones_like(ids)),
        str(plain),
        input_names=["input_ids", "attention_mask"],
        output_names=["last_hidden_state"],
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(str(plain), str(path), weight_type=QuantType.QInt8, per_channel=True)
    plain.unlink()
