"""The encoder with its heads: one pass over a turn, every window of it pooled from the same hidden states.

In: token ids and, per text, which tokens belong to which window. Out per window: a logit for "violates anything" (tone), logits over the
phrases (meaning), and a unit vector for comparison with exemplars (phrases that nobody trained on).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from phrasecheck.engines.encoder import MAX_TOKENS, pooling
from phrasecheck.training.data import Example


class Reader(Protocol):
    """Text to tokens with character ranges: a `tokenizers.Tokenizer`, or the syllable reader with the same two verbs."""

    def encode(self, text: str) -> Any:
        """An object with `ids` and `offsets`."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of one step. ids, mask: (texts, tokens). pool: (texts, windows, tokens), rows sum to 1, or 0 where padded.
    labels: (texts, windows), -1 unknown."""

    ids: Tensor
    mask: Tensor
    pool: Tensor
    labels: Tensor


def collate(examples: list[Example], reader: Any, pad: int = 1) -> Batch:
    """Tokenise and pad; a window with no token of its own is left out (its label becomes -1)."""
    encoded = [reader.encode(e.line.text) for e in examples]
    tokens = min(MAX_TOKENS, max(len(e.ids) for e in encoded))
    count = max([1, *(len(e.windows) for e in examples)])
    ids = torch.full((len(examples), tokens), pad, dtype=torch.long)
    mask = torch.zeros((len(examples), tokens), dtype=torch.long)
    pool = torch.zeros((len(examples), count, tokens))
    labels = torch.full((len(examples), count), -1, dtype=torch.long)
    for row, (e, encoding) in enumerate(zip(examples, encoded, strict=True)):
        size = min(tokens, len(encoding.ids))
        ids[row, :size] = torch.tensor(encoding.ids[:size])
        mask[row, :size] = 1
        weights, kept = pooling(encoding.offsets[:size], e.windows)
        value_of = dict(zip(e.windows, e.labels, strict=True))
        for column, (window, weight) in enumerate(zip(kept, weights, strict=True)):
            pool[row, column, :size] = torch.from_numpy(weight)
            labels[row, column] = value_of[window]
    return Batch(ids, mask, pool, labels)


class Encoder(nn.Module):
    """A BertModel body and three heads over pooled windows."""

    def __init__(self, body: Any, phrases: int, vector: int = 128) -> None:
        super().__init__()
        hidden = body.config.hidden_size
        self.body = body
        for layer in body.encoder.layer:
            layer.attention.self.dropout.p = 0.0  # on a CPU its random numbers cost a fifth of a step
        self.drop = nn.Dropout(0.1)
        self.violation = nn.Linear(hidden, 1)
        self.phrase = nn.Linear(hidden, phrases)
        self.vector = nn.Linear(hidden, vector, bias=False)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Violation logits (texts, windows), phrase logits (texts, windows, phrases), unit vectors (texts, windows, vector)."""
        hidden = self.body(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        pooled = torch.bmm(batch.pool.to(hidden.dtype), hidden).float()
        dropped = self.drop(pooled)
        return (
            self.violation(dropped).squeeze(-1),
            self.phrase(dropped),
            nn.functional.normalize(self.vector(pooled), dim=-1),
        )


def load_body(folder: Path, layers: int) -> Any:
    """The converted e5-small's BertModel with at most `layers` of its layers."""
    from transformers import BertModel

    return fewer_layers(BertModel.from_pretrained(folder, add_pooling_layer=False), layers)


def fewer_layers(body: Any, layers: int) -> Any:
    """`body`, changed in place to keep `layers` of its layers, evenly spread (distilling starts from them)."""
    full = len(body.encoder.layer)
    if layers < full:
        keep = [round(i * (full - 1) / max(1, layers - 1)) for i in range(layers)]
        body.encoder.layer = nn.ModuleList([body.encoder.layer[i] for i in keep])
        body.config.num_hidden_layers = layers
    return body
