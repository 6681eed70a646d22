"""An encoder small enough to train in a test: characters as tokens, two layers, random weights."""

from typing import Any

from phrasecheck.lexicon import Exemplar
from phrasecheck.training.base import SPECIALS, build_tokenizer
from phrasecheck.training.data import Augment
from phrasecheck.training.train import Plan

PHRASES = ["9.1.06", "9.1.10"]
RUDE = {"9.1.06": ("你自己看", "自己看去", "条款里写着你自己看"), "9.1.10": ("有意见告去", "你去告", "要告就告去")}
FINE = ("我来给您看", "您先看条款", "有意见您请讲", "您别急我来问", "单号请报一下", "好的再见")
LINES = [
    *(Exemplar(text=text, phrase=phrase, spans=((0, len(text)),), kind="reworded") for phrase, texts in RUDE.items() for text in texts),
    *(Exemplar(text=text, phrase=None) for text in FINE),
]
# No noise: what a test learns must not hang on dice.
PLAN = Plan(seed=3, passes=30, batch=8, rate=3e-3, head_rate=1e-2, augment=Augment(embed=0, garbled=0, no_pauses=0))


def tokenizer() -> Any:
    """One piece a character of the lines, digits and punctuation."""
    chars = sorted({char for line in LINES for char in line.text} | set("，。？您好0123456789"))
    pieces = [*((special, 0.0) for special in SPECIALS), ("\u2581", -1.0), *((char, -2.0) for char in chars)]
    return build_tokenizer(pieces)


def body(vocabulary: int) -> Any:
    """A BertModel of two layers, 32 wide, with the weights of its seed."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=1,
    )
    return BertModel(config, add_pooling_layer=False)
