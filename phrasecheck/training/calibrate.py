"""Fitting fuse's two tables on held-back exemplars, which no encoder was trained on.

In: a Matcher with any weights, and held-back lines. Out: Weights whose probabilities are calibrated on those lines. Signs are bound: methods may
only raise, qualifiers only lower (scipy's L-BFGS-B with bounds).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from phrasecheck.lexicon import Exemplar
from phrasecheck.matching.fuse import FEATURES, LOWERING, PHRASE_FEATURES, Look, Weights, phrase_features, window_features
from phrasecheck.matching.matcher import Matcher
from phrasecheck.matching.own import own_lead
from phrasecheck.matching.reading import Floats
from phrasecheck.matching.semantic import NO_PHRASE

ROUNDS = 5
RIDGE = 1e-3


# Staff mostly offend in the words of their own trade: that a phrase is of the speaker's section makes it e times as likely. Stated, not fitted: the
# exemplars do not say in which role they were spoken.
OWN_SECTION = 1.0
# A phrase's own words are that phrase's, whatever the talk around them means. Stated too: among exemplars they nearly always come with a likeness in
# sound, which takes the weight from them.
OWN_WORDS = 8.0
# And a turn that is nothing but a phrase's own words breaks the norm, however mild it sounds by itself. There is no harmless exemplar of that kind to
# learn it from, and hardly one of the other.
SAID = 6.0
OWN_EXAMPLES = 4  # what a company gives of its phrase
OWN_FALSE_ALARMS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A held-back line and what the methods saw in it."""

    line: Exemplar
    look: Look


def fit(matcher: Matcher, lines: Sequence[Exemplar], weight_of_harmless: float = 1.0) -> Weights:
    """Weights fitted on `lines`. `weight_of_harmless` says how many real harmless turns one harmless line stands for."""
    looks = matcher.look([line.text for line in lines])
    held = [Held(line=line, look=look) for line, look in zip(lines, looks, strict=True) if look.windows]
    tables = [window_features(h.look, matcher.parts.neighbours) for h in held]
    labels = np.array([h.line.violates for h in held], dtype=np.float64)
    importance = np.where(labels == 1, 1.0, weight_of_harmless)
    window, bias = _fit_window(tables, labels, importance)
    likeliest = [int(np.argmax(table @ np.array([window[name] for name in FEATURES]))) for table in tables]
    phrase = _fit_phrase(matcher, held, likeliest)
    return Weights(window=window, bias=bias, phrase=phrase, own_similarity=_fit_own(matcher, held))


def _fit_own(matcher: Matcher, held: Sequence[Held]) -> float:
    """The lead over harmless lines that one harmless line in 200 reaches, were every phrase a company's own with a few examples."""
    neighbours = matcher.parts.neighbours
    assert neighbours is not None
    some = np.concatenate([np.flatnonzero(neighbours.phrase == p)[:OWN_EXAMPLES] for p in range(len(neighbours.ids))])
    kept = np.flatnonzero(np.isin(np.arange(len(neighbours.phrase)), some) | (neighbours.phrase == NO_PHRASE))
    few, every = neighbours.only(kept), np.arange(len(neighbours.ids))
    leads = [
        float(own_lead(h.look.similarities[:, kept], every, few).max())
        for h in held
        if not h.line.violates and h.look.similarities is not None
    ]
    return round(float(np.quantile(leads, 1 - OWN_FALSE_ALARMS)), 4)


def _fit_window(
    tables: Sequence[Floats], labels: npt.NDArray[np.float64], importance: npt.NDArray[np.float64]
) -> tuple[dict[str, float], float]:
    """Logistic regression on each line's likeliest window; the window is chosen anew each round by the weights of the last."""
    bounds = [(None, 0.0) if name in LOWERING else (SAID if name == "said" else 0.0, None) for name in FEATURES] + [(None, None)]
    theta = np.array([0.0 if name in LOWERING else SAID if name == "said" else 0.3 for name in FEATURES] + [0.0])
    for _ in range(ROUNDS):
        rows = np.array([table[np.argmax(table @ theta[:-1])] for table in tables], dtype=np.float64)
        theta = minimize(_loss, theta, args=(rows, labels, importance), jac=True, method="L-BFGS-B", bounds=bounds).x
    return {name: round(float(value), 4) for name, value in zip(FEATURES, theta[:-1], strict=True)}, round(float(theta[-1]), 4)


def _loss(
    theta: npt.NDArray[np.float64], rows: npt.NDArray[np.float64], labels: npt.NDArray[np.float64], importance: npt.NDArray[np.float64]
) -> tuple[float, npt.NDArray[np.float64]]:
    logits = rows @ theta[:-1] + theta[-1]
    loss = np.sum(importance * (np.logaddexp(0, logits) - labels * logits)) / importance.sum() + RIDGE * np.sum(theta[:-1] ** 2)
    wrong = importance * (1 / (1 + np.exp(-logits)) - labels) / importance.sum()
    return float(loss), np.append(rows.T @ wrong + 2 * RIDGE * theta[:-1], wrong.sum())


def _fit_phrase(matcher: Matcher, held: Sequence[Held], likeliest: Sequence[int]) -> dict[str, float]:
    """A conditional logit over the lexicon's phrases; the line's phrase counts most, the others that would do share the rest."""
    ids = list(matcher.parts.lexicon.phrases)
    tables, targets = [], []
    for h, row in zip(held, likeliest, strict=True):
        if not h.line.violates or h.line.phrase not in ids:
            continue
        tables.append(phrase_features(h.look, row, None, matcher.columns, matcher.parts.neighbours))
        target = np.zeros(len(ids))
        target[ids.index(h.line.phrase)] = 1.0
        for also in h.line.also:
            if also in ids:
                target[ids.index(also)] = 0.3
        targets.append(target / target.sum())
    cube, goal = np.stack(tables).astype(np.float64), np.stack(targets)
    least = np.array([OWN_WORDS if name == "exact" else 0.0 for name in PHRASE_FEATURES])
    bounds = [(low, None) for low in least]
    found = minimize(_phrase_loss, least + 0.3, args=(cube, goal), jac=True, method="L-BFGS-B", bounds=bounds).x
    fitted = {name: round(float(value), 4) for name, value in zip(PHRASE_FEATURES, found, strict=True)}
    return {**fitted, "own_section": OWN_SECTION}


def _phrase_loss(
    theta: npt.NDArray[np.float64], cube: npt.NDArray[np.float64], goal: npt.NDArray[np.float64]
) -> tuple[float, npt.NDArray[np.float64]]:
    logits = cube @ theta
    logits -= logits.max(1, keepdims=True)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    loss = -np.sum(goal * np.log(np.maximum(shares, 1e-12))) / len(goal) + RIDGE * np.sum(theta**2)
    return float(loss), np.einsum("np,npf->f", shares - goal, cube) / len(goal) + 2 * RIDGE * theta
