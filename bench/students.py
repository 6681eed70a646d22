"""Small encoders, trained for comparison only. usage: python -m bench.students EVAL {unseen,ingredients} [--layers N] [--passes N] [--threads N]

unseen: three groups of three sections; each is judged by an encoder that saw no line of its group, violating or near, and knows its phrases by the lexicon's
text and three examples each. Stricter than leaving out one section at a time, at a third of the time.
ingredients: the same recipe with one ingredient taken away at a time. The shipped encoders are larger and learn longer; differences count here, not heights.
"""

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bench.data import Row, agents, percent, rows, table, turns
from bench.text import garbled, lines
from phrasecheck.engines.encoder import OnnxEncoder, SyllableReader
from phrasecheck.lexicon import Exemplar, Lexicon, Phrase, load_exemplars, load_lexicon
from phrasecheck.matching.matcher import Matcher, Parts
from phrasecheck.matching.qualifiers import load_qualifiers
from phrasecheck.matching.semantic import embed, with_own_lines
from phrasecheck.settings import MatchSettings, load_settings
from phrasecheck.training.data import Augment
from phrasecheck.training.evaluate import auc, caught_at, is_flagged
from phrasecheck.training.export import export
from phrasecheck.training.fitting import fitted
from phrasecheck.training.make import CHARACTERS, SYLLABLES, Recipe, start
from phrasecheck.training.split import held_back
from phrasecheck.training.train import Plan, train

GROUPS = (("9.1", "9.4", "9.7"), ("9.2", "9.5", "9.8"), ("9.3", "9.6", "9.9"))
EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """What one encoder learns and how."""

    lines: Sequence[Exemplar]
    reads: tuple[str, ...] = (CHARACTERS,)
    plan: Plan = field(default_factory=Plan)
    heads_only: bool = False


def teach(student: Student, lexicon: Lexicon, known: Lexicon, layers: int) -> Matcher:
    """A matcher over `lexicon` by encoders that learnt the phrases of `known` alone."""
    encoders = tuple(_encoder(student, list(known.phrases), reads, layers) for reads in student.reads)
    vectors = embed(encoders[0], student.lines)
    weights, _ = fitted(encoders, student.lines, vectors, known)
    near = with_own_lines(lexicon, encoders[0], student.lines, vectors)
    return Matcher(
        Parts(lexicon=lexicon, encoders=encoders, neighbours=near, qualifiers=load_qualifiers(), weights=weights), MatchSettings()
    )


def _encoder(student: Student, phrases: list[str], reads: str, layers: int) -> OnnxEncoder:
    work = load_settings().cache_dir.expanduser() / "training"
    work.mkdir(parents=True, exist_ok=True)
    encoder, tokenizer = start(Recipe(reads=reads, layers=layers), phrases, work)
    if student.heads_only:
        encoder.body.requires_grad_(False)
    reader = tokenizer if reads == CHARACTERS else SyllableReader(tokenizer)
    chosen = [line for line in student.lines if not held_back(line)]
    train(encoder, chosen, phrases, reader, student.plan, lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        export(encoder, tokenizer, Path(folder) / "encoder", phrases, reads, "")
        return OnnxEncoder(Path(folder) / "encoder")


def unseen(folder: Path, layers: int, passes: float) -> str:
    """Per group: violations of its sections caught, near-misses flagged, by the operating point fitted without them."""
    lexicon, exemplars = load_lexicon(), load_exemplars()
    dev = agents(rows(folder / "dev.jsonl"))
    body = []
    for group in GROUPS:
        strange = {p.id for p in lexicon.phrases.values() if p.section in group}
        known = replace(lexicon, phrases={i: p for i, p in lexicon.phrases.items() if i not in strange})
        told = replace(lexicon, phrases={i: _told(p, exemplars) if i in strange else p for i, p in lexicon.phrases.items()})
        student = Student(lines=[line for line in exemplars if not strange & {line.phrase, *line.also}], plan=Plan(passes=passes))
        matcher = teach(student, told, known, layers)
        theirs = [r for r in dev if not r["labels"] or strange & set(r["labels"])]
        body.append(_unseen_row(", ".join(group), theirs, matcher))
        print("| " + " | ".join(body[-1]) + " |", flush=True)
    return table(
        ["sections left out", "violations", "caught at the operating point", "near-misses flagged", "caught at 2 % flagged", "AUC"], body
    )


def _told(phrase: Phrase, exemplars: Sequence[Exemplar]) -> Phrase:
    """The phrase with three examples: whole lines that violate it, drawn by a seed of its own."""
    whole = [
        line.text for line in exemplars if line.phrase == phrase.id and line.spans == ((0, len(line.text)),) and line.kind != "verbatim"
    ]
    return replace(phrase, examples=tuple(random.Random(phrase.id).sample(whole, min(EXAMPLES, len(whole)))))


def _unseen_row(name: str, data: Sequence[Row], matcher: Matcher) -> list[str]:
    verdicts = matcher.verdicts(lines(data))
    bad = np.array([bool(r["labels"]) for r in data])
    marked = np.array([is_flagged(v) for v in verdicts])
    scores = np.array([v.violation for v in verdicts])
    caught, flagged = (
        f"{marked[bad].sum()} ({percent(marked[bad].mean())})",
        f"{marked[~bad].sum()} of {(~bad).sum()} ({percent(marked[~bad].mean())})",
    )
    return [name, str(bad.sum()), caught, flagged, percent(caught_at(scores, bad, 0.02)), f"{auc(scores, bad):.4f}"]


def ingredients(folder: Path, layers: int, passes: float) -> str:
    """One row an ingredient taken away."""
    lexicon, exemplars = load_lexicon(), load_exemplars()
    plan = Plan(passes=passes)
    every = Student(lines=exemplars, plan=plan)
    quiet = Augment(garbled=0.0, no_pauses=0.0)
    near = ("polite", "procedural", "quote")
    students: dict[str, Callable[[], Student]] = {
        "characters, everything": lambda: every,
        "heads only (body frozen)": lambda: replace(every, heads_only=True),
        "half of the exemplars": lambda: replace(every, lines=exemplars[::2], plan=replace(plan, passes=2 * passes)),
        "without near-misses": lambda: replace(every, lines=[e for e in exemplars if e.kind not in near]),
        "without ordinary talk": lambda: replace(every, lines=[e for e in exemplars if e.kind != "ordinary"]),
        "without noise": lambda: replace(every, plan=replace(plan, augment=quiet)),
        "without contrast": lambda: replace(every, plan=replace(plan, contrast_weight=0.0)),
        "syllables, everything": lambda: replace(every, reads=(SYLLABLES,)),
        "both together": lambda: replace(every, reads=(CHARACTERS, SYLLABLES)),
    }
    dev = agents(rows(folder / "dev.jsonl"))
    sets = {"dev": dev, "garbled": garbled(dev), "calls": turns(folder / "calls-dev.jsonl")}
    natural = lines(rows(folder / "natural-crosswoz.jsonl")[:2000])
    body = []
    for name, student in students.items():
        matcher = teach(student(), lexicon, lexicon, layers)
        cells = [cell for data in sets.values() for cell in _cells(data, matcher)]
        flagged = sum(map(is_flagged, matcher.verdicts(natural)))
        body.append([name, *cells, f"{1000 * flagged / len(natural):.1f}"])
        print("| " + " | ".join(body[-1]) + " |", flush=True)
    head = [f"{name}: {what}" for name in sets for what in ("AUC", "caught at 1 % flagged")]
    return table(["student", *head, "ordinary talk flagged in 1,000"], body)


def _cells(data: Sequence[Row], matcher: Matcher) -> list[str]:
    scores = np.array([v.violation for v in matcher.verdicts(lines(data))])
    bad = np.array([bool(r["labels"]) for r in data])
    return [f"{auc(scores, bad):.4f}", percent(caught_at(scores, bad, 0.01))]


def main() -> None:
    """Print one of the tables, row by row as it comes, and whole at the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("eval", type=Path)
    parser.add_argument("what", choices=["unseen", "ingredients"])
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--passes", type=float, default=1.5)
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    if args.threads:
        import torch

        torch.set_num_threads(args.threads)
    measure = unseen if args.what == "unseen" else ingredients
    print(f"\n{args.layers} layers, {args.passes:g} passes\n\n{measure(args.eval, args.layers, args.passes)}")


if __name__ == "__main__":
    main()
