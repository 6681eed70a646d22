"""Every fault of a lexicon file: the line and the reason; and the schema that docs/lexicon.schema.json prints."""

import json
from pathlib import Path

import pytest

from phrasecheck.errors import LexiconError
from phrasecheck.lexicon import load_lexicon
from phrasecheck.lexiconfile import LexiconFile, PhraseEntry, is_overlay, read_file

GOOD = """schema_version: 1
id: acme
version: "1"
title: 公司
sections:
  - {id: "1", title: 销售, roles: [sales]}
phrases:
  - id: a
    section: "1"
    text: "爱买不买,随便。"
    severity: 严重
    severity_reason: 轻蔑
    alone: ["爱买不买"]
    why: 赶客
    instead: 您可以再考虑一下
    spellings: ["爱买买不买走"]
"""
SECOND = """  - id: b
    section: "1"
    text: 快走
    severity: 严重
    severity_reason: 轻蔑
    why: 赶客
    instead: 您慢走
"""


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "acme.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(file: Path, over: bool = False) -> list[str]:
    """What is wrong with the file, by itself or over the shipped lexicon, without its name."""
    with pytest.raises(LexiconError) as caught:
        if over:
            load_lexicon([file])
        else:
            read_file(file)
    assert all(problem.startswith(str(file)) for problem in caught.value.problems)
    return [problem.removeprefix(f"{file}:") for problem in caught.value.problems]


def test_a_good_file(tmp_path: Path) -> None:
    fields = read_file(write(tmp_path, GOOD + SECOND))
    assert [p["id"] for p in fields["phrases"]] == ["a", "b"]
    assert "fatal" not in fields["phrases"][0]  # what is not said stays out, so that an overlay changes only what it names


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("    severity: 严重", "    severe: 严重", ["11: a 的 severe：没有这个字段"], id="unknown key"),
        pytest.param("title: 公司", "title: 公司\nowner: 张", ["5: owner：没有这个字段"], id="unknown key at the top"),
        pytest.param(
            "severity: 严重",
            "severity: 很严重",
            ["11: a 的 severity：不在允许的取值之内：'一般'、'较重'、'严重'（收到 '很严重'）"],
            id="severity",
        ),
        pytest.param("[sales]", "[sales, boss]", ["6: 1 的 roles.1：不在允许的取值之内："], id="unknown role"),
        pytest.param("[sales]", "[]", ["6: 1 的 roles：至少要有一项"], id="no role"),
        pytest.param('"爱买不买,随便。"', '""', ["10: a 的 text：不能为空"], id="empty text"),
        pytest.param(
            '"爱买不买,随便。"',
            '"……"',
            ["10: a 的 text 里没有可比对的字", "13: a 的 alone「爱买不买」不是 text 里的一个分句"],
            id="no word",
        ),
        pytest.param("爱买不买,随便", "去找{名称,随便", ["10: a 的 text：空位（slot）没有配对：有 1 个 {，0 个 }"], id="slot never closed"),
        pytest.param("爱买不买,随便", "去找x,随便", ["10: a 的 text：空位（slot）没有写完"], id="slot of one letter"),
        pytest.param("爱买不买,随便", "大(小,随便", ["10: a 的 text：括号没有配对"], id="bracket never closed"),
        pytest.param(
            'alone: ["爱买不买"]', 'alone: ["爱买不买", "随便啊"]', ["13: a 的 alone「随便啊」不是 text 里的一个分句"], id="no such clause"
        ),
        pytest.param('section: "1"', 'section: "2"', ["9: a 的 section 2 没有在 sections 里定义"], id="unknown section"),
        pytest.param('section: "1"', "section: 1", ["9: a 的 section：应为文字（收到 1）"], id="a number where text belongs"),
        pytest.param("    why: 赶客\n", "", ["8: a 缺少 why"], id="a field missing"),
        pytest.param("  - id: a\n    section", "  - section", ["8: phrases.0.id：缺少这个字段"], id="no id"),
        pytest.param("id: acme\n", "", ["1: id：缺少这个字段"], id="no lexicon id"),
        pytest.param("id: acme", "id: a me", ["2: id：不能为空，也不能有空格"], id="a space in the id"),
        pytest.param("schema_version: 1", "schema_version: 2", ["1: schema_version：应为 1（收到 2）"], id="another version of the format"),
        pytest.param('["爱买买不买走"]', '["爱买买不买走", "！"]', ["16: a 的 spellings「！」：没有可比对的字"], id="an empty spelling"),
        pytest.param('["爱买买不买走"]', '["去{哪"]', ["16: a 的 spellings「去{哪」：空位（slot）没有配对"], id="slot open in a spelling"),
        pytest.param('["爱买买不买走"]', "爱买买不买走", ["16: a 的 spellings：应为一个列表"], id="no list"),
        pytest.param('alone: ["爱买不买"]', "fatal: 是", ["13: a 的 fatal：应为 true 或 false（收到 '是'）"], id="no yes or no"),
    ],
)
def test_a_fault_has_its_line_and_its_reason(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    assert old in GOOD
    found = problems(write(tmp_path, GOOD.replace(old, new, 1)))
    assert len(found) == len(expected), found
    for problem, start in zip(found, expected, strict=True):
        assert problem.startswith(start)


def test_a_double_id_names_both(tmp_path: Path) -> None:
    assert problems(write(tmp_path, GOOD + SECOND.replace("id: b", "id: a"))) == ["17: 编号 a 重复，第 1 条已经用过"]


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('["爱买不买"]', '["随便啊"]').replace('section: "1"', 'section: "9"') + SECOND.replace("快走", "大(小")
    assert [int(problem.split(":")[0]) for problem in problems(write(tmp_path, text))] == [9, 13, 19]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "1: 应以 schema_version、id、version、title、phrases 开始"),
        ("- a\n- b\n", "1: 应以 schema_version"),
        ("id: a\ntitle: [b\n", "3: 不是合法的 YAML"),
        ("id: a\n\tb: c\n", "2: 不是合法的 YAML"),
        ("id: a\x00", "1: 不是合法的 YAML"),
        ("version: 2010-13-45\n", "1: 不是合法的 YAML"),
        (GOOD.replace("phrases:", "phrases: 1\nmore:"), "7: phrases：应为一个列表"),
        (GOOD + "  - 快走\n", "17: phrases.1：应为「名称: 值」"),
    ],
)
def test_what_is_no_lexicon_at_all(tmp_path: Path, text: str, start: str) -> None:
    assert problems(write(tmp_path, text))[0].startswith(start)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for file in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(LexiconError, match="读不了"):
            read_file(file)
    latin = tmp_path / "gbk.yaml"
    latin.write_bytes("title: 公司".encode("gbk"))
    with pytest.raises(LexiconError, match="读不了"):
        read_file(latin)


HEAD = 'schema_version: 1\nid: acme\nversion: "1"\ntitle: 公司\nextends: zhejiang-motor-2010\nphrases:\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HEAD + '  - {id: "9.1.1", severity: 严重}\n', "7: 9.1.1 缺少 section（新增的禁语必须写全）", id="a slip in the id"),
        pytest.param(HEAD + '  - {id: "9.1.10", alone: [有意见, 告吧]}\n', "7: 9.1.10 的 alone「告吧」不是 text 里的一个分句", id="alone"),
        pytest.param(HEAD + '  - {id: "9.1.10", text: "有意见,找领导去。"}\n', "7: 9.1.10 的 alone「告去」不是 text 里的一个分句", id="text"),
        pytest.param(HEAD + '  - {id: "9.1.10", section: "8"}\n', "7: 9.1.10 的 section 8 没有在 sections 里定义", id="section"),
        pytest.param(HEAD.replace("zhejiang", "fujian").replace(":\n", ": []\n"), "5: extends 写的是 fujian-motor-2010，但下面", id="extends"),
        pytest.param(
            HEAD.replace("extends: zhejiang-motor-2010\n", "") + '  - {id: "9.1.10", severity: 严重}\n',
            "6: 编号 9.1.10 在下面的词库里已经有了；要改它，请在文件开头写 extends", id="no extends",
        ),
    ],
)  # fmt: skip
def test_a_fault_of_a_file_laid_over_another(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(write(tmp_path, text), over=True)[0].startswith(expected)


@pytest.mark.parametrize(("text", "answer"), [(HEAD, True), (GOOD, False), ("- a", False), ("a: [", False)])
def test_which_files_lie_over_another(tmp_path: Path, text: str, answer: bool) -> None:
    assert is_overlay(write(tmp_path, text)) is answer


def test_a_missing_file_lies_over_nothing(tmp_path: Path) -> None:
    assert not is_overlay(tmp_path / "none.yaml")


def test_the_printed_schema_is_the_models() -> None:
    printed = json.loads(Path("docs/lexicon.schema.json").read_text(encoding="utf-8"))
    assert printed == LexiconFile.model_json_schema()


def test_the_docs_name_every_field() -> None:
    text = Path("docs/lexicon.md").read_text(encoding="utf-8")
    for name in {*LexiconFile.model_fields, *PhraseEntry.model_fields}:
        assert f"`{name}`" in text, name


def test_the_docs_example_is_a_good_file(tmp_path: Path) -> None:
    """And the faults that the page shows are the ones that come."""
    page = Path("docs/lexicon.md").read_text(encoding="utf-8")
    example = page.split("```yaml\nschema_version")[1].split("```")[0]
    combined = load_lexicon([write(tmp_path, "schema_version" + example)])
    assert combined.name == "zhejiang-motor-2010+anhua 1.0.0+2025.1"
    assert combined.phrases["anhua-01"].wordings[:2] == (("没车给你", "自己打◌去"), ("没车给你",))
    assert "9.5.04" not in combined.phrases
    broken = "schema_version" + example.replace("severity: 较重\n    severity_reason: 一口", "severity: 很重\n    severity_reason: 一口")
    shown = page.split("anhua.yaml:11: ")[1].split("\n")[0]
    number, reason = problems(write(tmp_path, broken), over=True)[0].split(": ", 1)
    assert reason == shown
    assert "很重" in broken.split("\n")[int(number) - 1]
