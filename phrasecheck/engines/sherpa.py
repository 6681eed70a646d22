"""SenseVoice, Paraformer and Zipformer through sherpa-onnx, from folders that a user brings.

In: clips of speech. Out: one Heard each. The one decision: sherpa-onnx ends the whole process when a model is not what it was told, so the files
and what they say of themselves are looked at before it sees them. The package is an extra: pip install 'phrasecheck[sherpa]'.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import exp
from pathlib import Path
from typing import Any

from phrasecheck.engines.doubt import is_invention, sign
from phrasecheck.engines.hearing import DOUBTED, RATE, audible, batch_size, in_batches, tidy
from phrasecheck.engines.hotwords import fingerprint, hotwords
from phrasecheck.engines.machine import cores
from phrasecheck.errors import ModelError
from phrasecheck.normalize import PAUSES, normalize
from phrasecheck.settings import AsrSettings
from phrasecheck.transcribe import Heard, Progress
from phrasecheck.types import Samples, Word

LFR = ("vocab_size", "lfr_window_size", "lfr_window_shift", "neg_mean", "inv_stddev")  # FunASR's front end: stacked frames, normalised
LANGUAGES = tuple(f"lang_{name}" for name in ("auto", "zh", "en", "ja", "ko", "yue"))
# kind -> part -> what the metadata of its .onnx must hold; without them sherpa-onnx calls exit()
KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "sense_voice": {"model": (*LFR, *LANGUAGES, "normalize_samples", "with_itn", "without_itn")},
    "paraformer": {"model": LFR},
    "zipformer": {"encoder": (), "decoder": ("vocab_size", "context_size"), "joiner": ()},
}
TYPES = {"sense_voice_ctc": "sense_voice", "paraformer": "paraformer"}  # "model_type" in the metadata of model.onnx -> kind
STREAMING = "decode_chunk_len"  # in the metadata of a Zipformer's encoder that hears chunk by chunk
CHARACTER_S = 0.35  # a slow character of Mandarin; what is longer until the next one is a pause
MARKS = PAUSES - {" "}
PAUSE_S = 0.3  # a pause this long is a comma in text that has none


class Sherpa:
    """A model folder of sherpa-onnx. Thread-safe: its recogniser keeps no state between clips."""

    def __init__(self, folder: Path, settings: AsrSettings) -> None:
        """Load the model in `folder`. Raises ModelError when it is none of the three kinds, or sherpa-onnx is missing."""
        whole = settings.compute_type.startswith("float")
        kind, files = model_in(folder, settings.engine, whole)
        words = usable(hotwords(settings), folder / "tokens.txt") if kind == "zipformer" else ()
        listed = f", hot words {fingerprint('、'.join(words))}" if words else ""
        self.name = f"{folder.resolve().name} {kind} {'float' if whole else 'int8'}{listed}"
        self._batch_size = batch_size(settings, sum(file.stat().st_size for file in files.values()))
        self._model = _load(kind, files, folder / "tokens.txt", words, settings)

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        """One Heard per clip, in the order given."""
        return in_batches(clips, self._batch_size, self._hear, progress)

    def _hear(self, clips: list[Samples]) -> list[Heard]:
        streams = [self._model.create_stream() for _ in clips]
        for stream, clip in zip(streams, clips, strict=True):
            stream.accept_waveform(RATE, clip)
        self._model.decode_streams(streams)
        return [_judge(clip, stream.result) for clip, stream in zip(clips, streams, strict=True)]


def model_in(folder: Path, engine: str = "auto", whole: bool = False) -> tuple[str, dict[str, Path]]:
    """The kind of the model in `folder`, by its files unless `engine` names it, and its .onnx files by part. Raises ModelError."""
    split = all(_file(folder, part, whole) for part in KINDS["zipformer"]) if engine == "auto" else engine == "zipformer"
    found = {part: _file(folder, part, whole) for part in (KINDS["zipformer"] if split else ("model",))}
    files = {part: file for part, file in found.items() if file is not None}
    if len(files) < len(found) or not (folder / "tokens.txt").is_file():
        raise ModelError(
            f"{folder} 里应有 tokens.txt，以及 model.onnx（SenseVoice、Paraformer）或 encoder、decoder、joiner 三个 .onnx（Zipformer），没有找全。"
        )
    metadata = {part: _metadata(file) for part, file in files.items()}
    kind = engine if engine != "auto" else "zipformer" if split else _kind(files["model"], metadata["model"])
    for part, wanted in KINDS[kind].items():
        if missing := [key for key in wanted if key not in metadata[part]]:
            raise ModelError(f"{files[part]} 不是 {kind} 模型：元数据里没有 {'、'.join(missing)}。请检查文件夹和设置 asr.engine。")
        if STREAMING in metadata[part]:
            raise ModelError(f"{files[part]} 是流式模型，应为非流式（offline）的 Zipformer。")
    return kind, files


def _kind(model: Path, metadata: dict[str, str]) -> str:
    told = metadata.get("model_type", "没有写明")
    if told not in TYPES:
        raise ModelError(
            f"{model} 的种类是「{told}」，应为 SenseVoice（sense_voice_ctc）或 Paraformer（paraformer）。若确是其中一种，请用设置 asr.engine 指明。"
        )
    return TYPES[told]


def usable(words: Sequence[str], tokens: Path) -> tuple[str, ...]:
    """The words that a model whose tokens are characters can be led to; none for one that spells in pieces of bytes."""
    known = {line.split(" ")[0] for line in tokens.read_text(encoding="utf-8").splitlines()}
    return tuple(word for word in words if known.issuperset(word))


def _file(folder: Path, part: str, whole: bool) -> Path | None:
    """The .onnx of a part: of two, the quantised one unless `whole` numbers are wanted."""
    return min(folder.glob(f"{part}*.onnx"), key=lambda file: ((".int8." in file.name) == whole, file.name), default=None)


def _metadata(file: Path) -> dict[str, str]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for each kind of damage
        raise ModelError(f"{file} 读不了：{error}。请重新取来这个文件。") from error
    return dict(session.get_modelmeta().custom_metadata_map)


def _load(kind: str, files: dict[str, Path], tokens: Path, words: Sequence[str], settings: AsrSettings) -> Any:
    try:
        from sherpa_onnx import OfflineRecognizer
    except ImportError as error:
        raise ModelError(
            f"{tokens.parent} 是 sherpa-onnx 的模型，运行它需要另装：pip install 'phrasecheck[sherpa]'（{error}）。"
        ) from error
    common = {
        "tokens": str(tokens),
        "num_threads": settings.threads or cores(),
        "provider": "cuda" if settings.device == "cuda" else "cpu",
    }
    try:
        if kind == "sense_voice":
            return OfflineRecognizer.from_sense_voice(str(files["model"]), language="zh", use_itn=True, **common)  # with punctuation
        if kind == "paraformer":
            return OfflineRecognizer.from_paraformer(str(files["model"]), **common)
        with tempfile.TemporaryDirectory() as place:
            common |= _led(words, Path(place) / "hotwords.txt")
            return OfflineRecognizer.from_transducer(*(str(files[part]) for part in KINDS["zipformer"]), **common)
    except Exception as error:  # pybind11 passes on what C++ throws
        raise ModelError(f"{tokens.parent} 里的模型无法加载：{error}。") from error


def _led(words: Sequence[str], file: Path) -> dict[str, str]:
    """Options that lean a Zipformer towards `words`, which need a wider search."""
    if not words:
        return {}
    file.write_text("\n".join(words), encoding="utf-8")
    return {"decoding_method": "modified_beam_search", "hotwords_file": str(file), "modeling_unit": "cjkchar"}


def _judge(clip: Samples, result: Any) -> Heard:
    seconds = len(clip) / RATE
    words = tidy(timed(result.text, result.tokens, result.timestamps, seconds))
    if result.timestamps and not any(char in MARKS for word in words for char in word.text):
        words = with_commas(words)
    text = "".join(word.text for word in words)
    if not normalize(text).text or not audible(clip) or is_invention(text):
        return Heard(text="")
    doubt = sign(text, seconds)
    sure = exp(sum(result.ys_log_probs) / len(result.ys_log_probs)) if len(result.ys_log_probs) else 1.0
    return Heard(text=text, words=tuple(words), confidence=min(sure, DOUBTED if doubt else 1.0), doubt=doubt)


def timed(text: str, tokens: Sequence[str], starts: Sequence[float], seconds: float) -> list[Word]:
    """The text as words with times. `starts` are those of the tokens; a model that gives none has its text spread evenly over the clip, and
    tokens that are not found in the text (pieces of bytes) have it spread over theirs."""
    if not text:
        return []
    cuts = _cuts(text, tokens) if len(starts) == len(tokens) else None
    if cuts is None:
        cuts = list(range(len(text)))
        steps = list(starts) or [seconds * at / len(text) for at in cuts]
        starts = [steps[at * len(steps) // len(text)] for at in cuts]
    words = []
    for (at, until), (start, following) in zip(pairwise([*cuts, len(text)]), pairwise([*starts, seconds]), strict=True):
        end = max(start, min(following, start + CHARACTER_S * len(text[at:until].strip())))
        words.append(Word(text=text[at:until], start=start, end=end, probability=1.0))
    return words


def _cuts(text: str, tokens: Sequence[str]) -> list[int] | None:
    """Where each token begins in `text`, the first at 0; None when one is not there."""
    cuts, at = [], 0
    for token in tokens:
        piece = token.replace("▁", " ").removesuffix("@@").strip()
        found = text.find(piece, at)
        if found < 0:
            return None
        cuts.append(found)
        at = found + len(piece)
    return [0, *cuts[1:]]


def with_commas(words: Sequence[Word]) -> list[Word]:
    """A comma after every word that a pause follows: matching looks at clauses, and Paraformer and Zipformer write no punctuation."""
    following = [*(word.start for word in words[1:]), 0.0]
    return [
        replace(word, text=word.text.rstrip() + "，") if after - word.end >= PAUSE_S else word
        for word, after in zip(words, following, strict=True)
    ]
