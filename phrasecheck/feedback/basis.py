"""What made the figures of a report, in words.

In: Material, the lexicon and the weights. Out: a Basis. The one decision: whatever might make two months incomparable (two lexicons, calls
without a date, phrases that are gone) is said on the report itself.
"""

from collections import Counter
from collections.abc import Iterator

from phrasecheck.feedback.facts import Material
from phrasecheck.feedback.reports import Basis
from phrasecheck.lexicon import Lexicon
from phrasecheck.settings import ScoreSettings


def basis(material: Material, lexicon: Lexicon, settings: ScoreSettings, software: str) -> Basis:
    """For the last section of every report."""
    checked = tuple(sorted(Counter(call.lexicon for call in material.calls).items()))
    return Basis(
        lexicon=lexicon.name,
        lexicon_sha256=lexicon.sha256,
        checked_with=checked,
        scoring=settings,
        software=software,
        unscored=sum(not call.roles for call in material.calls),
        remarks=tuple(_remarks(material, lexicon)),
    )


def _remarks(material: Material, lexicon: Lexicon) -> Iterator[str]:
    names = {call.lexicon for call in material.calls}
    if len(names) > 1:
        yield f"本期的通话用过 {len(names)} 份词库检查，查得出的禁语可能不同；要放在一起比，请先用同一份词库重新评判（phrasecheck rescore）。"
    elif names - {lexicon.name}:
        yield f"通话是用 {'、'.join(names)} 检查的，分数按 {lexicon.name} 的严重程度计算。"
    gone = sum(moment.counts and moment.phrase_id not in lexicon.phrases for moment in material.moments)
    if gone:
        yield f"{gone} 处命中的条款已不在现用词库里，没有计分。"
    if material.undated:
        yield f"{material.undated} 通电话没有日期，不知道属于哪一期，没有算进来。"
