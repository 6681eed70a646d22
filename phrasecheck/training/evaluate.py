"""How well a labelled file is judged: caught, flagged, right phrase, AUC, calibration; by kind, section and role, with bootstrap intervals.

In: rows as shared files have them ({"text","speaker","role","labels","also_ok","kind"}) and a Verdict each. Out: a Report of plain values,
and its text. No torch here: `phrasecheck eval` runs wherever `match` does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from phrasecheck.types import HitState, Verdict

Flags = npt.NDArray[np.bool_]
RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`hits` of `of`, with a 95 % bootstrap interval of the share."""

    name: str
    hits: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share, 0..1; 0 of nothing is 0."""
        return self.hits / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one file. `caught` and `flagged` are by kind, then section, then role; `auc` is of `violation` over the agent's lines."""

    caught: tuple[Share, ...]
    flagged: tuple[Share, ...]
    right_phrase: Share
    auc: float
    calibration_error: float
    at_false_alarms: Mapping[float, float]
    mistakes: tuple[tuple[str, str], ...]


def evaluate(rows: Sequence[Mapping[str, Any]], verdicts: Sequence[Verdict], seed: int = 0) -> Report:
    """The report of `rows` judged as `verdicts`."""
    rng = np.random.default_rng(seed)
    bad = np.array([bool(row["labels"]) for row in rows])
    marked = np.array([is_flagged(v) for v in verdicts])
    agent = np.array([row.get("speaker", "agent") == "agent" for row in rows])
    violation = np.array([v.violation for v in verdicts])
    right = [_right(row, v) for row, v in zip(rows, verdicts, strict=True)]
    kinds, sections, roles = (_group(rows, f) for f in (_kind, _section, _role))
    caught = [_share(name, marked[which & bad], rng) for name, which in [("全部", bad), *kinds, *sections, *roles] if (which & bad).any()]
    flagged = [_share(name, marked[which & ~bad], rng) for name, which in [("全部", ~bad), *kinds, *roles] if (which & ~bad).any()]
    return Report(
        caught=tuple(caught),
        flagged=tuple(flagged),
        right_phrase=_share(
            "首位禁语正确（抓到的当中）", np.array([r for r, m, b in zip(right, marked, bad, strict=True) if m and b]), rng
        ),
        auc=auc(violation[agent], bad[agent]),
        calibration_error=calibration_error(violation[agent], bad[agent]),
        at_false_alarms={rate: caught_at(violation[agent], bad[agent], rate) for rate in (0.01, 0.02, 0.05)},
        mistakes=tuple(_mistakes(rows, verdicts, bad, marked, right)),
    )


def is_flagged(verdict: Verdict) -> bool:
    """Whether the line counts as a violation: any of its hits does."""
    return any(hit.state is HitState.HIT for hit in verdict.hits)


def _right(row: Mapping[str, Any], verdict: Verdict) -> bool:
    """Whether the first hit names a phrase that the labels accept."""
    return bool(verdict.hits) and verdict.hits[0].phrase_id in {*row["labels"], *row.get("also_ok", ())}


def _kind(row: Mapping[str, Any]) -> str:
    return str(row.get("kind", ""))


def _section(row: Mapping[str, Any]) -> str:
    return str(row["labels"][0]).rsplit(".", 1)[0] if row["labels"] else ""


def _role(row: Mapping[str, Any]) -> str:
    return str(row.get("role") or "")


def _group(rows: Sequence[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], str]) -> list[tuple[str, Flags]]:
    keys = [key(row) for row in rows]
    return [(name, np.array([k == name for k in keys])) for name in sorted(set(keys)) if name]


def _share(name: str, values: Flags, rng: np.random.Generator) -> Share:
    if not len(values):
        return Share(name=name, hits=0, of=0, low=0.0, high=0.0)
    means = rng.choice(values, (RESAMPLES, len(values))).mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Share(name=name, hits=int(values.sum()), of=len(values), low=float(low), high=float(high))


def auc(scores: npt.NDArray[np.float64], positive: Flags) -> float:
    """Area under the ROC curve: the chance that a violation scores above a harmless line, ties counting half. NaN without both."""
    above, below = scores[positive], np.sort(scores[~positive])
    if not len(above) or not len(below):
        return float("nan")
    wins = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
    return float(wins.sum() / (2 * len(above) * len(below)))


def caught_at(scores: npt.NDArray[np.float64], positive: Flags, rate: float) -> float:
    """Share of violations above the score that at most `rate` of the harmless lines exceed."""
    below = np.sort(scores[~positive])[::-1]
    return float((scores[positive] > below[min(int(len(below) * rate), len(below) - 1)]).mean()) if len(below) else float("nan")


def calibration_error(probabilities: npt.NDArray[np.float64], positive: Flags, bins: int = 10) -> float:
    """Expected calibration error: mean distance of predicted probability and observed share over equal-width bins, by their size."""
    place = np.clip((probabilities * bins).astype(int), 0, bins - 1)
    return float(
        sum(
            abs(probabilities[place == b].mean() - positive[place == b].mean()) * (place == b).mean()
            for b in range(bins)
            if (place == b).any()
        )
    )


def _mistakes(
    rows: Sequence[Mapping[str, Any]], verdicts: Sequence[Verdict], bad: Flags, marked: Flags, right: Sequence[bool]
) -> Iterable[tuple[str, str]]:
    for row, verdict, b, m, r in zip(rows, verdicts, bad, marked, right, strict=True):
        if b and not m:
            yield "漏报", f"{verdict.violation:.2f} {row['labels'][0]} {row['text']}"
        elif m and not b:
            yield "误报", f"{verdict.violation:.2f} {verdict.hits[0].phrase_id} {row['text']}"
        elif b and not r:
            yield "条款", f"{verdict.hits[0].phrase_id}（应为 {row['labels'][0]}）{row['text']}"


def to_text(report: Report, errors: bool = False) -> str:
    """The report in Chinese."""
    out = ["违规抓到："] + [_line(s) for s in report.caught] + ["合规被误报："] + [_line(s) for s in report.flagged]
    out += [_line(report.right_phrase), f"violation 的 AUC {report.auc:.4f}，校准误差（ECE）{report.calibration_error:.3f}"]
    out += [f"误报率 {rate:.0%} 时抓到 {caught:.1%}" for rate, caught in report.at_false_alarms.items()]
    if errors:
        out += [f"{kind}\t{text}" for kind, text in report.mistakes]
    return "\n".join(out)


def _line(share: Share) -> str:
    return f"  {share.name:<16} {share.hits:>5}/{share.of:<5} {share.value:6.1%}  [{share.low:.1%}, {share.high:.1%}]"
