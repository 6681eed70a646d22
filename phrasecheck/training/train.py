"""Fine-tuning: from the converted e5-small to an encoder that hears tone and meaning.

In: exemplar lines and a Plan. Out: a trained Encoder. Losses: tone per window, tone of the turn by its worst window, phrase, and
contrast (a violation beside others of its phrase, its own near-misses apart). Seeded and repeatable on one machine.
"""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from phrasecheck.lexicon import Exemplar
from phrasecheck.training.data import Augment, Example, example
from phrasecheck.training.model import Batch, Encoder, collate


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a training run depends on besides its data."""

    seed: int = 1
    passes: float = 6
    batch: int = 32
    rate: float = 1.5e-4
    head_rate: float = 4e-3
    warmup: float = 0.06
    weight_decay: float = 0.01
    phrase_weight: float = 1.2
    contrast_weight: float = 0.2
    also_share: float = 0.35  # of the phrase target, spread over the phrases that would also do
    temperature: float = 0.08
    augment: Augment = field(default_factory=Augment)


def train(
    encoder: Encoder, lines: Sequence[Exemplar], phrases: Sequence[str], reader: object, plan: Plan, say: Callable[[str], None] = print
) -> None:
    """Fit `encoder` in place."""
    torch.manual_seed(plan.seed)
    rng = random.Random(plan.seed)
    index = {phrase: i for i, phrase in enumerate(phrases)}
    steps = math.ceil(plan.passes * len(lines) / plan.batch)
    optimizer = torch.optim.AdamW(_groups(encoder, plan))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / (plan.warmup * steps), (steps - s) / (steps * (1 - plan.warmup)))
    )
    encoder.train()
    started, running = time.monotonic(), 0.0
    for step, examples in zip(range(steps), _batches(lines, plan, rng), strict=False):
        batch = collate(examples, reader)
        loss = losses(encoder(batch), batch, examples, index, plan)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        running = loss.item() if step == 0 else 0.98 * running + 0.02 * loss.item()
        if step % 50 == 49:
            left = (time.monotonic() - started) / (step + 1) * (steps - step - 1)
            say(f"step {step + 1}/{steps} loss {running:.3f} left {left / 60:.1f} min")
    encoder.eval()


def _groups(encoder: Encoder, plan: Plan) -> list[dict[str, object]]:
    """Heads learn faster than the body; norms and biases do not decay."""
    groups: list[dict[str, object]] = []
    for heads in (False, True):
        for plain in (False, True):
            params = [p for n, p in encoder.named_parameters() if (not n.startswith("body.")) == heads and (p.ndim < 2) == plain]
            groups.append(
                {"params": params, "lr": plan.head_rate if heads else plan.rate, "weight_decay": 0.0 if plain else plan.weight_decay}
            )
    return groups


def _batches(lines: Sequence[Exemplar], plan: Plan, rng: random.Random) -> Iterator[list[Example]]:
    """Endless shuffled batches of fresh variants. Lines of one phrase travel in fours (violations and near-misses), so that contrast has
    both in sight; fours of like length share a batch, so that little is spent on padding."""
    harmless = [line for line in lines if not line.violates and line.kind != "quote"]
    fours_a_batch = plan.batch // 4
    while True:
        fours = [[example(plan.augment(line, harmless, rng)) for line in four] for four in _fours(lines, rng)]
        chunk = 12 * fours_a_batch
        batches = []
        for at in range(0, len(fours), chunk):
            alike = sorted(fours[at : at + chunk], key=lambda four: max(len(e.line.text) for e in four))
            batches += [alike[i : i + fours_a_batch] for i in range(0, len(alike), fours_a_batch)]
        rng.shuffle(batches)
        for batch in batches:
            yield [e for four in batch for e in four if e.windows]


def _fours(lines: Sequence[Exemplar], rng: random.Random) -> list[list[Exemplar]]:
    by_phrase: dict[str | None, list[Exemplar]] = {}
    for line in lines:
        by_phrase.setdefault(line.phrase, []).append(line)
    groups: list[list[Exemplar]] = []
    for members in by_phrase.values():
        shuffled = rng.sample(members, len(members))
        groups += [shuffled[i : i + 4] for i in range(0, len(shuffled), 4)]
    rng.shuffle(groups)
    return groups


def losses(outputs: tuple[Tensor, Tensor, Tensor], batch: Batch, examples: Sequence[Example], index: dict[str, int], plan: Plan) -> Tensor:
    """The weighted sum of the four losses of one step."""
    tone, meaning, vectors = outputs
    known = batch.labels >= 0
    per_window = functional.binary_cross_entropy_with_logits(tone, batch.labels.clamp(min=0).float(), reduction="none") * known
    window_loss = (per_window.sum(1) / known.sum(1).clamp(min=1)).mean()
    present = batch.pool.sum(-1) > 0
    worst = tone.masked_fill(~present, -1e4).max(1).values
    turn_labels = torch.tensor([float(e.line.violates) for e in examples])
    turn_loss = functional.binary_cross_entropy_with_logits(worst, turn_labels)

    bad = batch.labels == 1
    rows = bad.nonzero()
    total = window_loss + turn_loss
    if len(rows):
        targets = torch.stack([_target(examples[int(r)].line, index, plan.also_share) for r, _ in rows])
        meaning_loss = functional.cross_entropy(meaning[bad], targets, reduction="none")
        share = 1.0 / bad.sum(1)[rows[:, 0]].float()  # every line counts once, however many windows it has
        total = total + plan.phrase_weight * (meaning_loss * share).sum() / share.sum()
    return total + plan.contrast_weight * _contrast(vectors, batch, examples, index, plan.temperature)


def _target(line: Exemplar, index: dict[str, int], also_share: float) -> Tensor:
    target = torch.zeros(len(index))
    also = [index[p] for p in line.also if p in index and p != line.phrase]
    if line.phrase in index:
        target[index[line.phrase]] = 1.0 - (also_share if also else 0.0)
    for i in also:
        target[i] = also_share / len(also)
    return target


def _contrast(vectors: Tensor, batch: Batch, examples: Sequence[Example], index: dict[str, int], temperature: float) -> Tensor:
    """Supervised contrast over one window a line: the marked stretch (or the whole line). Violations of one phrase attract; all else repels."""
    tokens = (batch.pool > 0).sum(-1)
    picks = torch.stack([_pick(batch.labels[i], tokens[i], e.line.violates) for i, e in enumerate(examples)])
    chosen = vectors[torch.arange(len(examples)), picks]
    sims = chosen @ chosen.T / temperature
    ids = torch.tensor([index.get(e.line.phrase or "", -1) if e.line.violates else -1 for e in examples])
    same = (ids[:, None] == ids[None, :]) & (ids >= 0)[:, None] & ~torch.eye(len(ids), dtype=torch.bool)
    if not same.any():
        return sims.sum() * 0.0
    logits = sims.masked_fill(torch.eye(len(ids), dtype=torch.bool), -1e4)
    log_share = logits - logits.logsumexp(1, keepdim=True)
    has = same.any(1)
    return -((log_share * same).sum(1)[has] / same.sum(1)[has]).mean()


def _pick(labels: Tensor, tokens: Tensor, violates: bool) -> Tensor:
    """The shortest window that violates; for harmless lines the whole, which stands first."""
    ones = (labels == 1).nonzero().flatten()
    if not violates or not len(ones):
        return torch.tensor(0)
    return ones[tokens[ones].argmin()]
