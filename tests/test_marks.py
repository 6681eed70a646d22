"""The marks of the norm's text: slots, alternatives, notes, clauses, and marks left open."""

import pytest

from phrasecheck.marks import SLOT, marks_problem, parse_clauses, split_note, wordings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不知道,不清楚。", [("不知道",), ("不清楚",)]),
        ("怎么还不明白，你别废话了；你打xxxxxx电话联系。", [("怎么还不明白",), ("你别废话了",), (f"你打{SLOT}电话联系",)]),
        ("你声音大(小)一点儿。", [("你声音大一点儿", "你声音小一点儿")]),
        ("你声音大（小）一点儿。", [("你声音大一点儿", "你声音小一点儿")]),
        ("星期一(三)到(或)星期五", [("星期一到星期五", "星期一或星期五", "星期三到星期五", "星期三或星期五")]),
        ("上午(下午)来", [("上午来", "下午来")]),  # replaces as many characters as it has
        ("我们也没办法,你只能去找×××。", [("我们也没办法",), (f"你只能去找{SLOT}",)]),
        ("去找{联系人}吧", [(f"去找{SLOT}吧",)]),
        ("ＸＸ不行", [(f"{SLOT}不行",)]),  # as a Chinese keyboard types it
        ("XX不行", [(f"{SLOT}不行",)]),
        ("***不行", [(f"{SLOT}不行",)]),
        ("xxx,不行", [("不行",)]),  # a clause that is nothing but a slot says nothing
        ("吃饭了吗?还没呢!", [("吃饭了吗",), ("还没呢",)]),
        ("。，", []),
        ("條款上寫著", [("条款上写着",)]),
    ],
)
def test_clauses(text: str, expected: list[tuple[str, ...]]) -> None:
    parsed = parse_clauses(text)
    assert [clause.variants for clause in parsed] == expected
    assert not any(clause.alone for clause in parsed)


def test_a_clause_keeps_the_words_of_the_norm() -> None:
    assert [clause.text for clause in parse_clauses("你声音大(小)一点儿, 快。")] == ["你声音大(小)一点儿", "快"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("条款里写着你自己看", ("条款里写着你自己看",)),
        ("有意见，告去", ("有意见告去",)),  # one piece, whatever its punctuation
        ("你打{号码}去", (f"你打{SLOT}去",)),
        ("大(小)声", ("大声", "小声")),
        ("……", ()),
        ("{名称}", ()),
    ],
)
def test_wordings_of_one_piece(text: str, expected: tuple[str, ...]) -> None:
    assert wordings(text) == expected


@pytest.mark.parametrize(
    ("text", "phrase", "note"),
    [
        ("计算机计费不会错的!(言下之意是“肯定是你错了!”)", "计算机计费不会错的!", "言下之意是“肯定是你错了!”"),
        ("不行。（口气生硬）", "不行。", "口气生硬"),
        ("你声音大(小)一点儿。", "你声音大(小)一点儿。", ""),
        ("你声音大(小)", "你声音大(小)", ""),  # no sentence ends before the bracket: an alternative
    ],
)
def test_a_note_stands_behind_a_whole_sentence(text: str, phrase: str, note: str) -> None:
    assert split_note(text) == (phrase, note)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("大(小一点儿", "括号没有配对：有 1 个 (，0 个 )"),
        ("大小）一点儿", "括号没有配对：有 0 个 （，1 个 ）"),
        ("去找{联系人吧", "空位（slot）没有配对"),
        ("去找x吧", "至少两个 x 或 ×，或写成 {名称}"),
        ("去找×吧", "至少两个 x 或 ×"),
    ],
)
def test_marks_left_open(text: str, says: str) -> None:
    problem = marks_problem(text)
    assert problem is not None
    assert says in problem


@pytest.mark.parametrize("text", ["不知道。", "去找xx吧", "去找×××吧", "去找{名称}吧", "大(小)一点儿", "下个APP再说", "用Excel填"])
def test_marks_in_order(text: str) -> None:
    assert marks_problem(text) is None
