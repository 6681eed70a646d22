"""Why a line is a hit or is not: what each method saw, the nearest exemplars on both sides, the near misses, and which words carried it.

In: a Matcher and a Line. Out: plain values for JSON, and their Chinese text. Words are weighed by leaving each out in turn (occlusion).
"""

from itertools import pairwise
from typing import Any

import numpy as np

from phrasecheck.lexicon import Lexicon
from phrasecheck.matching.fuse import FEATURES, LOWERING, RAISING, Look, role_logits, sigmoid, window_features
from phrasecheck.matching.matcher import Line, Matcher
from phrasecheck.matching.reading import Floats
from phrasecheck.normalize import word_edges

WORDS_SHOWN = 6
NAMES = {**RAISING, **LOWERING, "role": "像是别的岗位的禁语"}


def explain(matcher: Matcher, line: Line) -> dict[str, Any]:
    """Everything about one line; keys are stable, values plain."""
    (verdict,) = matcher.verdicts([line])
    (look,) = matcher.look([line.text])
    answer: dict[str, Any] = {
        "text": line.text,
        "violation": verdict.violation,
        "threshold": matcher.settings.threshold,
        "doubtful": matcher.settings.doubtful,
    }
    if not look.windows:
        return {**answer, "hits": [], "windows": [], "methods": [], "nearest": {}, "near_misses": [], "words": []}
    logits = matcher.window_logits(look, line.role)
    best = int(np.argmax(logits))
    return {
        **answer,
        "hits": [
            {"phrase_id": h.phrase_id, "score": h.score, "state": h.state.value, "quote": h.quote, "reason": h.reason} for h in verdict.hits
        ],
        "windows": _windows(matcher, line, look, logits),
        "methods": [
            {"method": m.method.value, "phrase_id": m.phrase_id, "score": m.score, "reason": m.reason}
            for m in sorted(look.matches, key=lambda m: -m.score)[:8]
        ],
        "nearest": _nearest(matcher, look, best),
        "near_misses": [{"phrase_id": phrase, "score": score} for phrase, score in verdict.phrases],
        "words": _words(matcher, line, float(logits[best])),
    }


def _windows(matcher: Matcher, line: Line, look: Look, logits: Floats) -> list[dict[str, Any]]:
    """The three likeliest stretches with each feature's share of their logit."""
    features = window_features(look, matcher.parts.neighbours)
    weights = matcher.parts.weights.window if look.characters is not None else {}
    by_role = role_logits(look, line.role, matcher.columns, matcher.parts.weights)
    rows = []
    for row in np.argsort(-logits)[:3]:
        shares = {name: float(features[row, i] * weights.get(name, 0.0)) for i, name in enumerate(FEATURES) if features[row, i]}
        if by_role[row] < 0:
            shares["role"] = float(by_role[row])
        start, end = look.windows[row]
        rows.append({"quote": line.text[start:end], "probability": float(sigmoid(logits[row])), "shares": shares})
    return rows


def _nearest(matcher: Matcher, look: Look, row: int) -> dict[str, Any]:
    neighbours = matcher.parts.neighbours
    if neighbours is None or look.similarities is None:
        return {}
    sims = look.similarities[row]
    return {
        side: [{"text": e.text, "phrase_id": e.phrase, "similarity": s} for e, s in neighbours.nearest(sims, violating)]
        for side, violating in (("violating", True), ("fine", False))
    }


def _words(matcher: Matcher, line: Line, whole: float) -> list[dict[str, Any]]:
    """How much the likeliest window's logit falls when a word is left out; the words that carry most first."""
    edges = word_edges(line.text)
    spans = [(a, b) for a, b in pairwise(edges) if line.text[a:b].strip()]
    looks = matcher.look([line.text[:a] + line.text[b:] for a, b in spans])
    falls = [whole - float(matcher.window_logits(look, line.role).max()) if look.windows else whole for look in looks]
    order = np.argsort(-np.array(falls))[:WORDS_SHOWN]
    return [{"word": line.text[slice(*spans[i])], "start": spans[i][0], "fall": falls[i]} for i in order if falls[i] > 0.05]


def to_text(explanation: dict[str, Any], lexicon: Lexicon) -> str:
    """The explanation in Chinese, for the terminal."""
    e = explanation
    verdict = "命中" if any(h["state"] == "hit" for h in e["hits"]) else "存疑，请人工判断" if e["hits"] else "不命中"
    out = [f"「{e['text']}」", f"结论：{verdict}（违规概率 {e['violation']:.1%}；命中 ≥ {e['threshold']:.0%}，存疑 ≥ {e['doubtful']:.0%}）"]
    out += [f"  • {h['reason']}" for h in e["hits"]]
    if e["windows"]:
        out.append("\n最像违规的片段，以及每个因素加减了多少：")
    for window in e["windows"]:
        out.append(f"  「{window['quote']}」 {window['probability']:.1%}")
        out += [f"      {share:+6.2f}  {NAMES[name]}" for name, share in sorted(window["shares"].items(), key=lambda item: -abs(item[1]))]
    if e["methods"]:
        out.append("\n字面与读音：")
        out += [f"  {m['score']:.0%}  {m['phrase_id']}  {m['reason']}" for m in e["methods"]]
    for side, title in (("violating", "最近的违规例句"), ("fine", "最近的合规例句")):
        if e["nearest"].get(side):
            out.append(f"\n{title}：")
            out += [f"  {n['similarity']:.2f}  {n['phrase_id'] or '—'}  {n['text']}" for n in e["nearest"][side]]
    if e["near_misses"]:
        out.append("\n最接近的禁语：")
        out += [f"  {n['score']:.1%}  {n['phrase_id']}「{lexicon.phrases[n['phrase_id']].text}」" for n in e["near_misses"]]
    if e["words"]:
        out.append("\n起作用的词（去掉它，把握下降多少）：" + "、".join(f"{w['word']} {w['fall']:.2f}" for w in e["words"]))
    return "\n".join(out)
