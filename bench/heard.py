"""How our own lines are judged when they come through a telephone: python -m bench.heard FILE [--speak N].

`--speak N` makes FILE first: N held-back exemplars, a third of them violations, spoken by the demo's voices over the demo's line (15 to 30 dB, as
`pip install -e '.[voice]'` and examples/make_demo_call.py do it), each with the recogniser's texts, best first; several such runs add up in one FILE. Out: a
table of ways to put the texts together. None of the measuring calls is needed, so that a way can be chosen by it. Nearest exemplars are those that are not
held back: no line finds itself. `scaled`: the logit times a slope plus an intercept, fitted on the other half of the lines; the score that means 50 %.
"""

import argparse
import json
import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from bench.calls import error_rate
from bench.data import Row, rows, table
from phrasecheck.build import build_matcher
from phrasecheck.lexicon import Exemplar, load_exemplars
from phrasecheck.matching.matcher import Line, Matcher
from phrasecheck.settings import load_settings
from phrasecheck.training.evaluate import auc
from phrasecheck.training.split import held_back

Doubles = npt.NDArray[np.float64]
VOICES = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
SNR_DB = (15.0, 20.0, 25.0, 25.0, 30.0)
SPEED = (1.1, 1.25)
AROUND = 2000  # samples of line noise before and after the words (8 kHz)
AT_ONCE = 8
LENGTHS = range(4, 61)  # characters
AT = (0.4, 0.5, 0.6)
WAYS: dict[str, Callable[[Doubles], float]] = {
    "settled text alone": lambda logits: float(logits[0]),
    "likeliest of all": lambda logits: float(logits.max()),
    "mean probability of all": lambda logits: float(_logit(_sigmoid(logits).mean())),
    "mean logit of all": lambda logits: float(logits.mean()),
}


def chosen(count: int, said: set[str]) -> list[Exemplar]:
    """So many held-back exemplars that are not among `said`, one violation to two harmless ones."""
    lines = [line for line in load_exemplars() if held_back(line) and len(line.text) in LENGTHS and line.text not in said]
    random.Random(22).shuffle(lines)
    bad, fine = ([line for line in lines if line.violates is side] for side in (True, False))
    return [*bad[: count // 3], *fine[: count - count // 3]]


def speak(lines: Sequence[Exemplar]) -> Iterator[Row]:
    """Each line as the recogniser hears it."""
    from scipy.signal import resample_poly

    from examples.make_demo_call import LINE_RATE, VOICE_RATE, load_voice, telephone, to_line
    from phrasecheck.engines.hearing import RATE
    from phrasecheck.engines.registry import load_recogniser

    say, recogniser = load_voice(), load_recogniser(load_settings())

    def clip(line: Exemplar) -> npt.NDArray[np.float32]:
        chance = random.Random(zlib.crc32(line.text.encode()))
        words = to_line(say(line.text, chance.choice(VOICES), chance.uniform(*SPEED)), VOICE_RATE)
        sides = np.stack([np.pad(words, AROUND), np.zeros(len(words) + 2 * AROUND, np.float32)])
        heard = telephone(sides, chance.choice(SNR_DB), np.random.default_rng(chance.getrandbits(32)))[0]
        return np.asarray(resample_poly(heard / 2**15, RATE // LINE_RATE, 1), np.float32)

    for at in range(0, len(lines), AT_ONCE):
        some = lines[at : at + AT_ONCE]
        for line, heard in zip(some, recogniser.recognise([clip(line) for line in some]), strict=True):
            yield {"text": line.text, "heard": [heard.text, *heard.alternatives], "confidence": heard.confidence}


def without_held() -> Matcher:
    """The shipped matcher, its neighbours without the held-back exemplars."""
    shipped = build_matcher(load_settings())
    near = shipped.parts.neighbours
    assert near is not None
    kept = np.flatnonzero([not held_back(line) for line in near.lines])
    return Matcher(replace(shipped.parts, neighbours=near.only(kept)), shipped.settings)


def logits_of(heard: Sequence[Row], matcher: Matcher) -> list[Doubles]:
    """Of each line the logits of its hearings, best first."""
    lines = [Line(id=str(i), text=text) for i, row in enumerate(heard) for text in row["heard"]]
    found: list[list[float]] = [[] for _ in heard]
    for line, verdict in zip(lines, matcher.verdicts(lines), strict=True):
        found[int(line.id)].append(verdict.violation)
    return [_logit(np.array(one, np.float64)) for one in found]


def scaled(logits: Doubles, bad: npt.NDArray[np.bool_]) -> tuple[Doubles, list[float]]:
    """Logits of each half by slope and intercept of the other half, and the scores that come to 50 %."""
    result, even = logits.copy(), []
    for half in (0, 1):
        here = np.arange(len(logits)) % 2 == half
        slope, intercept = minimize(_loss, [1.0, 0.0], args=(logits[~here], bad[~here]), method="Nelder-Mead").x
        result[here] = slope * logits[here] + intercept
        even.append(float(_sigmoid(np.array(-intercept / slope))))
    return result, even


def _loss(line: Sequence[float], logits: Doubles, bad: npt.NDArray[np.bool_]) -> float:
    stated = line[0] * logits + line[1]
    return float(np.mean(np.logaddexp(0, stated) - bad * stated))


def _row(name: str, logits: Doubles, bad: npt.NDArray[np.bool_]) -> list[str]:
    at = [f"{(logits[bad] >= _logit(t)).sum()}, {(logits[~bad] >= _logit(t)).sum()}" for t in AT]
    better, even = scaled(logits, bad)
    level = f"{(better[bad] >= 0).sum()}, {(better[~bad] >= 0).sum()}"
    scores = " and ".join(f"{score:.2f}" for score in even)
    return [name, f"{auc(logits, bad):.4f}", f"{_loss((1, 0), logits, bad):.3f}", *at, f"{_loss((1, 0), better, bad):.3f}", level, scores]


def _sigmoid(logits: Doubles) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _logit(probability: float | Doubles) -> Doubles:
    inside = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def main() -> None:
    """Speak and hear where asked, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--speak", type=int, default=0, help="so many lines more")
    asked = parser.parse_args()
    if asked.speak:
        said = {row["text"] for row in rows(asked.file)} if asked.file.exists() else set()
        with asked.file.open("a", encoding="utf-8") as file:
            for row in speak(chosen(asked.speak, said)):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
    heard = rows(asked.file)
    violating = {line.text for line in load_exemplars() if line.violates}
    bad = np.array([row["text"] in violating for row in heard])
    logits = logits_of(heard, without_held())
    rate = error_rate([(row["text"], row["heard"][0]) for row in heard])
    print(f"{len(heard)} held-back exemplars, {int(bad.sum())} violations, character error rate {rate:.1%}\n")
    head = ["way", "AUC", "log-loss", *(f"caught, flagged at {t}" for t in AT), "scaled: log-loss", "caught, flagged", "at score"]
    print(table(head, [_row(name, np.array([way(one) for one in logits]), bad) for name, way in WAYS.items()]))


if __name__ == "__main__":
    main()
