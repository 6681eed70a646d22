"""Faults of exemplar lines that no schema sees: doubles, near-doubles across the two sides, unknown phrases, stretches outside the text."""

from collections.abc import Iterator, Sequence

from phrasecheck.lexicon import Exemplar, Lexicon
from phrasecheck.normalize import normalize

NEAR = 92  # rapidfuzz ratio of comparable texts from which two lines are as good as one


def exemplar_problems(lines: Sequence[Exemplar], lexicon: Lexicon) -> list[str]:
    """A Chinese line for everything wrong; empty when all is well."""
    return [*_single(lines, lexicon), *_doubles(lines), *_across(lines)]


def _single(lines: Sequence[Exemplar], lexicon: Lexicon) -> Iterator[str]:
    for line in lines:
        unknown = [p for p in (line.phrase, *line.also) if p is not None and p not in lexicon.phrases]
        if unknown:
            yield f"例句「{line.text}」的禁语编号 {'、'.join(unknown)} 不在词库里"
        if not normalize(line.text).text:
            yield f"例句「{line.text}」没有可比对的字"
        if line.violates and line.phrase is None:
            yield f"例句「{line.text}」标了违规片段（spans），却没有 phrase"
        if any(not 0 <= start < end <= len(line.text) for start, end in line.spans):
            yield f"例句「{line.text}」的 spans {line.spans} 超出了文字"


def _doubles(lines: Sequence[Exemplar]) -> Iterator[str]:
    seen: dict[str, Exemplar] = {}
    for line in lines:
        text = normalize(line.text).text
        if text in seen:
            yield f"例句重复：「{line.text}」与「{seen[text].text}」"
        seen.setdefault(text, line)


def _across(lines: Sequence[Exemplar]) -> Iterator[str]:
    """Near-doubles of which one violates and the other does not: a reader could not tell why."""
    import numpy as np
    from rapidfuzz import fuzz, process

    sides = [[(normalize(line.text).text, line) for line in lines if line.violates is side] for side in (True, False)]
    bad, fine = [[text for text, _ in side] for side in sides]
    if not bad or not fine:
        return
    near = process.cdist(bad, fine, scorer=fuzz.ratio, score_cutoff=NEAR, dtype=np.uint8, workers=-1)
    for i, j in zip(*np.nonzero(near), strict=True):
        yield f"违规与合规的例句几乎一样：「{sides[0][i][1].text}」与「{sides[1][j][1].text}」"
