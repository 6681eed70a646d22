"""From characters of an utterance to seconds of the recording, by the recogniser's words."""

from dataclasses import replace

from phrasecheck.types import Hit, Utterance


def timed(hit: Hit, utterance: Utterance) -> Hit:
    """The hit with the times of its words; of the whole utterance where the recogniser gave none."""
    start, end = span_times(utterance, hit.start, hit.end)
    return replace(hit, start_s=start, end_s=end)


def span_times(utterance: Utterance, start: int, end: int) -> tuple[float, float]:
    """When the characters `start:end` of an utterance were said, in seconds of the recording."""
    at = 0
    times: list[tuple[float, float]] = []
    for word in utterance.words:
        if at < end and at + len(word.text) > start:
            times.append((word.start, word.end))
        at += len(word.text)
    if not times:
        return utterance.start, utterance.end
    return min(t[0] for t in times), max(t[1] for t in times)
