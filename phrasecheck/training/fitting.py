"""`phrasecheck calibrate`: what stands between trained encoders and a product: stored exemplar vectors, and fuse's weights.

In: a models folder with encoders. Out: encoder-characters/exemplars.npz, fuse.json. Weights are fitted on held-back lines against neighbours that
do not hold them; the stored vectors are of all lines.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from phrasecheck.build import VECTORS, digest
from phrasecheck.engines.encoder import OnnxEncoder
from phrasecheck.lexicon import Exemplar, Lexicon, load_exemplars, load_lexicon
from phrasecheck.matching.fuse import FEATURES, PHRASE_FEATURES, Weights
from phrasecheck.matching.matcher import Line, Matcher, Parts
from phrasecheck.matching.qualifiers import load_qualifiers
from phrasecheck.matching.reading import Encoder, Floats
from phrasecheck.matching.semantic import embed, neighbours
from phrasecheck.settings import MatchSettings
from phrasecheck.training.calibrate import fit
from phrasecheck.training.data import Augment
from phrasecheck.training.evaluate import auc, calibration_error, caught_at
from phrasecheck.training.split import held_back

FLAT = Weights(window=dict.fromkeys(FEATURES, 0.3), bias=0.0, phrase=dict.fromkeys(PHRASE_FEATURES, 0.3))


def fit_all(models: Path) -> dict[str, Any]:
    """Write both files into `models`; answers with the figures on the held-back lines."""
    encoders: tuple[Encoder, ...] = tuple(
        OnnxEncoder(models / name) for name in ("encoder-characters", "encoder-sound") if (models / name).is_dir()
    )
    lines = load_exemplars()
    vectors = embed(encoders[0], lines)
    np.savez_compressed(models / "encoder-characters" / VECTORS, vectors=vectors.astype(np.float16), sha256=digest(encoders[0].name, lines))
    weights, figures = fitted(encoders, lines, vectors, load_lexicon())
    (models / "fuse.json").write_text(
        json.dumps({**asdict(weights), "fitted_on": figures}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return figures


def fitted(encoders: tuple[Encoder, ...], lines: Sequence[Exemplar], vectors: Floats, lexicon: Lexicon) -> tuple[Weights, dict[str, Any]]:
    """Weights fitted on the held-back ones of `lines` (`vectors` are theirs by the first encoder), and the figures reached there."""
    kept = [i for i, line in enumerate(lines) if held_back(line)]
    learnt = [i for i, line in enumerate(lines) if not held_back(line)]
    parts = Parts(
        lexicon=lexicon,
        encoders=encoders,
        neighbours=neighbours(lexicon, [lines[i] for i in learnt], vectors[learnt]),
        qualifiers=load_qualifiers(),
        weights=FLAT,
    )
    held = [lines[i] for i in kept]
    weights = fit(Matcher(parts, MatchSettings()), [*held, *variants(held)])
    return weights, _figures(Matcher(replace(parts, weights=weights), MatchSettings()), held)


def variants(lines: Sequence[Exemplar], seed: int = 11) -> list[Exemplar]:
    """Each line twice more as calls have it: inside a longer turn, without punctuation, garbled."""
    rng = random.Random(seed)
    augment = Augment(embed=0.5, garbled=0.6)
    harmless = [line for line in lines if not line.violates and line.kind != "quote"]
    return [augment(line, harmless, rng) for line in lines for _ in range(2)]


def _figures(matcher: Matcher, held: list[Exemplar]) -> dict[str, Any]:
    verdicts = matcher.verdicts([Line(id="", text=line.text) for line in held])
    violation, bad = np.array([v.violation for v in verdicts]), np.array([line.violates for line in held])
    return {
        "lines": len(held),
        "violations": int(bad.sum()),
        "auc": round(auc(violation, bad), 4),
        "calibration_error": round(calibration_error(violation, bad), 4),
        "caught_at_1_percent": round(caught_at(violation, bad, 0.01), 4),
    }
