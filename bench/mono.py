"""Two people in one channel. usage: python -m bench.mono EVAL [--transcripts FILE]

Every call of EVAL/audio has its channels added up to one and goes the road of `phrasecheck check` as far as the speakers. Laid against the true turns:
the share of their time that the result gives to the right speaker, to the other one, to nobody for sure, and that it holds no words for. Where both
speak at once both turns count, so that 100 % cannot be had. "agent found": a decision was made, and most of each side's time is its own.
--transcripts keeps what was heard in FILE (made when it is not there), so that the speakers can be measured again in seconds.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from bench.data import Row, percent, rows, table
from phrasecheck.audio import decode
from phrasecheck.diarise import listen
from phrasecheck.engines.registry import load_recogniser
from phrasecheck.engines.vad import SileroVad
from phrasecheck.engines.voice import Resemblyzer
from phrasecheck.settings import load_settings
from phrasecheck.speakers import assign
from phrasecheck.transcribe import transcribe
from phrasecheck.types import Audio, Channel, Role, Samples, Speaker, Transcript, Utterance

RIGHT, OTHER, UNSURE, NOTHING = "right", "other", "unsure", "nothing"
HEARD = TypeAdapter(dict[str, list[Utterance]])


def mixed(path: Path) -> Audio:
    """The recording with all its channels in one."""
    audio = decode(path)
    samples: Samples = np.asarray(np.mean([channel.samples[:] for channel in audio.channels], axis=0), np.float32)
    return Audio(channels=(Channel(name="mono", samples=samples),), sha256=audio.sha256)


def transcripts(mixes: dict[str, Audio], file: Path | None) -> dict[str, list[Utterance]]:
    """What is heard in each mix, by the name of its call; from `file` when that is there."""
    if file and file.exists():
        return HEARD.validate_json(file.read_bytes())
    settings = load_settings()
    hear = partial(transcribe, vad=SileroVad(), recogniser=load_recogniser(settings), settings=settings)
    heard = {name: hear(audio) for name, audio in mixes.items()}
    if file:
        file.write_bytes(HEARD.dump_json(heard))
    return heard


def seconds(turns: Sequence[Row], transcript: Transcript) -> dict[str, Counter[str]]:
    """For either speaker: hundredths of a second of the true turns, by what the transcript makes of them."""
    said = np.full(round(100 * max(turn["end"] for turn in turns)) + 1, "", dtype=object)
    for utterance in transcript.utterances:
        said[round(100 * utterance.start) : round(100 * utterance.end)] = utterance.speaker
    times: dict[str, Counter[str]] = {Speaker.AGENT: Counter(), Speaker.CUSTOMER: Counter()}
    for turn in turns:
        for speaker, count in Counter(said[round(100 * turn["start"]) : round(100 * turn["end"])]).items():
            known = {"": NOTHING, Speaker.UNSURE: UNSURE, turn["speaker"]: RIGHT}
            times[turn["speaker"]][known.get(speaker, OTHER)] += count
    return times


def row(call: Row, transcript: Transcript) -> tuple[list[object], Counter[str], bool]:
    """One line of the table, its times, and whether the agent was found."""
    times = seconds(call["turns"], transcript)
    both = times[Speaker.AGENT] + times[Speaker.CUSTOMER]
    decision = transcript.speakers
    found = decision.agent_channel is not None and all(side[RIGHT] > side[OTHER] for side in times.values())
    shares = [percent(both[kind] / both.total()) for kind in (RIGHT, OTHER, UNSURE, NOTHING)]
    return [call["id"], *shares, "yes" if found else "NO", f"{decision.confidence:.2f}"], both, found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("eval", type=Path)
    parser.add_argument("--transcripts", type=Path)
    parser.add_argument("--reasons", action="store_true")
    args = parser.parse_args()
    folder = args.eval / "audio"
    gold = rows(folder / "gold.jsonl")
    mixes = {call["id"]: mixed(folder / call["audio"]) for call in gold}
    heard, encoder = transcripts(mixes, args.transcripts), Resemblyzer()
    body, total, agents = [], Counter[str](), 0
    for call in gold:
        audio, utterances = mixes[call["id"]], heard[call["id"]]
        transcript = assign(utterances, ["mono"], Role(call["role"]), voices=listen(utterances, audio.channels[0], encoder))
        line, times, found = row(call, transcript)
        body.append(line)
        total, agents = total + times, agents + found
        if args.reasons:
            print(call["id"], transcript.speakers.reason)
    shares = [percent(total[kind] / total.total()) for kind in (RIGHT, OTHER, UNSURE, NOTHING)]
    body.append(["all", *shares, f"{agents}/{len(gold)}", ""])
    print(f"## {len(gold)} calls, both speakers in one channel: share of the time of the true turns\n")
    print(table(["call", "right speaker", "the other", "unsure", "no words", "agent found", "confidence"], body))


if __name__ == "__main__":
    main()
