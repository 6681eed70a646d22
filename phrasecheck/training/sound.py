"""The start of the encoder that reads sound: e5-small's body, its embeddings made anew, one a toneless syllable.

A syllable's embedding is the mean of those of the characters that are read so, common ones counting more; the body then finds much of what it
knew, and fine-tuning does the rest. A homophone error of the recogniser leaves its input as it was.
"""

from typing import Any

import torch

from phrasecheck.matching.sound import syllables
from phrasecheck.training.base import SPECIALS
from phrasecheck.training.noise import character_counts

_OTHERS = "0123456789abcdefghijklmnopqrstuvwxyz，。！？、；：,.!?;: …"


def sound_start(body: Any, characters: Any) -> tuple[Any, Any]:
    """The body with embeddings by sound (changed in place), and its tokenizer. `characters` is the tokenizer the body had."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    counts = character_counts()
    by_sound: dict[str, dict[str, float]] = {}
    for char, count in counts.items():
        by_sound.setdefault(syllables(char)[0], {})[char] = float(count) ** 0.5
    vocabulary = [*SPECIALS, *_OTHERS, *sorted(s for s in by_sound if len(s) > 1 or s not in _OTHERS)]
    old = body.embeddings.word_embeddings.weight.detach()
    ids = characters.get_vocab()
    rows = [old[i] for i in range(len(SPECIALS))]
    for token in vocabulary[len(SPECIALS) :]:
        chars = {c: w for c, w in by_sound.get(token, {token: 1.0}).items() if c in ids}
        total = sum(chars.values())
        rows.append(sum((w / total * old[ids[c]] for c, w in chars.items()), torch.zeros_like(old[3])) if chars else old[3])
    fresh = torch.nn.Embedding(len(rows), old.shape[1], padding_idx=1)
    fresh.weight.data = torch.stack(rows).clone()
    body.embeddings.word_embeddings = fresh
    body.config.vocab_size = len(rows)
    tokenizer = Tokenizer(models.WordLevel({token: i for i, token in enumerate(vocabulary)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return body, tokenizer
