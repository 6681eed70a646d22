"""make bench-text: accuracy on labelled lines and on whole calls as text, beside the baselines. usage: python -m bench.text EVAL [--noise]

Baselines have no threshold of their own; all are compared at the score that 1 % and 5 % of the harmless agent lines exceed. The normaliser is
phrasecheck.normalize.normalize (NFKC, Simplified, no punctuation).
"""

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.baselines import BASELINES
from bench.data import Row, percent, rows, table, turns
from phrasecheck.build import build_matcher
from phrasecheck.lexicon import load_lexicon
from phrasecheck.matching.matcher import Line, Matcher
from phrasecheck.settings import MatchSettings, load_settings
from phrasecheck.training.evaluate import auc, caught_at, evaluate
from phrasecheck.training.noise import drop_pauses, garble
from phrasecheck.types import HitState, Method, Role, Speaker


def lines(data: Sequence[Row]) -> list[Line]:
    """Rows as the matcher takes them."""
    return [Line(id=str(i), text=r["text"], speaker=Speaker(r.get("speaker", "agent")), role=Role(r["role"])) for i, r in enumerate(data)]


def side_by_side(data: Sequence[Row], matchers: dict[str, Matcher]) -> str:
    """One row a method over the same agent lines."""
    agent = [r for r in data if r.get("speaker", "agent") == "agent"]
    bad = np.array([bool(r["labels"]) for r in agent])
    body = []
    lexicon = load_lexicon()
    for name, baseline in BASELINES.items():
        answers = baseline([r["text"] for r in agent], lexicon)
        scores = np.array([a[0] for a in answers])
        right = [a[1] in {*r["labels"], *r["also_ok"]} for a, r in zip(answers, agent, strict=True)]
        body.append([name, *_common(scores, bad), percent(float(np.mean(np.array(right)[bad]))), "", ""])
    for name, matcher in matchers.items():
        verdicts = matcher.verdicts(lines(agent))
        report = evaluate(agent, verdicts)
        scores = np.array([v.violation for v in verdicts])
        first = [bool(v.phrases) and v.phrases[0][0] in {*r["labels"], *r["also_ok"]} for v, r in zip(verdicts, agent, strict=True)]
        body.append(
            [
                name,
                *_common(scores, bad),
                percent(float(np.mean(np.array(first)[bad]))),
                percent(report.caught[0].value),
                percent(report.flagged[0].value),
            ]
        )
    head = ["method", "AUC", "caught at 1 % FA", "at 5 % FA", "right phrase (all violations)", "caught at operating point", "flagged there"]
    return f"{len(agent)} agent lines, {int(bad.sum())} violations\n\n" + table(head, body)


def _common(scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]], bad: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[str]:
    return [f"{auc(scores, bad):.4f}", percent(caught_at(scores, bad, 0.01)), percent(caught_at(scores, bad, 0.05))]


def operating_point(data: Sequence[Row], matcher: Matcher) -> str:
    """Caught and flagged by kind at the shipped thresholds, with 95 % bootstrap intervals."""
    report = evaluate(data, matcher.verdicts(lines(data)))
    body = [["violations", s.name, s.of, percent(s.value), f"{percent(s.low)} to {percent(s.high)}"] for s in report.caught]
    body += [["harmless, flagged", s.name, s.of, percent(s.value), f"{percent(s.low)} to {percent(s.high)}"] for s in report.flagged]
    right = report.right_phrase
    body.append(
        ["right phrase first", "among the caught", right.of, percent(right.value), f"{percent(right.low)} to {percent(right.high)}"]
    )
    body.append(["AUC of violation", "", len(data), f"{report.auc:.4f}", f"ECE {report.calibration_error:.3f}"])
    return table(["", "group", "lines", "share", "95 % interval"], body)


def garbled(data: Sequence[Row], seed: int = 7) -> list[Row]:
    """The lines with 25 % of their characters replaced, half by homophones, and no punctuation."""
    rng = random.Random(seed)
    return [{**r, "text": garble(drop_pauses(r["text"], rng, 1.0)[0], 0.25, rng)[0]} for r in data]


def calls(data: Sequence[Row], matcher: Matcher) -> str:
    """Whole calls turn by turn: labelled violations caught, false alarms."""
    verdicts = matcher.verdicts(lines(data))
    marked = [any(h.state is HitState.HIT for h in v.hits) for v in verdicts]
    bad = [bool(r["labels"]) for r in data]
    caught = sum(m and b for m, b in zip(marked, bad, strict=True))
    false = sum(m and not b for m, b in zip(marked, bad, strict=True))
    where = f"{len(data)} agent turns in {len({r['call'] for r in data})} calls"
    return f"{where}: caught {caught}/{sum(bad)} ({caught / sum(bad):.1%}), false alarms {false}"


def speed(data: Sequence[Row], matcher: Matcher) -> str:
    """Lines a second in one batch, and the time of single lines."""
    batch = lines(data)
    started = time.perf_counter()
    matcher.verdicts(batch)
    per_second = len(batch) / (time.perf_counter() - started)
    singles = []
    for line in batch[:200]:
        started = time.perf_counter()
        matcher.verdicts([line])
        singles.append((time.perf_counter() - started) * 1000)
    single = f"{np.median(singles):.1f} ms median, {np.quantile(singles, 0.95):.1f} ms at the 95th percentile"
    return f"{per_second:.0f} lines a second in a batch; single line {single}"


def without(method: Method) -> MatchSettings:
    """The shipped matching settings less one method."""
    return MatchSettings(methods=tuple(m for m in Method if m is not method))


def main() -> None:
    """Print every table."""
    folder = Path(sys.argv[1])
    dev = rows(folder / "dev.jsonl")
    matcher = build_matcher(load_settings())
    matchers = {"phrasecheck": matcher}
    for method in Method:
        matchers[f"  without {method.value}"] = Matcher(matcher.parts, without(method))
    print("## dev.jsonl beside the baselines\n\n" + side_by_side(dev, matchers))
    print("\n## dev.jsonl at the shipped operating point\n\n" + operating_point(dev, matcher))
    print("\n## dev.jsonl garbled: 25 % of characters wrong, no punctuation\n\n" + operating_point(garbled(dev), matcher))
    print("\n## calls-dev.jsonl as perfect text\n\n" + calls(turns(folder / "calls-dev.jsonl"), matcher))
    natural = rows(folder / "natural-crosswoz.jsonl")
    flagged = sum(any(h.state is HitState.HIT for h in v.hits) for v in matcher.verdicts(lines(natural)))
    print("\n## natural-crosswoz.jsonl (nothing in it is a violation)\n")
    print(f"{flagged} of {len(natural)} lines flagged ({1000 * flagged / len(natural):.2f} in 1,000)")
    print("\n## Speed\n\n" + speed(dev, matcher))


if __name__ == "__main__":
    main()
