"""Looks for near-doubles of measuring lines among the exemplars; they must go. usage: python -m bench.leaks EVAL

A line that only says a phrase (kind verbatim, on both sides) may be alike: the lexicon holds those words by right. Exit status 1 if any is found.
"""

import re
import sys
from pathlib import Path

from rapidfuzz import fuzz, process

from bench.data import rows, turns
from phrasecheck.lexicon import load_exemplars

NEAR = 76


def han(text: str) -> str:
    """The Han characters of a text."""
    return re.sub(r"[^\u4e00-\u9fff]", "", text)


def main() -> None:
    """Print each pair."""
    folder = Path(sys.argv[1])
    measured = [*rows(folder / "dev.jsonl"), *turns(folder / "calls-dev.jsonl")]
    kept = [(han(r["text"]), r) for r in measured if len(han(r["text"])) >= 6]
    keys = [text for text, _ in kept]
    found = 0
    for line in load_exemplars():
        if len(han(line.text)) < 6:
            continue
        for _, score, index in process.extract(han(line.text), keys, scorer=fuzz.ratio, score_cutoff=NEAR, limit=3):
            other = kept[index][1]
            if line.kind == other["kind"] == "verbatim":
                continue
            found += 1
            print(f"{score:.0f}\t{line.kind}\t{line.text}\t{other['id']}\t{other['text']}")
    print(f"{found} near-doubles", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
