"""Two voices in one channel: which stretch of the talk belongs to which.

In: the utterances of a mono recording, its sound, and a speaker encoder. Out: Voices: the same words cut into stretches that one person said, each
with the log-odds of its voice. The one decision: the sound alone splits the talk in two, by one Gaussian a voice along the line between them, with
every stretch measured against the others only; whether the two are far enough apart to be two people is part of the answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from phrasecheck.types import Channel, Samples, Utterance, Word

Floats = npt.NDArray[np.floating]

FRAME_S = 0.01
CALM = 5  # frames over which loudness is averaged: a pause, not the closure of a plosive
LOUD, FLOOR = 90, 5  # percentiles of a clip's loudness: speech, and what is heard between words
QUIET_DB = 4.0, 30.0  # a pause is less than this above the floor, or more than that below speech
PAUSE_S = 0.2  # shorter ones lie within words
ASIDE_S = 0.3  # how far a recogniser's word time may lie from the pause that it means
TURN_S = 0.3  # speakers leave at least this between them, unless they interrupt
ENDS, COMMAS = "。？！?!…", "，、；：,;:"
SWITCH, RARELY = 0.3, 0.1  # chance that another voice goes on after a full stop or such a pause, and after less
HEARD_S = 0.3  # of a shorter stretch the encoder knows nothing
TRUSTED_S = 2.0  # a description grows surer with the length of its stretch up to here
ENOUGH_S = 10.0  # with less speech nothing is said of voices
DIRECTIONS = 12  # that are kept of a description: what a few minutes of talk can be described in
ALIKE = 0.6  # how much all of them are taken to vary alike within a voice
ROUNDS = 20  # of fitting; it settles in about five
STARTS = 3  # directions of greatest spread that fitting is begun with
SURELY, MOST = 20.0, 5.0  # log-odds that the sound of one stretch may bring, in fitting and in the answer
# Standard deviations (of one second) that two people are apart: the first, and the second over the number of stretches. One voice (or noise) that is
# split where it splits best comes to 2 in 100 stretches and to 4 in 20; two voices that are alike come to 4.
APART = 3.3, 25.0


class VoiceEncoder(Protocol):
    """What a voice sounds like."""

    @property
    def name(self) -> str:
        """What the results call it."""
        ...

    def views(self, clips: Iterable[Samples]) -> Sequence[npt.NDArray[np.float32]]:
        """The clips (mono, 16 kHz, one speaker each) described in one or several ways, each (clips, numbers) on a scale of its own."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Part of an utterance between two places where the speaker may change; neighbours share the pause between them. It can be heard from `start` to
    `end`. `switch` is the chance, before anything is known of the voices, that another speaks than in the stretch before."""

    said: Utterance
    whole: str  # id of the utterance that it was cut from
    start: float
    end: float
    switch: float = SWITCH

    @property
    def seconds(self) -> float:
        """How long it can be heard."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """The talk in stretches, and for each the log-odds that it is the second voice's rather than the first's, who begins the call. `apart` says how
    unlike the two are, in standard deviations."""

    stretches: tuple[Stretch, ...]
    odds: tuple[float, ...]
    apart: float

    @property
    def two(self) -> bool:
        """Whether these are the voices of two people."""
        return self.apart >= APART[0] + APART[1] / max(len(self.stretches), 1)

    def turns(self) -> list[tuple[Utterance, float]]:
        """What one voice says in one go within an utterance, with the probability that it is the second voice."""
        second = chances(self.odds, [stretch.switch for stretch in self.stretches])
        groups = groupby(zip(self.stretches, second.tolist(), strict=True), key=lambda pair: (pair[0].whole, pair[1] >= 0.5))
        return [_turn(list(pairs)) for _, pairs in groups]

    def sentences(self) -> list[Utterance]:
        """The utterances cut only where speakers readily change."""
        numbers = accumulate(stretch.switch >= SWITCH for stretch in self.stretches)
        groups = groupby(zip(self.stretches, numbers, strict=True), key=lambda pair: (pair[0].whole, pair[1]))
        return [_joined([stretch for stretch, _ in pairs]) for _, pairs in groups]


def listen(utterances: Sequence[Utterance], channel: Channel, encoder: VoiceEncoder) -> Voices:
    """The voices in `utterances`, which are all of `channel`. With too little to compare `apart` is 0."""
    stretches = [stretch for utterance in utterances for stretch in _cut(utterance, channel.clip(utterance.start, utterance.end))]
    lengths = np.array([stretch.seconds for stretch in stretches])
    heard = np.flatnonzero(lengths >= HEARD_S)
    odds, apart = np.zeros(len(stretches)), 0.0
    if lengths[heard].sum() >= ENOUGH_S:
        weights, switches = np.minimum(lengths[heard], TRUSTED_S), np.array([stretch.switch for stretch in stretches])
        views = encoder.views(channel.clip(stretches[index].start, stretches[index].end) for index in heard)
        points = np.concatenate([_scaled(view, weights, heard, switches) for view in views], axis=1)
        odds[heard], apart = _two(_Talk(points=points, weights=weights, heard=heard, switches=switches))
    return Voices(stretches=tuple(stretches), odds=tuple(odds.tolist()), apart=apart)


def chances(odds: Sequence[float] | Floats, switches: Sequence[float] | Floats) -> Floats:
    """Probability of the second voice in each stretch, given all of them and how readily speakers take turns (forward-backward)."""
    likely = np.stack([1 / (1 + np.exp(np.asarray(odds, float))), 1 / (1 + np.exp(-np.asarray(odds, float)))], axis=1)
    forward, backward = np.empty_like(likely), np.ones_like(likely)
    now = np.full(2, 0.5)
    for index, switch in enumerate(switches):
        now = likely[index] * (now * (1 - switch) + now[::-1] * switch)
        now = forward[index] = now / now.sum()
    for index in range(len(likely) - 2, -1, -1):
        switch, after = switches[index + 1], likely[index + 1] * backward[index + 1]
        after = after * (1 - switch) + after[::-1] * switch
        backward[index] = after / after.sum()
    both = forward * backward
    second: Floats = both[:, 1] / both.sum(axis=1)
    return second


def _turn(parts: Sequence[tuple[Stretch, float]]) -> tuple[Utterance, float]:
    """The stretches as one, and their mean probability; a second counts as a second."""
    joined = _joined([stretch for stretch, _ in parts])
    weights = [stretch.said.end - stretch.said.start + FRAME_S for stretch, _ in parts]
    return joined, float(np.average([chance for _, chance in parts], weights=weights))


def _joined(parts: Sequence[Stretch]) -> Utterance:
    first, last = parts[0].said, parts[-1].said
    if len(parts) == 1:
        return first
    words = tuple(word for part in parts for word in part.said.words)
    return replace(first, end=last.end, text="".join(part.said.text for part in parts), words=words, alternatives=())


# --- where the speaker may change -------------------------------------------------------------------------------------------------


def _cut(utterance: Utterance, sound: Samples) -> list[Stretch]:
    """The utterance in stretches, cut behind punctuation and at pauses."""
    words = utterance.words
    pauses = _placed(_pauses(sound, utterance.start), words)
    inner = [at for at in range(1, len(words)) if at in pauses or words[at - 1].text[-1:] in ENDS + COMMAS]
    quiet = [pauses.get(at, (words[at].start,) * 2) for at in inner]
    first, last = pauses.get(0, (utterance.start,) * 2), pauses.get(len(words), (utterance.end,) * 2)
    borders = list(accumulate([utterance.start, *(sum(pause) / 2 for pause in quiet), utterance.end], max))
    switches = [SWITCH, *(_switch(words[at - 1], pause) for at, pause in zip(inner, quiet, strict=True))]
    return [
        Stretch(
            said=_part(utterance, words[begin:end], *borders[index : index + 2]),
            whole=utterance.id,
            start=before[1],
            end=max(before[1], after[0]),
            switch=switches[index],
        )
        for index, ((begin, before), (end, after)) in enumerate(pairwise([(0, first), *zip(inner, quiet, strict=True), (len(words), last)]))
    ]


def _switch(before: Word, pause: tuple[float, float]) -> float:
    return SWITCH if pause[1] - pause[0] >= TURN_S or before.text[-1:] in ENDS else RARELY


def _part(utterance: Utterance, words: tuple[Word, ...], start: float, end: float) -> Utterance:
    if len(words) == len(utterance.words):
        return replace(utterance, start=start, end=end)
    # what else was heard is of the whole, and another person may have said the rest of it
    return replace(utterance, text="".join(word.text for word in words), words=words, start=start, end=end, alternatives=())


def _pauses(sound: Samples, start: float) -> list[tuple[float, float]]:
    """Where nothing is said for at least PAUSE_S, in seconds of the recording; `sound` begins at `start`."""
    step = round(FRAME_S * 16_000)
    power = np.square(sound[: len(sound) // step * step].reshape(-1, step)).mean(axis=1)
    if len(power) < CALM:
        return []
    loudness = 10 * np.log10(np.convolve(power, np.ones(CALM) / CALM, mode="same") + 1e-10)
    loud, floor = np.percentile(loudness, (LOUD, FLOOR))
    quiet = loudness < max(floor + QUIET_DB[0], loud - QUIET_DB[1])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]])))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start + a * FRAME_S, start + b * FRAME_S) for a, b in runs if (b - a) * FRAME_S >= PAUSE_S]


def _placed(pauses: Sequence[tuple[float, float]], words: Sequence[Word]) -> dict[int, tuple[float, float]]:
    """Each pause at the word that it comes before (len(words): behind the last); one within a word is none."""
    borders = np.array([*(word.start for word in words), words[-1].end]) if words else np.zeros(0)
    placed: dict[int, tuple[float, float]] = {}
    for start, end in pauses:
        off = np.maximum(np.maximum(start - borders, borders - end), 0.0)
        if len(off) and off.min() <= ASIDE_S:
            placed[int(off.argmin())] = start, end
    return placed


# --- whose voice it is ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Talk:
    """What fitting works on: a point for every stretch that could be heard, its weight, its place among all stretches, and their switches."""

    points: Floats
    weights: Floats
    heard: npt.NDArray[np.intp]
    switches: Floats

    def chances(self, odds: Floats) -> Floats:
        """Of the second voice in the stretches that could be heard."""
        everywhere = np.zeros(len(self.switches))
        everywhere[self.heard] = odds
        return chances(everywhere, self.switches)[self.heard]


def _scaled(view: Floats, weights: Floats, heard: npt.NDArray[np.intp], switches: Floats) -> Floats:
    """`view` along its DIRECTIONS of greatest spread, in units of how much one voice varies. That is seen in neighbours between which the speaker
    hardly ever changes; there are not many of them, so all directions are taken to vary somewhat alike."""
    centred = view - np.average(view, axis=0, weights=weights)
    points = centred @ np.linalg.svd(centred * np.sqrt(weights)[:, None], full_matrices=False)[2][:DIRECTIONS].T
    near = np.flatnonzero((np.diff(heard) == 1) & (switches[heard[1:]] < SWITCH))
    pairs = 1 / weights[near] + 1 / weights[near + 1]  # the variance of a difference, for a weight of one
    steps = (points[near + 1] - points[near]) / np.sqrt(pairs)[:, None] if len(near) else points * np.sqrt(weights)[:, None]
    within = steps.T @ steps / len(steps)
    size = within.shape[0]
    within = (1 - ALIKE) * within + ALIKE * np.trace(within) / size * np.eye(size)
    values, vectors = np.linalg.eigh(within)
    scaled: Floats = points @ (vectors / np.sqrt(np.maximum(values, 1e-12)))
    return scaled


def _two(talk: _Talk) -> tuple[Floats, float]:
    """Log-odds of the second voice for the stretches that were heard, and how far apart the two are: the best of several starts."""
    centred = talk.points - np.average(talk.points, axis=0, weights=talk.weights)
    axes = np.linalg.svd(centred * np.sqrt(talk.weights)[:, None], full_matrices=False)[2][:STARTS]
    odds, apart = max((_fit(talk, (centred @ axis > 0).astype(float)) for axis in axes), key=lambda fit: fit[1])
    first = odds[np.argmax(np.abs(odds) > 1)]
    return np.clip(odds if first < 0 else -odds, -MOST, MOST), apart


def _fit(talk: _Talk, second: Floats) -> tuple[Floats, float]:
    odds, apart = _odds(talk, second)
    for _ in range(ROUNDS):
        before, second = second, talk.chances(odds)
        odds, apart = _odds(talk, second)
        if np.abs(second - before).max() < 1e-3:
            break
    return odds, apart


def _odds(talk: _Talk, second: Floats) -> tuple[Floats, float]:
    """Log-odds by the sound of each stretch alone, and the distance of the voices in standard deviations of one second of speech.

    A stretch is measured by how much nearer it lies to the mean of one voice than to that of the other, both without itself: with so many directions
    a mean leans towards everything that is in it. The longer it is, the smaller the spread.
    """
    sides = np.stack([1 - second, second]) * talk.weights
    totals = sides.sum(axis=1)
    if totals.min() < TRUSTED_S:  # one voice, and at most a stretch that is like no other
        return np.zeros(len(second)), 0.0
    means = (sides @ talk.points)[:, None] - sides[:, :, None] * talk.points
    means /= np.maximum(totals[:, None] - sides, 1e-6)[:, :, None]
    far = np.square(talk.points - means).sum(axis=2)
    lean = (far[0] - far[1]) / 2
    middles = sides @ lean / totals
    spread = max(float(np.mean((sides * np.square(lean - middles[:, None])).sum(axis=0))), 1e-9)
    gap = middles[1] - middles[0]
    return np.clip(talk.weights * gap * (lean - middles.mean()) / spread, -SURELY, SURELY), float(gap / np.sqrt(spread))
