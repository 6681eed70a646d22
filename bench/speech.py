"""make bench-speech: hearing and the whole road on spoken calls, beside peers. usage: python -m bench.speech EVAL [--calls N] [--misses]

1. Speed and character error rate over the same recordings, with the same weights, arithmetic and threads, loading left out: faster-whisper's
   `WhisperModel.transcribe` and `BatchedInferencePipeline.transcribe` with their defaults, a file a channel, and ours, which also finds the speech
   and times the words. Every call goes through all three before the next is begun, so that a busy machine slows them alike.
2. `phrasecheck check` against the gold turns, as shipped and with one part switched off at a time.
3. Agent turns cut out by their gold times, heard and matched, beside plain baselines on the same heard text.

Character error rate: Levenshtein distance over the reference's length, both through phrasecheck.normalize.normalize; reference: a channel's gold turns.
"""

import argparse
import tempfile
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.calls import as_checked, by_gold_turn, check_all, error_rate, heard_turns
from bench.data import Row, percent, rows, table
from phrasecheck.audio import decode
from phrasecheck.engines.machine import cores
from phrasecheck.engines.registry import resolve
from phrasecheck.pipeline import Engines, load_engines
from phrasecheck.settings import Settings, load_settings
from phrasecheck.transcribe import transcribe
from phrasecheck.types import Method, Samples

CAUGHT = ["method", "caught", "", "false alarms", "per hour of agent speech"]
Hearing = Callable[[Path, dict[str, Path]], dict[str, str]]
"""A recording, and each channel of it as a file -> the text of each channel."""


def peers(settings: Settings) -> dict[str, Hearing]:
    """faster-whisper's two ways, each with its own defaults."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    folder, asr = resolve(settings.asr.model, settings.cache_dir), settings.asr
    model = WhisperModel(str(folder), device=asr.device, compute_type=asr.compute_type, cpu_threads=asr.threads or cores())
    ways: dict[str, Any] = {"WhisperModel.transcribe": model, "BatchedInferencePipeline.transcribe": BatchedInferencePipeline(model)}
    return {name: _peer(way) for name, way in ways.items()}


def _peer(way: Any) -> Hearing:
    def hear(_: Path, files: dict[str, Path]) -> dict[str, str]:
        return {name: "".join(segment.text for segment in way.transcribe(str(file), language="zh")[0]) for name, file in files.items()}

    return hear


def ours(engines: Engines, settings: Settings) -> Hearing:
    """Decoding, speech, words with times: all that `check` does before matching."""

    def hear(recording: Path, files: dict[str, Path]) -> dict[str, str]:
        said = transcribe(decode(recording), engines.vad, engines.recogniser, settings)
        return {name: "".join(utterance.text for utterance in said if utterance.channel == name) for name in files}

    return hear


def side_by_side(folder: Path, gold: Sequence[Row], hearings: dict[str, Hearing]) -> str:
    """A row a way of hearing, all calls together."""
    took = dict.fromkeys(hearings, 0.0)
    heard: dict[str, list[tuple[str, str]]] = {name: [] for name in hearings}
    with tempfile.TemporaryDirectory() as place:
        for call in gold:
            recording = folder / call["audio"]
            files = {c.name: _write(Path(place) / f"{c.name}.wav", c.samples[:]) for c in decode(recording).channels}
            for name, hear in hearings.items():
                started = time.perf_counter()
                texts = hear(recording, files)
                took[name] += time.perf_counter() - started
                heard[name] += [(_said(call, channel), text) for channel, text in texts.items()]
    seconds = sum(call["seconds"] for call in gold)
    fastest = list(took.values())[-1]
    body = [
        [name, f"{took[name]:.1f}", f"{seconds / took[name]:.1f}", f"{took[name] / fastest:.2f}", percent(error_rate(heard[name]))]
        for name in hearings
    ]
    return table(["", "seconds", "times real time", "time, ours = 1", "CER"], body)


def _said(call: Row, channel: str) -> str:
    return "".join(turn["text"] for turn in call["turns"] if (turn["speaker"] == "agent") == (channel == call["agent_channel"]))


def _write(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())
    return path


def variants(settings: Settings) -> Iterator[tuple[str, Settings]]:
    """The shipped settings, and each with one part switched off."""
    yield "phrasecheck check", settings
    yield "  without hot words", settings.model_copy(update={"asr": settings.asr.model_copy(update={"hotwords": ()})})
    for method in (Method.PHONETIC, Method.ACOUSTIC):
        methods = tuple(kept for kept in settings.matching.methods if kept is not method)
        yield (
            f"  without {method.value}",
            settings.model_copy(update={"matching": settings.matching.model_copy(update={"methods": methods})}),
        )


def checked(folder: Path, gold: Sequence[Row], settings: Settings) -> str:
    """A row a variant of `check`."""
    body = []
    for name, varied in variants(settings):
        started = time.perf_counter()
        results = check_all(folder, gold, load_engines(varied), varied)
        body.append([*as_checked(name, results), f"{time.perf_counter() - started:.0f}"])
    return table([*CAUGHT, "seconds, with loading"], body)


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.speech")
    parser.add_argument("eval", type=Path)
    parser.add_argument("--calls", type=int, default=None, help="only the first so many calls")
    parser.add_argument("--misses", action="store_true", help="also print every violating turn as it was heard")
    asked = parser.parse_args()
    folder = asked.eval / "audio"
    gold = rows(folder / "gold.jsonl")[: asked.calls]
    settings = load_settings()
    engines = load_engines(settings)
    minutes = sum(call["seconds"] for call in gold) / 60
    print(f"## Hearing {len(gold)} stereo calls ({minutes:.1f} minutes), {settings.asr.threads or cores()} threads\n")
    print(side_by_side(folder, gold, {**peers(settings), "phrasecheck": ours(engines, settings)}))
    print("\n## The same calls checked\n\n" + checked(folder, gold, settings))
    heard = heard_turns(folder, gold, engines)
    print(f"\n## {len(heard)} agent turns by gold times, as heard: CER {percent(error_rate([(r['gold'], r['text']) for r in heard]))}\n")
    print(table(CAUGHT, by_gold_turn(heard, engines)))
    for row in heard if asked.misses else ():
        if row["labels"]:
            print(row["call"], row["labels"], row["gold"], "→", row["text"])


if __name__ == "__main__":
    main()
