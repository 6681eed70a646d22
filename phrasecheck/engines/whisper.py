"""Whisper through CTranslate2: many short clips -> texts with word times.

In: clips of speech. Out: one Heard each. The one decision: the window is cut to the speech. Whisper was trained on 30 s windows and
its users pad every clip to that; a few seconds of silence behind the clip are enough (DESIGN 6.4), and the encoder's time falls with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, exp
from pathlib import Path
from typing import Any

import numpy as np

from phrasecheck.engines.doubt import agree, echoes, is_invention, sign
from phrasecheck.engines.hearing import DOUBTED, RATE, audible, batch_size, in_batches, tidy, workers
from phrasecheck.engines.hotwords import Prompt, fingerprint, prompt
from phrasecheck.errors import ModelError
from phrasecheck.normalize import normalize, simplify
from phrasecheck.settings import AsrSettings
from phrasecheck.transcribe import Heard, Progress
from phrasecheck.types import Samples, Word

HOP = 160  # samples a feature frame (10 ms)
LEAST_PAD = 1.0  # seconds of silence behind a clip; with less Whisper falls apart (DESIGN 6.4)
LONGEST = 3000  # frames: what Whisper has positions for (30 s)
TOKENS_PER_SECOND = 12  # Mandarin at 8 characters a second, with 1.5 tokens a character: nobody speaks faster
MOST_TOKENS = 224  # half of Whisper's context; the other half, less the token that marks it, is the prompt's
CONTEXT = 448  # tokens that Whisper has positions for
NO_SPEECH = 0.6  # openai/whisper's limit: above it, with a low log-probability, there was no speech
UNSURE = -1.0  # openai/whisper's limit of the mean log-probability below which a text is worth a second attempt
SYLLABLE = 2  # characters
NEVER = -20.0  # log-probability of a text without tokens
REPETITION_PENALTY = 1.1  # in the second attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Take:
    """One decoding of a clip: token ids without the special ones, the prompt it was given (None: it was heard without), mean log-probability a
    token, probability that nobody spoke, and the token ids of the beams that came next."""

    tokens: list[int]
    prompt: Prompt | None
    logprob: float
    no_speech: float
    others: list[list[int]] = field(default_factory=list)


class Whisper:
    """A Whisper model in CTranslate2 format. Thread-safe: CTranslate2 queues what several threads ask."""

    def __init__(self, folder: Path, settings: AsrSettings) -> None:
        """Load the model in `folder`. Raises ModelError when it is not a multilingual Whisper or the device cannot run it."""
        import ctranslate2
        import tokenizers
        from faster_whisper.feature_extractor import FeatureExtractor
        from faster_whisper.tokenizer import Tokenizer

        self._settings = settings
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder),
                device=settings.device,
                compute_type=settings.compute_type,
                inter_threads=workers(settings),
                intra_threads=1,
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
        self._prompt = prompt(settings).within(MOST_TOKENS - 1, lambda text: len(self._tokenizer.encode(text)))
        self.name = f"{model_name(folder)} {settings.compute_type}, prompt {fingerprint(self._prompt.text)}"
        self._batch_size = batch_size(settings, (folder / "model.bin").stat().st_size)

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        """One Heard per clip, in the order given. A clip longer than 30 s is a ValueError."""
        return in_batches(clips, self._batch_size, self._hear, progress, workers(self._settings))

    def likelihoods(self, clip: Samples, texts: Sequence[str]) -> list[float]:
        """Mean log-probability a token of each text, were it what the clip says (matching/acoustic.py)."""
        heard = clip[: LONGEST * HOP]
        encoded, frames = self._encode([heard]), [-(-len(heard) // HOP)]
        tokens = [self._tokenizer.encode(text)[:MOST_TOKENS] for text in texts]
        forced = [self._model.align(encoded, self._tokenizer.sot_sequence, [ids], frames)[0].text_token_probs for ids in tokens]
        return [float(np.mean(np.log(np.maximum(probabilities, 1e-9)))) if probabilities else NEVER for probabilities in forced]

    def _hear(self, clips: list[Samples]) -> list[Heard]:
        encoded = self._encode(clips)
        beams = self._settings.beam_size
        takes = self._decode(encoded, clips, self._prompt, beam_size=beams, num_hypotheses=beams)
        takes = self._second_attempt(clips, takes)
        words = self._words(encoded, clips, takes)
        return [self._judge(clip, take, said) for clip, take, said in zip(clips, takes, words, strict=True)]

    def _encode(self, clips: list[Samples]) -> Any:
        """The encoder's states for the clips, all in a window as long as the longest of them needs."""
        import ctranslate2

        longest = max(map(len, clips))
        if longest > LONGEST * HOP:
            raise ValueError(f"clip of {longest / RATE:.1f} s, Whisper hears at most {LONGEST * HOP / RATE:.0f}")
        frames = min(LONGEST, _whole_seconds(longest / RATE, self._settings.window_pad_s) * RATE // HOP)
        # real silence behind the clip: one point of character errors better than faster-whisper's zeros in the features
        features = [self._features(np.pad(clip, (0, frames * HOP - len(clip))), padding=0)[:, :frames] for clip in clips]
        return self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(np.stack(features), np.float32)))

    def _decode(self, encoded: Any, clips: list[Samples], led_by: Prompt | None, **options: Any) -> list[_Take]:
        tokenizer = self._tokenizer
        before = [tokenizer.sot_prev, *tokenizer.encode(led_by.text)] if led_by is not None and led_by.text else []
        start = [*before, *tokenizer.sot_sequence, tokenizer.no_timestamps]
        most = min(MOST_TOKENS, 8 + round(max(map(len, clips)) / RATE * TOKENS_PER_SECOND))
        results = self._model.generate(
            encoded,
            [start] * len(clips),
            no_repeat_ngram_size=self._settings.no_repeat_ngram,
            # CTranslate2 gives half of this, or what the prompt leaves of it, to new tokens
            max_length=min(CONTEXT, max(2 * most, len(start) + most)),
            return_scores=True,
            return_no_speech_prob=True,
            **options,
        )
        return [_take(result, tokenizer.eot, led_by) for result in results]

    def _second_attempt(self, clips: list[Samples], takes: list[_Take]) -> list[_Take]:
        """Clips whose first text cannot be believed once more, more carefully and without the prompt; the better text wins. Speech gives the same
        words again: of two different texts the prompt's echo is none, and where the model itself doubts that anyone spoke, both are inventions."""
        again = [index for index, take in enumerate(takes) if self._suspect(clips[index], take)]
        if not again:
            return takes
        some = [clips[index] for index in again]
        beams = max(5, self._settings.beam_size)
        fresh = self._decode(self._encode(some), some, None, beam_size=beams, repetition_penalty=REPETITION_PENALTY)
        best = dict(enumerate(takes))
        for index, take in zip(again, fresh, strict=True):
            agreed = agree(self._text(takes[index]), self._text(take))
            if max(takes[index].no_speech, take.no_speech) > NO_SPEECH and not agreed:  # a long prompt makes it sure of speech
                best[index] = replace(take, tokens=[])
                continue
            if self._echoes(takes[index]):
                best[index] = replace(takes[index], prompt=None) if agreed else take
                if not agreed and len(self._text(take)) <= SYLLABLE:  # a syllable or two, heard otherwise each time, is no speech
                    best[index] = replace(take, tokens=[])
                continue
            worse = self._sign(clips[index], take) is not None, -take.logprob
            if worse < (self._sign(clips[index], takes[index]) is not None, -takes[index].logprob):
                best[index] = take
        return [best[index] for index in range(len(takes))]

    def _suspect(self, clip: Samples, take: _Take) -> bool:
        doubted = take.no_speech > NO_SPEECH or take.logprob < UNSURE or self._sign(clip, take) is not None
        return doubted and not self._silent(take)

    def _silent(self, take: _Take) -> bool:
        return take.no_speech > NO_SPEECH and take.logprob < self._settings.min_logprob

    def _sign(self, clip: Samples, take: _Take) -> str | None:
        return sign(self._text(take), len(clip) / RATE, take.prompt)

    def _echoes(self, take: _Take) -> bool:
        return take.prompt is not None and echoes(normalize(self._text(take)).text, take.prompt)

    def _text(self, take: _Take) -> str:
        return str(self._tokenizer.decode(take.tokens))

    def _judge(self, clip: Samples, take: _Take, words: list[Word]) -> Heard:
        text = "".join(word.text for word in words)
        if not text or not audible(clip) or self._silent(take) or is_invention(text):
            return Heard(text="", no_speech=take.no_speech)
        doubt = sign(text, len(clip) / RATE, take.prompt)
        confidence = min(exp(take.logprob), DOUBTED if doubt else 1.0)
        others = () if doubt else self._alternatives(text, take)
        return Heard(text=text, words=tuple(words), confidence=confidence, no_speech=take.no_speech, doubt=doubt, alternatives=others)

    def _alternatives(self, text: str, take: _Take) -> tuple[str, ...]:
        """What the other beams say, each that differs from `text` and from those before it in more than punctuation."""
        told, known = [], {"", normalize(text).text}
        for tokens in take.others:
            other = simplify(self._tokenizer.decode(tokens)).strip()
            if (plain := normalize(other).text) not in known:
                known.add(plain)
                told.append(other)
        return tuple(told)

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
        return tidy(words)


def _whole_seconds(clip: float, pad: float) -> int:
    """How long a clip's window is: the clip and what is to be behind it, to the nearest second. Windows of few lengths leave holes in the heap that the
    next one fits into; of any length, two hearing threads held half as much again after two minutes, and more with each minute."""
    return max(ceil(clip + LEAST_PAD), round(clip + pad))


def model_name(folder: Path) -> str:
    """The name of a model's folder; of one in a cache of Hugging Face, where folders are named by version, the name it has there."""
    path = folder.resolve()
    return path.parents[1].name.removeprefix("models--").replace("--", "/") if path.parent.name == "snapshots" else path.name


def _take(result: Any, eot: int, led_by: Prompt | None) -> _Take:
    ids = result.sequences_ids[0]
    logprob = result.scores[0] * len(ids) / (len(ids) + 1) if ids else 0.0  # the score is a mean without the end token
    return _Take(
        tokens=[token for token in ids if token < eot],
        prompt=led_by,
        logprob=logprob,
        no_speech=result.no_speech_prob,
        others=[[token for token in other if token < eot] for other in result.sequences_ids[1:]],
    )


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
