"""Pooling, syllables, windows in common; and, where they are there, the shipped encoders."""

from pathlib import Path

import numpy as np
import pytest

from phrasecheck.build import build_matcher, stored_vectors
from phrasecheck.engines.encoder import LONGEST_TEXT, OnnxEncoder, SyllableReader, pieces, pooling
from phrasecheck.errors import ModelError
from phrasecheck.lexicon import load_exemplars, load_lexicon
from phrasecheck.matching.matcher import Line, Matcher
from phrasecheck.matching.reading import Encoder, Reading, aligned
from phrasecheck.matching.windows import windows
from phrasecheck.normalize import clauses
from phrasecheck.resources import ROOTS
from phrasecheck.settings import Settings
from phrasecheck.training.split import held_back
from phrasecheck.types import HitState, Speaker


@pytest.mark.parametrize(
    ("offsets", "cut", "expected"),
    [
        ([(0, 0), (0, 1), (1, 2), (0, 0)], [(0, 2)], [[0, 0.5, 0.5, 0]]),
        ([(0, 0), (0, 1), (1, 2), (0, 0)], [(0, 1), (1, 2)], [[0, 1, 0, 0], [0, 0, 1, 0]]),
        ([(0, 0), (0, 2), (2, 3), (0, 0)], [(0, 3), (2, 3)], [[0, 0.5, 0.5, 0], [0, 0, 1, 0]]),
        ([(0, 0), (0, 2), (0, 0)], [(0, 1), (1, 2)], [[0, 1, 0], [0, 1, 0]]),  # a token across a border belongs to both
        ([(0, 0), (0, 1), (0, 0)], [(0, 1), (5, 6)], [[0, 1, 0]]),  # a window behind the last token is left out
        ([(0, 0), (0, 0)], [(0, 1)], []),
    ],
)
def test_pooling(offsets: list[tuple[int, int]], cut: list[tuple[int, int]], expected: list[list[float]]) -> None:
    weights, kept = pooling(offsets, cut)
    assert weights.tolist() == expected
    assert weights.shape == (len(kept), len(offsets))
    assert kept == cut[: len(expected)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您好，请讲", [(0, 5)]),
        ("您好，请讲，" * 30, [(0, 149), (150, 179)]),
        ("九" * 400, None),
        ("", []),
        ("。" * 200, []),
    ],
)
def test_a_long_text_is_cut_between_clauses(text: str, expected: list[tuple[int, int]] | None) -> None:
    cut = pieces(text)
    assert expected is None or cut == expected
    assert all(0 < b - a <= LONGEST_TEXT + 20 for a, b in cut)
    assert [clause for a, b in cut for clause in windows_of(text, a, b)] == windows_of(text, 0, len(text))


def windows_of(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The clauses of a stretch, where they stand in the text."""
    return [clause for clause in clauses(text) if start <= clause[0] and clause[1] <= end]


class Vocabulary:
    """What SyllableReader asks of a tokenizer."""

    def get_vocab(self) -> dict[str, int]:
        return {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "zi": 4, "ji": 5, "kan": 6, "，": 7, "9": 8, "a": 9}


@pytest.mark.parametrize(
    ("text", "ids"),
    [("自己看", [4, 5, 6]), ("字几砍", [4, 5, 6]), ("自己，9Ａ", [4, 5, 7, 8, 3]), ("A看", [9, 6]), ("謝", [3]), ("İ看", [3, 6]), ("", [])],
)
def test_syllables_are_tokens(text: str, ids: list[int]) -> None:
    encoding = SyllableReader(Vocabulary()).encode(text)
    assert encoding.ids == [0, *ids, 2]
    assert encoding.offsets == [(0, 0), *((i, i + 1) for i in range(len(text))), (0, 0)]


def reading(*cut: tuple[int, int], start: float = 0.0) -> Reading:
    """Rows numbered from `start`, so that one sees which stayed."""
    rows = np.arange(start, start + len(cut), dtype=np.float32)
    return Reading(windows=cut, tone=rows, meaning=rows[:, None], vectors=rows[:, None])


def test_readings_are_aligned_over_the_windows_they_share() -> None:
    one, other = aligned([reading((0, 9), (0, 3), (4, 9)), reading((0, 9), (4, 9), (5, 9), start=10)])
    assert one.windows == other.windows == ((0, 9), (4, 9))
    assert one.tone.tolist() == [0, 2]
    assert other.tone.tolist() == [10, 11]
    assert one.meaning.shape == one.vectors.shape == (2, 1)


def test_the_order_is_that_of_the_first() -> None:
    """A long turn is read in pieces, for each encoder the one that sounds worst first."""
    one, other = aligned([reading((0, 3), (4, 9)), reading((4, 9), (0, 3), start=10)])
    assert one.windows == other.windows == ((0, 3), (4, 9))
    assert (one.tone.tolist(), other.tone.tolist()) == ([0, 1], [11, 10])


@pytest.mark.parametrize("readings", [[], [reading((0, 3))], [reading((0, 3)), reading((0, 3))]])
def test_readings_that_agree_stay_as_they_are(readings: list[Reading]) -> None:
    assert [id(r) for r in aligned(readings)] == [id(r) for r in readings]


def test_nothing_in_common_is_nothing() -> None:
    assert [r.windows for r in aligned([reading((0, 3)), reading()])] == [(), ()]


def test_a_folder_without_weights_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"没有 onnx/model_qint8\.onnx；请重装 phrasecheck，或用 phrasecheck train"):
        OnnxEncoder(tmp_path)


# --- the shipped weights ----------------------------------------------------------------------------------------------------------

MODELS = ROOTS[-1] / "models"
FOLDERS = [MODELS / name for name in ("encoder-characters", "encoder-sound") if (MODELS / name / "encoder.json").is_file()]
shipped = pytest.mark.skipif(
    len(FOLDERS) < 2 or not (MODELS / "fuse.json").is_file(), reason="models/ is made by `phrasecheck train` and `calibrate`"
)
RUDE = ("条款上不是写着吗，自己看", "你问我，我问谁去", "有意见你告去呗", "爱保不保，不保拉倒")
FINE = ("条款上写明了，我来给您解释一下", "这个我不太清楚，我帮您问一下同事", "您有意见请尽管提，我记下来", "车牌号麻烦您报一下，好的再见")


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return OnnxEncoder(request.param, threads=2)


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return build_matcher(Settings())


@shipped
@pytest.mark.model
def test_a_shipped_encoder_hears_tone(encoder: Encoder) -> None:
    tones = [float(r.tone[0]) for r in encoder.read([*RUDE, *FINE])]
    assert min(tones[: len(RUDE)]) > max(tones[len(RUDE) :])


@shipped
@pytest.mark.model
def test_a_shipped_encoder_knows_the_lexicon(encoder: Encoder) -> None:
    assert set(encoder.phrases) == set(load_lexicon().phrases)
    for text, made in zip([*RUDE, *FINE], encoder.read([*RUDE, *FINE]), strict=True):
        assert made.windows == tuple(windows(text))
        assert made.meaning.shape == (len(made.windows), len(encoder.phrases))
        assert np.linalg.norm(made.vectors, axis=1) == pytest.approx(1, abs=1e-4)


@shipped
@pytest.mark.model
def test_alone_or_in_a_batch_a_line_reads_alike(encoder: Encoder) -> None:
    together = encoder.read([*RUDE, *FINE])
    for text, made in zip([*RUDE, *FINE], together, strict=True):
        (alone,) = encoder.read([text])
        assert (alone.tone == made.tone).all()


@shipped
@pytest.mark.model
@pytest.mark.parametrize(
    "text", ["好" * 700, "好的，您稍等。" * 150, "A" * 3000, "您\n好\t，" * 60, "。" * 400, ("您好，" * 60) + "你自己看"]
)
def test_a_very_long_turn_is_read(encoder: Encoder, text: str) -> None:
    (made,) = encoder.read([text])
    assert np.isfinite(made.tone).all()
    assert len(set(made.windows)) == len(made.windows)
    assert {window for window in windows(text)[1:] if window[1] - window[0] == 2} <= set(made.windows)
    assert len(made.windows) == len(made.tone) == len(made.meaning) == len(made.vectors)


@shipped
@pytest.mark.model
def test_the_worst_piece_of_a_long_turn_stands_first(encoder: Encoder) -> None:
    text = "您好，您的案子我已经登记了，" * 14 + "你问我，我问谁去，有意见你告去"
    (made,) = encoder.read([text])
    assert "有意见你告去" in text[slice(*made.windows[0])]


@shipped
@pytest.mark.model
def test_homophones_read_alike_by_sound() -> None:
    one, other = OnnxEncoder(MODELS / "encoder-sound", threads=1).read(["你自己看条款", "你字几砍条宽"])
    assert (one.tone == other.tone).all()


@shipped
@pytest.mark.model
def test_stored_vectors_are_those_of_the_encoder(matcher: Matcher) -> None:
    lines = load_exemplars()
    stored = stored_vectors(MODELS / "encoder-characters", matcher.parts.encoders[0].name, lines)
    assert stored is not None, "例句改过了：请重新运行 phrasecheck calibrate"
    harmless = [i for i, line in enumerate(lines) if not line.violates][::700]
    fresh = list(matcher.parts.encoders[0].read([lines[i].text for i in harmless]))
    for i, made in zip(harmless, fresh, strict=True):
        assert stored[i] @ made.vectors[0] > 0.99


@shipped
@pytest.mark.model
def test_the_whole_tells_violations_from_near_misses(matcher: Matcher) -> None:
    verdicts = matcher.verdicts([Line(id=text, text=text) for text in [*RUDE, *FINE]])
    assert all(any(hit.state is HitState.HIT for hit in v.hits) for v in verdicts[: len(RUDE)])
    assert not any(v.hits for v in verdicts[len(RUDE) :])
    assert verdicts[0].phrases[0][0] == "9.1.06"
    assert matcher.verdicts([Line(id="c", text=RUDE[0], speaker=Speaker.CUSTOMER)])[0].hits == ()


@shipped
@pytest.mark.model
def test_every_phrase_in_its_own_words_is_caught(matcher: Matcher) -> None:
    """DESIGN asks 95 of 98 with the right phrase; phrases alike count for each other through `also`."""
    phrases = list(load_lexicon().phrases.values())
    said = ["，".join(p.wordings[0]).replace("◌", "九五五一九") for p in phrases]
    verdicts = matcher.verdicts(
        [Line(id=p.id, text=text, role=p.roles[0] if len(p.roles) == 1 else None) for p, text in zip(phrases, said, strict=True)]
    )
    right = [any(h.phrase_id == p.id and h.state is HitState.HIT for h in v.hits) for p, v in zip(phrases, verdicts, strict=True)]
    assert sum(right) >= 95, [p.id for p, r in zip(phrases, right, strict=True) if not r]


@shipped
@pytest.mark.model
def test_a_long_turn_shows_its_bad_clause(matcher: Matcher) -> None:
    text = "您好，您的案子我这边已经登记了，资料也收到了，材料齐不齐我不管，你爱找谁找谁去，我们下午五点下班，再见"
    (verdict,) = matcher.verdicts([Line(id="u", text=text)])
    quotes = [hit.quote for hit in verdict.hits if hit.state is HitState.HIT]
    assert any("爱找谁找谁去" in quote for quote in quotes)
    assert all("您好" not in quote and "再见" not in quote for quote in quotes)


@shipped
@pytest.mark.model
def test_three_phrases_in_a_breath_are_three_hits(matcher: Matcher) -> None:
    """Each by its own words, whatever the talk around them means."""
    (verdict,) = matcher.verdicts([Line(id="u", text="你问我我问谁，条款上写着呢自己看，有意见告去")])
    assert {(hit.phrase_id, hit.quote) for hit in verdict.hits} == {
        ("9.1.14", "你问我我问谁"),
        ("9.1.06", "条款上写着呢自己看"),
        ("9.1.10", "有意见告去"),
    }


@shipped
@pytest.mark.model
def test_held_back_lines_are_judged_as_the_model_card_says(matcher: Matcher) -> None:
    """A few of the lines that nothing was trained on: most violations are found, few harmless ones are marked."""
    kept = [line for line in load_exemplars() if held_back(line)]
    bad, fine = [line for line in kept if line.violates][::12], [line for line in kept if not line.violates][::20]
    caught = [any(h.state is HitState.HIT for h in v.hits) for v in matcher.verdicts([Line(id="", text=line.text) for line in bad])]
    flagged = [any(h.state is HitState.HIT for h in v.hits) for v in matcher.verdicts([Line(id="", text=line.text) for line in fine])]
    assert len(bad) >= 30
    assert np.mean(caught) > 0.6
    assert np.mean(flagged) < 0.2
