"""phrasecheck transcribe: every format, to a folder or to standard output, past bad files."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner, Result

from phrasecheck.cli import cli
from phrasecheck.errors import InputError
from phrasecheck.settings import Settings
from phrasecheck.transcribe import Heard, Progress
from phrasecheck.types import Samples, Track, Word
from tests.sounds import tone, write

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo-call.flac"


class Vad:
    """Everything is speech."""

    name = "a vad"

    def probabilities(self, samples: Track) -> npt.NDArray[np.float32]:
        return np.ones(-(-len(samples) // 512), np.float32)


class Recogniser:
    """Hears one and the same in every clip."""

    name = "a recogniser"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def recognise(self, clips: Sequence[Samples], progress: Progress | None = None) -> list[Heard]:
        words = tuple(Word(text=char, start=at / 4, end=(at + 1) / 4, probability=1.0) for at, char in enumerate("请讲"))
        return [Heard(text="请讲", words=words, confidence=1.0) for _ in clips]


@pytest.fixture(autouse=True)
def engines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Recogniser]:
    """The recognisers that were loaded; tests with real weights get those."""
    loaded: list[Recogniser] = []

    def load(settings: Settings) -> Recogniser:
        loaded.append(Recogniser(settings))
        return loaded[-1]

    if "model" not in request.keywords:
        monkeypatch.setattr("phrasecheck.engines.registry.load_recogniser", load)
        monkeypatch.setattr("phrasecheck.engines.vad.SileroVad", Vad)
    return loaded


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """Two seconds, the sides unlike."""
    return write(tmp_path / "call.wav", np.stack([tone(2, 300), tone(2, 500)]), 16_000, "pcm_s16le")


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, ["transcribe", *map(str, args)])


def test_a_single_text_is_printed(call: Path) -> None:
    answer = run(call, "--agent-channel", "right")
    assert answer.exit_code == 0
    assert sorted(answer.stdout.splitlines()) == ["[00:00] 坐席：请讲", "[00:00] 客户：请讲"]


def test_each_format_is_a_file(call: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(call, "--format", "txt,srt,vtt,json", "--out", out).exit_code == 0
    assert sorted(file.name for file in out.iterdir()) == ["call.json", "call.srt", "call.txt", "call.vtt"]
    told = json.loads((out / "call.json").read_text(encoding="utf-8"))
    assert told["models"].items() >= {"asr": "a recogniser", "vad": "a vad"}.items()
    assert {each["channel"] for each in told["utterances"]} == {"left", "right"}


def test_several_texts_need_a_folder(call: Path, tmp_path: Path) -> None:
    other = call.with_name("other.wav")
    other.write_bytes(call.read_bytes())
    for args in ([call, "--format", "txt,srt"], [call, other], [tmp_path]):
        answer = run(*args)
        assert isinstance(answer.exception, InputError)
        assert "--out" in str(answer.exception)


def test_bad_files_do_not_stop_the_good_ones(call: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_text("这不是录音", encoding="utf-8")
    answer = run(tmp_path, "--out", tmp_path / "out")
    assert answer.exit_code == 1
    assert "✗ bad.wav" in answer.stderr
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["call.txt"]


def test_an_unknown_format_is_refused(call: Path) -> None:
    answer = run(call, "--format", "docx")
    assert isinstance(answer.exception, InputError)
    assert "txt,srt,vtt,json" in str(answer.exception)


def test_options_reach_the_recogniser(call: Path, tmp_path: Path, engines: list[Recogniser]) -> None:
    words = tmp_path / "words.txt"
    words.write_text("甬城财险\n", encoding="utf-8")
    assert run(call, "--hotwords", words, "--asr-model", "large-v3", "--threads", 3).exit_code == 0
    (recogniser,) = engines
    asr = recogniser.settings.asr
    assert (asr.hotwords, asr.model, asr.threads) == ((str(words), "shipped"), "large-v3", 3)


def test_the_text_goes_to_standard_output_while_a_terminal_shows_the_bar(call: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes standard error for a terminal
    answer = run(call, "--agent-channel", "left")
    assert "call.wav" in answer.stderr
    assert sorted(answer.stdout.splitlines()) == ["[00:00] 坐席：请讲", "[00:00] 客户：请讲"]


@pytest.mark.model
def test_the_shipped_call_as_subtitles(tmp_path: Path) -> None:
    assert run(DEMO, "--agent-channel", "left", "--format", "srt,txt", "--out", tmp_path).exit_code == 0
    blocks = (tmp_path / "demo-call.srt").read_text(encoding="utf-8").split("\n\n")
    assert len(blocks) > 20
    assert {block.splitlines()[2][:3] for block in blocks} == {"坐席：", "客户："}
    assert max(len(block.splitlines()[2]) for block in blocks) <= 25
    assert len((tmp_path / "demo-call.txt").read_text(encoding="utf-8").splitlines()) < len(blocks)
