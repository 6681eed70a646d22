"""Whisper through CTranslate2: many short clips -> texts with word times.

In: clips of speech. Out: one Heard each. The one decision: the window is cut to the speech. Whisper was trained on 30 s windows and
its users pad every clip to that; a few seconds of silence behind the clip are enough (DESIGN 6.4), and the encoder's time falls with it.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

import numpy as np

from phrasecheck.engines.doubt import is_invention, sign
from phrasecheck.errors import ModelError
from phrasecheck.normalize import simplify
from phrasecheck.settings import AsrSettings
from phrasecheck.transcribe import Heard, Progress
from phrasecheck.types import Samples, Word

RATE = 16_000
HOP = 160  # samples a feature frame (10 ms)
LONGEST = 3000  # frames: what Whisper has positions for (30 s)
TOKENS_PER_SECOND = 12  # Mandarin at 8 characters a second, with 1.5 tokens a character: nobody speaks faster
MOST_TOKENS = 224  # half of Whisper's context; the other half is the prompt's
NO_SPEECH = 0.6  # openai/whisper's limit: above it, with a low log-probability, there was no speech
UNSURE = -1.0  # openai/whisper's limit of the mean log-probability below which a text is worth a second attempt
DOUBTED = 0.2  # an utterance that shows a sign of invention is never trusted more than this
AUDIBLE = 1e-3  # peak of the quietest clip that can hold speech (-60 dB): on less, Whisper writes whatever the prompt suggests
REPETITION_PENALTY = 1.1  # in the second attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Take:
    """One decoding of a clip: token ids without the special ones, the prompt it was given, mean log-probability a token, probability
    that nobody spoke."""

    tokens: list[int]
    prompt: str
    logprob: float
    no_speech: float


class Whisper:
    """A Whisper model in CTranslate2 format. Thread-safe: CTranslate2 queues what several threads ask."""

    def __init__(self, folder: Path, settings: AsrSettings) -> None:
        """Load the model in `folder`. Raises ModelError when it is not a multilingual Whisper or the device cannot run it."""
        import ctranslate2
        import tokenizers
        from faster_whisper.feature_extractor import FeatureExtractor
        from faster_whisper.tokenizer import Tokenizer

        self._settings = settings
        self.name = f"{folder.resolve().name} {settings.compute_type}"
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder), device=settings.device, compute_type=settings.compute_type, intra_threads=settings.threads or cores()
            )
            vocabulary = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises bare Exception; ctranslate2 RuntimeError and ValueError
            raise ModelError(
                f"{folder} 里的语音识别模型无法加载（{error}）。"
                "应为 CTranslate2 格式的多语种 Whisper（含 model.bin、config.json、tokenizer.json）。"
            ) from error
        if not self._model.is_multilingual:
            raise ModelError(f"{folder} 是只会英语的 Whisper，应为多语种模型。")
        self._tokenizer = Tokenizer(vocabulary, True, task="transcribe", language="zh")
        self._features = FeatureExtractor(feature_size=self._model.n_mels)

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        """One Heard per clip, in the order given. A clip longer than 30 s is a ValueError."""
        total = sum(map(len, clips)) / RATE
        heard: dict[int, Heard] = {}
        for batch in self._batches(clips):
            heard.update(zip(batch, self._hear([clips[index] for index in batch]), strict=True))
            if progress is not None:
                progress(sum(len(clips[index]) for index in heard) / RATE, total)
        return [heard[index] for index in range(len(clips))]

    def _batches(self, clips: Sequence[Samples]) -> Iterator[list[int]]:
        """Indices of clips of like length together, longest first: what does not fit into memory fails at once."""
        order = sorted((index for index in range(len(clips))), key=lambda index: -len(clips[index]))
        for start in range(0, len(order), self._settings.batch_size):
            yield order[start : start + self._settings.batch_size]

    def _hear(self, clips: list[Samples]) -> list[Heard]:
        encoded = self._encode(clips)
        takes = self._decode(encoded, clips, self._settings.prompt, beam_size=self._settings.beam_size)
        takes = self._second_attempt(clips, takes)
        words = self._words(encoded, clips, takes)
        return [self._judge(clip, take, said) for clip, take, said in zip(clips, takes, words, strict=True)]

    def _encode(self, clips: list[Samples]) -> Any:
        """The encoder's states for the clips, all in a window as long as the longest of them needs."""
        import ctranslate2

        longest = max(map(len, clips))
        if longest > LONGEST * HOP:
            raise ValueError(f"clip of {longest / RATE:.1f} s, Whisper hears at most {LONGEST * HOP / RATE:.0f}")
        frames = min(LONGEST, -(-longest // HOP) + round(self._settings.window_pad_s * RATE / HOP))
        frames += frames % 2  # the encoder halves them
        # real silence behind the clip: one point of character errors better than faster-whisper's zeros in the features
        features = [self._features(np.pad(clip, (0, frames * HOP - len(clip))), padding=0)[:, :frames] for clip in clips]
        return self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(features), np.float32)))

    def _decode(self, encoded: Any, clips: list[Samples], prompt: str, **options: Any) -> list[_Take]:
        tokenizer = self._tokenizer
        before = [tokenizer.sot_prev, *tokenizer.encode(prompt)[-MOST_TOKENS + 1 :]] if prompt else []
        start = [*before, *tokenizer.sot_sequence, tokenizer.no_timestamps]
        most = min(MOST_TOKENS, 8 + round(max(map(len, clips)) / RATE * TOKENS_PER_SECOND))
        results = self._model.generate(
            encoded,
            [start] * len(clips),
            no_repeat_ngram_size=self._settings.no_repeat_ngram,
            max_length=max(2 * most, len(start) + most),  # CTranslate2 gives half of this, or what the prompt leaves of it, to new tokens
            return_scores=True,
            return_no_speech_prob=True,
            **options,
        )
        return [_take(result, tokenizer.eot, prompt) for result in results]

    def _second_attempt(self, clips: list[Samples], takes: list[_Take]) -> list[_Take]:
        """Clips whose first text cannot be believed once more, more carefully and without the prompt; the better text wins."""
        again = [index for index, take in enumerate(takes) if self._suspect(clips[index], take)]
        if not again:
            return takes
        some = [clips[index] for index in again]
        beams = max(5, self._settings.beam_size)
        fresh = self._decode(self._encode(some), some, "", beam_size=beams, repetition_penalty=REPETITION_PENALTY)
        best = dict(enumerate(takes))
        for index, take in zip(again, fresh, strict=True):
            worse = self._sign(clips[index], take) is not None, -take.logprob
            if worse < (self._sign(clips[index], takes[index]) is not None, -takes[index].logprob):
                best[index] = take
        return [best[index] for index in range(len(takes))]

    def _suspect(self, clip: Samples, take: _Take) -> bool:
        return not self._silent(take) and (take.logprob < UNSURE or self._sign(clip, take) is not None)

    def _silent(self, take: _Take) -> bool:
        return take.no_speech > NO_SPEECH and take.logprob < self._settings.min_logprob

    def _sign(self, clip: Samples, take: _Take) -> str | None:
        return sign(self._tokenizer.decode(take.tokens), len(clip) / RATE, take.prompt)

    def _judge(self, clip: Samples, take: _Take, words: list[Word]) -> Heard:
        text = "".join(word.text for word in words)
        if not text or not audible(clip) or self._silent(take) or is_invention(text):
            return Heard(text="", no_speech=take.no_speech)
        doubt = sign(text, len(clip) / RATE, take.prompt)
        confidence = min(exp(take.logprob), DOUBTED if doubt else 1.0)
        return Heard(text=text, words=tuple(words), confidence=confidence, no_speech=take.no_speech, doubt=doubt)

    def _words(self, encoded: Any, clips: list[Samples], takes: list[_Take]) -> list[list[Word]]:
        """The words of each take with their times, by the model's own cross-attention."""
        if not any(take.tokens for take in takes):
            return [[] for _ in takes]
        frames = [-(-len(clip) // HOP) for clip in clips]
        aligned = self._model.align(encoded, self._tokenizer.sot_sequence, [take.tokens for take in takes], frames)
        return [self._timed(take.tokens, alignment) for take, alignment in zip(takes, aligned, strict=True)]

    def _timed(self, tokens: list[int], alignment: Any) -> list[Word]:
        pieces, groups = self._tokenizer.split_to_word_tokens([*tokens, self._tokenizer.eot])
        begins = _begins(alignment.alignments, len(tokens))
        words: list[Word] = []
        at = 0
        for piece, group in zip(pieces[:-1], groups[:-1], strict=True):
            until = at + len(group)
            sure = float(np.mean(alignment.text_token_probs[at:until])) if alignment.text_token_probs else 0.0
            words.append(Word(text=piece.replace("\ufffd", ""), start=begins[at], end=begins[until], probability=min(1.0, max(0.0, sure))))
            at = until
        return _tidy(words)


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _take(result: Any, eot: int, prompt: str) -> _Take:
    ids = result.sequences_ids[0]
    logprob = result.scores[0] * len(ids) / (len(ids) + 1) if ids else 0.0  # the score is a mean without the end token
    return _Take(tokens=[token for token in ids if token < eot], prompt=prompt, logprob=logprob, no_speech=result.no_speech_prob)


def _begins(path: Sequence[tuple[int, int]], tokens: int) -> list[float]:
    """When each token, and the end after them, begins: where the alignment's path first reaches it (20 ms steps)."""
    first: dict[int, int] = {}
    for token, step in path:
        first.setdefault(token, step)
    times, last = [], 0
    for token in range(tokens + 1):
        last = max(last, first.get(token, last))
        times.append(last * 2 * HOP / RATE)
    return times


def _tidy(words: list[Word]) -> list[Word]:
    """Simplified characters, no blanks at the ends, and punctuation joined to the word before it: a comma has no time of its own."""
    text = "".join(word.text for word in words)
    simple = simplify(text)
    lead, tail = len(simple) - len(simple.lstrip()), len(simple.rstrip())
    tidy: list[Word] = []
    at = 0
    for word in words:
        start, at = at, at + len(word.text)
        piece = simple[max(start, lead) : min(at, tail)]
        if not piece:
            continue
        if tidy and not any(char.isalnum() for char in piece):
            last = tidy[-1]
            tidy[-1] = Word(text=last.text + piece, start=last.start, end=last.end, probability=last.probability)
        else:
            tidy.append(Word(text=piece, start=word.start, end=word.end, probability=word.probability))
    return tidy


def audible(clip: Samples) -> bool:
    """Whether there is any sound in the clip at all."""
    return bool(len(clip)) and float(np.abs(clip).max()) >= AUDIBLE
