"""fuse: one verdict from all methods, by two small tables of weights that anyone can read (models/fuse.json).

In: a Look, which is everything the methods saw in one turn. Out: per window the probability that it violates anything, per phrase its share of
that. The one decision: "is it a violation" and "of which phrase" are asked apart, since tone answers the first and meaning the second.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from phrasecheck.lexicon import Lexicon
from phrasecheck.matching.qualifiers import Qualifier, qualify
from phrasecheck.matching.reading import Floats, Reading
from phrasecheck.matching.semantic import SHARPNESS, Neighbours, log_softmax
from phrasecheck.normalize import normalize, without_fillers
from phrasecheck.resources import resource
from phrasecheck.settings import MatchSettings
from phrasecheck.types import HitState, Match, Method, Role, Speaker

# Name -> what it says to a reader of the weights. The weights of the first group are never below zero, those of the qualifiers never above.
RAISING: Mapping[str, str] = {
    "tone": "字面编码器：这一段的语气像违规（logit）",
    "tone_sound": "拼音编码器：这一段的语气像违规（logit）",
    "tone_whole": "整句话的语气像违规（logit，两个编码器平均）",
    "agreement": "两个编码器都认为是同一条禁语（log 概率之和，最高的一条）",
    "margin": "最近的违规例句比最近的合规例句近多少（余弦差 × 10）",
    "length": "这一段有多长，越长越说得准（log 字数）",
    "exact": "这一段里有禁语原话",
    "said": "整句话就是禁语原话，别无其他",
    "fuzzy": "与某条禁语字面相近（超过 0.6 的部分 × 10）",
    "phonetic": "与某条禁语读音相近（超过 0.68 的部分 × 10）",
}
LOWERING: Mapping[str, str] = {"quotation": "引用或转述", "denial": "否认", "courtesy": "同句有致歉、说明或帮忙"}
FEATURES = (*RAISING, *LOWERING)

PHRASE_FEATURES: Mapping[str, str] = {
    "meaning": "字面编码器认为是这一条（log 概率）",
    "meaning_sound": "拼音编码器认为是这一条（log 概率）",
    "exemplar": "与这一条的例句最近（log 概率）",
    "exact": "有这一条的原话",
    "fuzzy": "与这一条字面相近",
    "phonetic": "与这一条读音相近",
    "own_section": "属于本岗位的章节",
}
_COLUMN = {name: i for i, name in enumerate(FEATURES)}
_PHRASE_COLUMN = {name: i for i, name in enumerate(PHRASE_FEATURES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """`window` and `bias` make a window's logit from FEATURES, `phrase` a phrase's from PHRASE_FEATURES. A turn's violation is its likeliest
    window's probability, calibrated on held-back exemplars (docs/encoder.md). Without an encoder nothing of this serves: matching/own.py."""

    window: Mapping[str, float]
    bias: float
    phrase: Mapping[str, float]
    own_similarity: float = 0.2  # matching/own.py

    def logits(self, features: Floats) -> Floats:
        """Window logits (windows,) from a feature table (windows, FEATURES)."""
        weights = np.array([self.window.get(name, 0.0) for name in FEATURES], dtype=np.float32)
        result: Floats = features @ weights + np.float32(self.bias)
        return result


def load_weights(path: Path | None = None) -> Weights:
    """The weights of `path` (default: the shipped ones)."""
    raw = json.loads((path or resource("models/fuse.json")).read_text(encoding="utf-8"))
    return Weights(**{name: raw[name] for name in ("window", "bias", "phrase", "own_similarity")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything the methods saw in one turn. `characters` and `sound` are the encoders' readings over the same windows (None: switched off)."""

    text: str
    windows: tuple[tuple[int, int], ...]
    characters: Reading | None
    sound: Reading | None
    similarities: Floats | None  # (windows, exemplars)
    matches: tuple[Match, ...]
    qualifiers: tuple[Qualifier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """A lexicon's phrases by number, laid out once, so that a line costs no walk through 10,000 of them. Per phrase: `known` is its column in the
    encoders' meaning, -1 where no encoder speaks for it (`own` numbers those, `learnt` the others); `own_section` says by role whether it is of that
    role alone, `of_role` whether it is of that role at all."""

    ids: tuple[str, ...]
    number: Mapping[str, int]
    known: npt.NDArray[np.intp]
    own: npt.NDArray[np.intp]
    learnt: npt.NDArray[np.intp]
    own_section: Mapping[Role, Floats]
    of_role: Mapping[Role, Floats]


def columns(lexicon: Lexicon, known: Sequence[str]) -> Columns:
    """The columns of `lexicon` for encoders that speak for the phrases `known`."""
    phrases = list(lexicon.phrases.values())
    at = {phrase_id: i for i, phrase_id in enumerate(known)}
    of_encoder = np.array([at.get(phrase.id, -1) for phrase in phrases], dtype=np.intp)
    return Columns(
        ids=tuple(lexicon.phrases),
        number={phrase.id: i for i, phrase in enumerate(phrases)},
        known=of_encoder,
        own=np.flatnonzero(of_encoder < 0),
        learnt=np.flatnonzero(of_encoder >= 0),
        own_section={role: np.array([phrase.roles == (role,) for phrase in phrases], dtype=np.float32) for role in Role},
        of_role={role: np.array([role in phrase.roles for phrase in phrases], dtype=np.float32) for role in Role},
    )


def window_features(look: Look, neighbours: Neighbours | None) -> Floats:
    """(windows, FEATURES)."""
    table = np.zeros((len(look.windows), len(FEATURES)), dtype=np.float32)
    table[:, _COLUMN["length"]] = lengths(look.windows)
    if look.characters is not None:
        sound = look.sound or look.characters
        table[:, _COLUMN["tone"]] = look.characters.tone
        table[:, _COLUMN["tone_sound"]] = sound.tone
        table[:, _COLUMN["tone_whole"]] = (look.characters.tone[0] + sound.tone[0]) / 2
        table[:, _COLUMN["agreement"]] = (log_softmax(look.characters.meaning) + log_softmax(sound.meaning)).max(1)
        if neighbours is not None and look.similarities is not None:
            table[:, _COLUMN["margin"]] = neighbours.margin(look.similarities) * 10
    for match in look.matches:
        at, strong = _COLUMN[match.method.value], strength(match)
        said = match.method is Method.EXACT and _is_all(match, look.text)
        for row, window in enumerate(look.windows):
            if inside(match, window):
                table[row, at] = max(table[row, at], strong)
                table[row, _COLUMN["said"]] = max(table[row, _COLUMN["said"]], said)
    for row, window in enumerate(look.windows):
        for qualifier in qualify(look.text, *window, look.qualifiers):
            table[row, _COLUMN[qualifier.name]] = 1.0
    return table


def lengths(windows: Sequence[tuple[int, int]]) -> Floats:
    """(windows,): log characters."""
    result: Floats = np.log([end - start for start, end in windows]).astype(np.float32)
    return result


def role_logits(look: Look, role: Role | None, phrases: Columns, weights: Weights) -> Floats:
    """(windows,): what the speaker's role adds to a window's logit, never above zero. Words that mean a phrase of other people's work are as much
    less likely to violate as such a phrase is less likely to be the right one (weights.phrase["own_section"])."""
    if look.characters is None or role is None:
        return np.zeros(len(look.windows), dtype=np.float32)
    sound = look.sound or look.characters
    meant = weights.phrase["meaning"] * log_softmax(look.characters.meaning) + weights.phrase["meaning_sound"] * log_softmax(sound.meaning)
    own = np.exp(log_softmax(meant[:, phrases.known[phrases.learnt]])) @ phrases.of_role[role][phrases.learnt]
    result: Floats = np.log(own + np.exp(-weights.phrase["own_section"]) * (1 - own))
    return result


def strength(match: Match) -> float:
    """A match's score above what chance gives its method, on a scale of about 0 to 4."""
    if match.method is Method.EXACT:
        return 1.0
    return max(0.0, match.score - (0.6 if match.method is Method.FUZZY else 0.68)) * 10


def _is_all(match: Match, text: str, share: float = 0.85) -> bool:
    """Whether a match is nearly the whole turn."""
    letters = (len(without_fillers(normalize(part)).text) for part in (text[match.start : match.end], text))
    return next(letters) >= share * next(letters)


def inside(match: Match, window: tuple[int, int], share: float = 0.75) -> bool:
    """Whether most of a match lies in a window."""
    overlap = min(match.end, window[1]) - max(match.start, window[0])
    return overlap >= share * (match.end - match.start)


def phrase_features(look: Look, row: int, role: Role | None, phrases: Columns, neighbours: Neighbours | None) -> Floats:
    """(phrases of the lexicon, PHRASE_FEATURES) for the window `row`. A phrase that no encoder knows is known by its exemplars alone."""
    table = np.zeros((len(phrases.ids), len(PHRASE_FEATURES)), dtype=np.float32)
    if neighbours is not None and look.similarities is not None:
        by_exemplar = log_softmax(SHARPNESS * neighbours.violating(look.similarities[row : row + 1]))[0]
        table[:, _PHRASE_COLUMN["exemplar"]] = by_exemplar
        for name, reading in (("meaning", look.characters), ("meaning_sound", look.sound or look.characters)):
            if reading is not None:
                head = log_softmax(reading.meaning[row][None])[0]
                table[:, _PHRASE_COLUMN[name]] = np.where(phrases.known >= 0, head[phrases.known], by_exemplar)
    for match in look.matches:
        if inside(match, look.windows[row]):
            at = (phrases.number[match.phrase_id], _PHRASE_COLUMN[match.method.value])
            table[at] = max(table[at], strength(match))
    if role is not None:
        table[:, _PHRASE_COLUMN["own_section"]] = phrases.own_section[role]
    return table


def phrase_shares(features: Floats, weights: Weights) -> Floats:
    """Probabilities over the lexicon's phrases, (phrases,), given that the window violates one of them."""
    logits: Floats = features @ np.array([weights.phrase.get(name, 0.0) for name in PHRASE_FEATURES], dtype=np.float32)
    shares: Floats = np.exp(log_softmax(logits[None])[0]).astype(np.float32)
    return shares


def sigmoid(logits: Floats) -> Floats:
    """Logits to probabilities."""
    result: Floats = (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
    return result


def state(score: float, speaker: Speaker, confidence: float, settings: MatchSettings) -> HitState:
    """Whether a score counts by itself: only where it is clear who spoke and what."""
    sure = score >= settings.threshold and confidence >= settings.min_confidence and speaker is Speaker.AGENT
    return HitState.HIT if sure else HitState.DOUBTFUL
