"""phrasecheck check end to end on the shipped recording, and on a folder of bad files beside a good one."""

import json
import os
from pathlib import Path
from typing import get_args

import jsonschema
import numpy as np
import numpy.typing as npt
import pytest
import yaml
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from phrasecheck.audio import decode
from phrasecheck.cli import cli
from phrasecheck.cli.check import formats_of, names_for, write_whole
from phrasecheck.cli.options import RAW, make_settings
from phrasecheck.errors import InputError
from phrasecheck.settings import AudioSettings
from tests.sounds import write

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo-call.flac"
COMPANY = """schema_version: 1
id: co
version: "1"
title: 公司
extends: zhejiang-motor-2010
phrases:
  - {{id: "{}", enabled: false}}
"""


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in args])


def test_formats_are_read_and_refused() -> None:
    assert formats_of("json, html") == ["json", "html"]
    with pytest.raises(InputError, match="docx"):
        formats_of("json,docx")


def test_the_option_for_headerless_files_knows_the_kinds_of_the_settings() -> None:
    assert set(RAW) == set(get_args(get_args(AudioSettings.model_fields["raw"].annotation)[0]))


def test_options_go_over_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("audio: {raw: alaw, raw_rate: 16000}", encoding="utf-8")
    given = make_settings(tmp_path / "s.yaml", (), (), audio={"raw": "ulaw", "raw_rate": None, "raw_channels": 2})
    assert given.audio == AudioSettings(raw="ulaw", raw_rate=16_000, raw_channels=2)


def test_a_result_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(InputError, match="写不了结果文件"):
        write_whole(tmp_path / "out" / "x.json", "{}")


def test_names_are_short_enough_for_a_file_and_are_text() -> None:
    long, gbk = Path("很长的名字" * 40 + ".wav"), Path(os.fsdecode("通话".encode("gbk") + b".wav"))
    names = names_for([long, Path("b") / long, gbk])
    assert names[gbk] == "通话"
    assert all(len(f".{name}.html.part".encode()) < 255 for name in names.values())
    assert len(set(names.values())) == 3


def test_recordings_of_one_stem_get_names_of_their_own() -> None:
    paths = [Path("a/call.wav"), Path("b/call.wav"), Path("b/other.mp3"), Path("c/call.mp3")]
    assert list(names_for(paths).values()) == ["call", "call-2", "other", "call-3"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "x.json", "{}")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["x.json"]


def speech(seconds: float, rate: int) -> npt.NDArray[np.float32]:
    """The agent's channel of the shipped call, (1, samples) at another rate."""
    samples = decode(DEMO).channels[0].samples[: round(seconds * 16_000)]
    at = np.arange(round(seconds * rate)) / rate * 16_000
    return np.interp(at, np.arange(len(samples)), samples)[None].astype(np.float32)


@pytest.mark.model
def test_the_planted_violations_are_found(tmp_path: Path) -> None:
    answer = run("check", DEMO, "--agent-channel", "left", "--role", "claims_report", "--out", tmp_path, "--format", "json,html,xlsx,csv")
    assert answer.exit_code == 0, answer.output
    told = json.loads((tmp_path / "demo-call.json").read_text(encoding="utf-8"))
    jsonschema.validate(told, json.loads((ROOT / "docs" / "result.schema.json").read_text(encoding="utf-8")))
    script = yaml.safe_load((ROOT / "examples" / "demo-call.yaml").read_text(encoding="utf-8"))
    planted = [t for t in script["turns"] if t.get("violations")]
    hits = [h for h in told["hits"] if h["state"] == "hit"]
    found = [t for t in planted if any(h["start_s"] < t["end"] and h["end_s"] > t["start"] for h in hits)]
    assert len(found) >= len(planted) - 1, (planted, hits)
    customers = {u["id"] for u in told["utterances"] if u["speaker"] == "customer"}
    assert customers
    assert not [h for h in told["hits"] if h["utterance_id"] in customers]
    texts = {u["id"]: u["text"] for u in told["utterances"]}
    assert all(texts[h["utterance_id"]][h["start"] : h["end"]] == h["quote"] for h in hits)
    assert "<audio" in (tmp_path / "demo-call.html").read_text(encoding="utf-8")
    assert load_workbook(tmp_path / "summary.xlsx").sheetnames[:2] == ["概览", "命中"]
    assert (tmp_path / "summary.csv").read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.model
def test_recordings_without_a_header(tmp_path: Path) -> None:
    write(tmp_path / "call.g711", speech(10.0, 8_000), 8_000, "pcm_alaw", "alaw")
    write(tmp_path / "call-2.wav", speech(10.0, 8_000), 8_000, "pcm_s16le")
    out = tmp_path / "out"
    answer = run("check", tmp_path, "--raw", "alaw", "--out", out, "--format", "json,html")
    assert answer.exit_code == 0, answer.output
    bare, whole = (json.loads((out / f"{name}.json").read_text(encoding="utf-8")) for name in ("call", "call-2"))
    assert bare["call"]["seconds"] == whole["call"]["seconds"]
    assert bare["utterances"]
    assert bare["settings"]["audio"] == {"raw": "alaw", "raw_rate": 8000, "raw_channels": 1}
    assert (out / "call.html").read_text(encoding="utf-8").count("<audio") >= 1


@pytest.mark.model
def test_bad_files_do_not_stop_the_good_ones(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    calls.mkdir()
    (calls / "text.wav").write_text("这不是录音，是一段文字", encoding="utf-8")
    (calls / "empty.wav").write_bytes(b"")
    write(calls / "whole.mp3", speech(12.0, 16_000), 16_000, "mp3")
    data = (calls / "whole.mp3").read_bytes()
    (calls / "truncated.mp3").write_bytes(data[: len(data) * 2 // 3])
    (calls / "whole.mp3").unlink()
    write(calls / "music-rate.wav", speech(8.0, 44_100), 44_100, "pcm_s16le")
    (calls / "good.flac").write_bytes(DEMO.read_bytes())
    out = tmp_path / "out"
    answer = run("check", calls, "--agent-channel", "left", "--out", out, "--format", "json,html,xlsx")
    assert answer.exit_code == 1
    assert sorted(p.name for p in out.glob("*.json")) == ["good.json", "music-rate.json", "truncated.json"]
    assert not [p for p in out.iterdir() if p.name.startswith(".")]
    for name in ("text.wav", "empty.wav"):
        assert f"✗ {name}" in answer.stderr
    failed = load_workbook(out / "summary.xlsx")["失败"]
    assert {Path(str(row[0])).name for row in failed.iter_rows(min_row=2, values_only=True)} == {"text.wav", "empty.wav"}
    assert json.loads((out / "good.json").read_text(encoding="utf-8"))["hits"]


@pytest.mark.model
def test_stored_results_are_judged_again_with_another_lexicon(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run("check", DEMO, "--agent-channel", "left", "--role", "claims_report", "--out", first, "--format", "json").exit_code == 0
    before = json.loads((first / "demo-call.json").read_text(encoding="utf-8"))
    gone = before["hits"][0]["phrase_id"]
    overlay = tmp_path / "company.yaml"
    overlay.write_text(
        COMPANY.format(gone),
        encoding="utf-8",
    )
    assert run("rescore", first, "--lexicon", overlay, "--out", second).exit_code == 0
    after = json.loads((second / "demo-call.json").read_text(encoding="utf-8"))
    assert after["utterances"] == before["utterances"]
    assert gone not in {h["phrase_id"] for h in after["hits"]}
    assert after["lexicon"]["name"] == "zhejiang-motor-2010+co 1.0.0+1"


def test_nothing_to_check_is_a_clear_error(tmp_path: Path) -> None:
    answer = run("check", tmp_path / "nowhere")
    assert isinstance(answer.exception, InputError)
    assert "nowhere" in str(answer.exception)
