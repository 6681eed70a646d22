"""Whatever lies in a folder, each file gives what can be heard of it or a clear message, and none keeps the others waiting."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from phrasecheck.audio import decode, spelled
from phrasecheck.cli import cli
from phrasecheck.errors import AudioError
from tests import broken_files

DEMO = Path(__file__).parents[1] / "examples" / "demo-call.flac"
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_there_are_many() -> None:
    assert len(broken_files.FILES) >= 40


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", broken_files.FILES)
def test_each_is_heard_or_refused_as_its_name_says(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(broken_files.FILES[name]())
    if name.startswith("bad"):
        with pytest.raises(AudioError) as caught:
            decode(path)
        message = str(caught.value)
        assert message.startswith(f"{spelled(path)}：")
        assert HAN.search(message.removeprefix(spelled(tmp_path)))
        return
    audio = decode(path)
    assert audio.seconds > 0
    assert all(np.isfinite(channel.samples[:]).all() for channel in audio.channels)
    assert any("录音不完整" in warning for warning in audio.warnings) == name.startswith("cut")


@pytest.mark.model
def test_none_stops_a_batch(tmp_path: Path) -> None:
    calls, out = tmp_path / "calls", tmp_path / "out"
    made = broken_files.make(calls)
    (calls / "zz-a-call.flac").write_bytes(DEMO.read_bytes())  # the last in the order of names
    answer = CliRunner().invoke(cli, ["check", str(calls), "--agent-channel", "left", "--out", str(out), "--format", "json,html,xlsx,csv"])
    assert answer.exit_code == 1, answer.output
    assert "内部错误" not in answer.output
    bad = {path.name for path in made if path.name.startswith("bad")}
    assert set(re.findall(r"^✗ (.+?): ", answer.stderr, re.MULTILINE)) == bad
    failed = load_workbook(out / "summary.xlsx")["失败"]
    assert {Path(str(row[0])).name for row in failed.iter_rows(min_row=2, values_only=True)} == bad
    results = [json.loads(file.read_text(encoding="utf-8")) for file in out.glob("*.json")]
    assert {result["call"]["source"] for result in results} == {Path(spelled(p)).name for p in calls.iterdir() if p.name not in bad}
    assert len(list(out.glob("*.html"))) == len(results)
    for result in results:
        cut = any("录音不完整" in warning for warning in result["warnings"])
        assert cut == result["call"]["source"].startswith("cut"), result["call"]
    (call,) = [result for result in results if result["call"]["source"] == "zz-a-call.flac"]
    assert call["hits"]
