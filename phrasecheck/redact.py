"""What is personal, taken out of texts, calls and sound.

In: a text, a call's utterances with the times of their words, a channel's samples. Out: the text with 「手机号」 (`redact`) or black boxes (`blacken`) in
its place, a result with black boxes (`hidden`), seconds of the recording (`stretches`), silence (`silenced`). The one decision: a black box is as long as
what it covers, so hits, words and times of a hidden result stay where they were.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from phrasecheck.personal import USUAL, Found, find
from phrasecheck.timing import span_times
from phrasecheck.types import CallResult, Hit, Personal, Samples, Utterance

LABELS = {
    Personal.ID_CARD: "身份证号",
    Personal.MOBILE: "手机号",
    Personal.BANK_CARD: "银行卡号",
    Personal.VIN: "车架号",
    Personal.POLICY: "保单号",
    Personal.LANDLINE: "电话号码",
    Personal.PLATE: "车牌号",
    Personal.NUMBER: "号码",
    Personal.NAME: "姓名",
    Personal.ADDRESS: "住址",
}
BLACK = "█"
MARGIN_S = 0.15  # words' times are that exact
READ_ON_S = 8.0  # somebody who reads a number in parts goes on within this time


# --- texts --------------------------------------------------------------------------------------------------------------------------


def redact(text: str, kinds: Collection[Personal] = USUAL) -> str:
    """The text with 「手机号」 in place of what is personal."""
    return _replaced(text, find(text, kinds), lambda found: f"「{LABELS[found.kind]}」")


def blacken(text: str, kinds: Collection[Personal] = USUAL) -> str:
    """The text with a black box for each personal character: offsets into it stay what they were."""
    return _blackened(text, find(text, kinds))


def _blackened(text: str, found: Iterable[Found]) -> str:
    return _replaced(text, found, lambda f: BLACK * (f.end - f.start))


def _replaced(text: str, found: Iterable[Found], by: Callable[[Found], str]) -> str:
    parts, at = [], 0
    for item in found:
        parts += [text[at : item.start], by(item)]
        at = item.end
    return "".join([*parts, text[at:]])


# --- calls --------------------------------------------------------------------------------------------------------------------------


def found_in(utterances: Sequence[Utterance], kinds: Collection[Personal] = USUAL) -> dict[str, list[Found]]:
    """What is personal in the utterances of a call, by utterance id; a number that one speaker reads
    in parts («一三八», «嗯», «零五七一…») is found in all its parts."""
    found: dict[str, list[Found]] = {}
    for passage in _passages(utterances):
        text = "，".join(utterance.text for utterance in passage)
        starts = [0]
        for utterance in passage:
            starts.append(starts[-1] + len(utterance.text) + 1)
        for item in find(text, kinds):
            for place in range(bisect_right(starts, item.start) - 1, bisect_right(starts, item.end - 1)):
                start, end = max(item.start - starts[place], 0), min(item.end - starts[place], len(passage[place].text))
                if start < end:
                    found.setdefault(passage[place].id, []).append(replace(item, start=start, end=end))
    return found


def _passages(utterances: Sequence[Utterance]) -> Iterator[list[Utterance]]:
    """What one speaker says with short pauses between, whatever the other says in them."""
    by_voice = sorted(utterances, key=lambda u: (u.channel, u.speaker, u.start))
    for _, said in groupby(by_voice, key=lambda u: (u.channel, u.speaker)):
        passage: list[Utterance] = []
        for utterance in said:
            if passage and utterance.start - passage[-1].end > READ_ON_S:
                yield passage
                passage = []
            passage.append(utterance)
        yield passage


def hidden(result: CallResult, kinds: Collection[Personal] = USUAL) -> CallResult:
    """The result with black boxes in its words, hits, reasons and names; ids, offsets and times stay."""
    found = found_in(result.transcript.utterances, kinds)
    utterances = tuple(_hidden_utterance(u, found.get(u.id, [])) for u in result.transcript.utterances)
    texts = {u.id: u.text for u in utterances}
    hits = tuple(_hidden_hit(hit, texts.get(hit.utterance_id), kinds) for hit in result.hits)
    call = replace(
        result.call,
        source=blacken(result.call.source, kinds),  # recordings are often named by the caller's number
        metadata={name: blacken(value, kinds) for name, value in result.call.metadata.items()},
        warnings=tuple(blacken(told, kinds) for told in result.call.warnings),
    )
    return replace(result, call=call, transcript=replace(result.transcript, utterances=utterances), hits=hits)


def _hidden_utterance(utterance: Utterance, found: list[Found]) -> Utterance:
    utterance = replace(utterance, alternatives=())  # a number heard otherwise may not be known for one
    if not found:
        return utterance
    text, at, words = _blackened(utterance.text, found), 0, []
    for word in utterance.words:
        words.append(replace(word, text=text[at : at + len(word.text)]))
        at += len(word.text)
    return replace(utterance, text=text, words=tuple(words))


def _hidden_hit(hit: Hit, text: str | None, kinds: Collection[Personal]) -> Hit:
    within = text is not None and len(text[hit.start : hit.end]) == len(hit.quote)  # a quote over two utterances is in neither
    return replace(
        hit,
        quote=text[hit.start : hit.end] if text is not None and within else blacken(hit.quote, kinds),
        reason=blacken(hit.reason, kinds),
        evidence=tuple(replace(match, reason=blacken(match.reason, kinds)) for match in hit.evidence),
    )


# --- sound --------------------------------------------------------------------------------------------------------------------------


def stretches(utterance: Utterance, kinds: Collection[Personal] = USUAL, margin_s: float = MARGIN_S) -> list[tuple[float, float]]:
    """When personal data is said in one utterance: seconds of the recording, in order, apart."""
    return _merged(_times(utterance, find(utterance.text, kinds), margin_s))


def stretches_of(
    utterances: Sequence[Utterance], kinds: Collection[Personal] = USUAL, margin_s: float = MARGIN_S
) -> dict[str, list[tuple[float, float]]]:
    """The same for all utterances of a call, by channel, numbers read in parts included."""
    found = found_in(utterances, kinds)
    times: dict[str, list[tuple[float, float]]] = {}
    for utterance in utterances:
        times.setdefault(utterance.channel, []).extend(_times(utterance, found.get(utterance.id, []), margin_s))
    return {channel: _merged(several) for channel, several in times.items() if several}


def silenced(samples: Samples, silent: Iterable[tuple[float, float]], sample_rate: int = 16_000) -> Samples:
    """A copy of one channel's samples with these seconds silent."""
    quiet = np.array(samples)
    for start, end in silent:
        quiet[max(0, int(start * sample_rate)) : int(np.ceil(end * sample_rate))] = 0
    return quiet


def _times(utterance: Utterance, found: Iterable[Found], margin_s: float) -> list[tuple[float, float]]:
    spans = (span_times(utterance, item.start, item.end) for item in found)
    return [(max(0.0, start - margin_s), end + margin_s) for start, end in spans]


def _merged(times: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, end in sorted(times):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged
