"""The real sherpa-onnx on made models: text, times, batches; and every folder that would make it end the process is refused before."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnx")
pytest.importorskip("sherpa_onnx")

from phrasecheck.engines.registry import load_recogniser
from phrasecheck.engines.sherpa import Sherpa, model_in, timed, usable, with_commas
from phrasecheck.errors import ModelError
from phrasecheck.settings import AsrSettings, Settings
from phrasecheck.types import Word
from tests.engines import tiny_models
from tests.sounds import noise, tone

GREETING = {5: "您", 9: "好", 10: "，", 20: "▁ok", 30: "请", 34: "讲"}


def load(folder: Path, **asr: Any) -> Sherpa:
    recogniser = load_recogniser(Settings(asr=AsrSettings(model=str(folder), **asr)))
    assert isinstance(recogniser, Sherpa)
    return recogniser


def words(*timed_texts: tuple[str, float]) -> list[Word]:
    """Words of a quarter of a second."""
    return [Word(text=text, start=start, end=start + 0.25, probability=1.0) for text, start in timed_texts]


# --- what is heard ----------------------------------------------------------------------------------------------------------------


def test_sense_voice_gives_text_and_times(tmp_path: Path) -> None:
    recogniser = load(tiny_models.sense_voice(tmp_path / "tiny-sense-voice", GREETING))
    assert recogniser.name == "tiny-sense-voice sense_voice int8"
    short, long, silence = recogniser.recognise([tone(1), noise(4), noise(4, loudness=0.0)])
    assert short.text == "您好，"  # the rest would come after its end
    assert long.text == "您好， ok请讲"
    assert "".join(word.text for word in long.words) == long.text
    assert [(word.text, round(word.start, 2)) for word in long.words] == [
        ("您", 0.3),
        ("好， ", 0.54),
        ("ok", 1.2),
        ("请", 1.8),
        ("讲", 2.04),
    ]
    assert all(word.start < word.end <= 4 for word in long.words)
    assert (long.confidence, long.doubt) == (1.0, None)
    assert silence.text == ""


def test_paraformer_gets_its_commas_from_pauses(tmp_path: Path) -> None:
    said = ["您", "好", "he@@", "llo", "请", "讲"]
    recogniser = load(tiny_models.paraformer(tmp_path / "timed", said, [10, 20, 70, 75, 120, 130]))
    (heard,) = recogniser.recognise([noise(4)])
    assert heard.text == "您好，hello 请讲"
    assert [round(word.start, 2) for word in heard.words] == [0.2, 0.4, 1.4, 1.5, 2.4, 2.6]
    (heard,) = load(tiny_models.paraformer(tmp_path / "untimed", said)).recognise([noise(4)])
    assert heard.text == "您好 hello 请讲"
    assert heard.words[0].start == 0.0 and heard.words[-1].end <= 4.0
    assert "".join(word.text for word in heard.words) == heard.text


def test_zipformer_is_led_to_the_hot_words_it_can_spell(tmp_path: Path) -> None:
    folder = tiny_models.zipformer(tmp_path / "tiny-zipformer", {10: "定", 15: "损", 20: "单", 45: "好"})
    plain, led = load(folder, hotwords=()), load(folder)
    assert plain.name == "tiny-zipformer zipformer int8"
    assert led.name.startswith("tiny-zipformer zipformer int8, hot words ")
    for recogniser in (plain, led):
        first, second = recogniser.recognise([noise(1), noise(4)])
        assert (first.text, second.text) == ("定损单", "定损单，好")
        assert [round(word.start, 2) for word in second.words] == [0.4, 0.6, 0.8, 1.8]
        assert second.confidence == pytest.approx(1.0, abs=0.01)


def test_nothing_heard_is_no_text(tmp_path: Path) -> None:
    recogniser = load(tiny_models.sense_voice(tmp_path, {500: "好"}))
    assert [heard.text for heard in recogniser.recognise([noise(2), noise(0.0), noise(0.05)])] == ["", "", ""]
    assert recogniser.recognise([]) == []


def test_runaway_text_is_doubted(tmp_path: Path) -> None:
    recogniser = load(tiny_models.sense_voice(tmp_path, dict.fromkeys(range(1, 40, 2), "好")))
    (heard,) = recogniser.recognise([noise(4)])
    assert heard.doubt is not None
    assert heard.confidence < 0.3


# --- text, tokens and times -------------------------------------------------------------------------------------------------------


def test_tokens_that_are_pieces_of_bytes_lend_their_times() -> None:
    found = timed("定损单", ["Ƌŝħ", "Ƌŝ", "ħ", "Ƌŝħƌ"], [0.4, 0.8, 1.2, 1.6], 3.0)
    assert [word.text for word in found] == ["定", "损", "单"]
    assert [word.start for word in found] == [0.4, 0.8, 1.2]


def test_no_text_has_no_words() -> None:
    assert timed("", [], [], 2.0) == []


def test_commas_stand_where_somebody_paused() -> None:
    said = words(("我", 0.0), ("们", 0.3), ("这", 1.2), ("边", 1.5))
    assert "".join(word.text for word in with_commas(said)) == "我们，这边"


def test_words_of_other_characters_are_left_out(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("<blk> 0\n定 1\n损 2\n单 3\n", encoding="utf-8")
    assert usable(["定损单", "查勘", "定损"], tokens) == ("定损单", "定损")


# --- what is in a folder ----------------------------------------------------------------------------------------------------------


def test_the_kind_is_known_by_the_files(tmp_path: Path) -> None:
    assert model_in(tiny_models.sense_voice(tmp_path / "a", GREETING))[0] == "sense_voice"
    assert model_in(tiny_models.paraformer(tmp_path / "b", ["好"]))[0] == "paraformer"
    kind, files = model_in(tiny_models.zipformer(tmp_path / "c", {1: "好"}))
    assert kind == "zipformer"
    assert {part: file.name.split("-")[0] for part, file in files.items()} == {part: part for part in ("encoder", "decoder", "joiner")}


def test_of_two_files_the_quantised_one_is_taken_unless_float_is_asked_for(tmp_path: Path) -> None:
    folder = tiny_models.sense_voice(tmp_path, GREETING)
    (folder / "model.onnx").write_bytes((folder / "model.int8.onnx").read_bytes())
    assert model_in(folder)[1]["model"].name == "model.int8.onnx"
    assert model_in(folder, whole=True)[1]["model"].name == "model.onnx"
    (folder / "model.onnx").unlink()
    assert model_in(folder, whole=True)[1]["model"].name == "model.int8.onnx"


def test_the_setting_overrides_but_cannot_make_one_kind_another(tmp_path: Path) -> None:
    unnamed = {key: value for key, value in tiny_models.SENSE_VOICE.items() if key != "model_type"}
    folder = tiny_models.sense_voice(tmp_path / "a", GREETING, unnamed)
    with pytest.raises(ModelError, match=r"asr\.engine"):
        load(folder)
    assert load(folder, engine="sense_voice").recognise([noise(4)])[0].text == "您好， ok请讲"
    with pytest.raises(ModelError, match=r"元数据里没有.*with_itn"):
        load(tiny_models.paraformer(tmp_path / "b", ["好"]), engine="sense_voice")
    with pytest.raises(ModelError, match="没有找全"):
        load(folder, engine="zipformer")


def test_a_streaming_model_is_refused(tmp_path: Path) -> None:
    folder = tiny_models.zipformer(tmp_path, {1: "好"}, {"model_type": "zipformer2", "decode_chunk_len": 32})
    with pytest.raises(ModelError, match="流式"):
        load(folder)


def test_files_that_are_missing_or_damaged_are_named(tmp_path: Path) -> None:
    folder = tiny_models.sense_voice(tmp_path, GREETING)
    (folder / "model.int8.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"model\.int8\.onnx 读不了"):
        load(folder)
    (folder / "model.int8.onnx").unlink()
    with pytest.raises(ModelError, match="没有找全"):
        load(folder)


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sherpa_onnx", None)
    with pytest.raises(ModelError, match=r"phrasecheck\[sherpa\]"):
        load(tiny_models.sense_voice(tmp_path, GREETING))
