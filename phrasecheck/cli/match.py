"""phrasecheck match and explain: text in, verdicts out."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import ROLES, make_settings, settings_options
from phrasecheck.errors import InputError

if TYPE_CHECKING:
    from phrasecheck.matching.matcher import Line
    from phrasecheck.types import Hit, Verdict

BATCH = 256


@click.command(
    help=say(
        "比对 JSONL：每行 {id, text, speaker, role}；「-」为标准输入。", "Match JSONL lines {id, text, speaker, role}; - is standard input."
    )
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--all-scores",
    is_flag=True,
    help=say("另给整句的违规概率和最近的五条禁语", "Also the line's violation probability and its top five phrases"),
)
@settings_options
def match(file: Path, all_scores: bool, settings_file: Path | None, lexicons: Sequence[Path], without: Sequence[str]) -> None:
    """The same ids in the same order out. A line that cannot be used gives {"id", "error"} in its place, and exit status 1 at the end."""
    from phrasecheck.build import build_matcher

    matcher = build_matcher(make_settings(settings_file, lexicons, without))
    wrong = 0
    with _open(file) as stream:
        for rows in _batches(stream):
            good = [row for row in rows if not isinstance(row, Fault)]
            verdicts = iter(matcher.verdicts(good))
            for row in rows:
                if isinstance(row, Fault):
                    wrong += 1
                    click.echo(f"{file}:{row.line}: {row.reason}", err=True)
                    answer: dict[str, Any] = {"id": row.id, "error": row.reason}
                else:
                    answer = verdict_json(row.id, next(verdicts), all_scores)
                click.echo(json.dumps(answer, ensure_ascii=False))
    if wrong:
        sys.exit(1)


@dataclass(frozen=True, slots=True)
class Fault:
    """A line of the input that cannot be used."""

    line: int
    id: Any
    reason: str


def verdict_json(line_id: str, verdict: "Verdict", all_scores: bool) -> dict[str, Any]:
    """One answer line of `match` (DESIGN section 4). Only hits that count; doubtful ones carry their state and stand behind them."""
    answer: dict[str, Any] = {"id": line_id, "hits": [hit_json(hit) for hit in verdict.hits]}
    if all_scores:
        answer["violation"] = round(verdict.violation, 5)
        answer["phrases"] = [{"phrase_id": phrase, "score": round(score, 5)} for phrase, score in verdict.phrases]
    return answer


def hit_json(hit: "Hit") -> dict[str, Any]:
    """A hit's fields, offsets into the line's own text."""
    return {
        "phrase_id": hit.phrase_id,
        "score": round(hit.score, 5),
        "state": hit.state.value,
        "start": hit.start,
        "end": hit.end,
        "quote": hit.quote,
        "methods": [m.value for m in hit.methods],
        "also": list(hit.also),
        "reason": hit.reason,
    }


def _open(file: Path) -> TextIO:
    if str(file) == "-":
        return sys.stdin
    try:
        return file.open(encoding="utf-8")
    except OSError as error:
        raise InputError(f"读不了 {file}：{error}；应为每行一个 JSON 对象的文件，或「-」") from error


def _batches(stream: Iterable[str]) -> Iterator[list["Line | Fault"]]:
    batch: list[Line | Fault] = []
    for number, raw in enumerate(stream, 1):
        if raw.strip():
            batch.append(parse_line(number, raw))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def parse_line(number: int, raw: str) -> "Line | Fault":
    """A row of the input as a Line, or what is wrong with it."""
    from phrasecheck.matching.matcher import Line
    from phrasecheck.types import Role, Speaker

    try:
        row = json.loads(raw)
    except json.JSONDecodeError as error:
        return Fault(number, None, f"不是合法的 JSON：{error}")
    if not isinstance(row, Mapping) or not isinstance(row.get("text"), str):
        return Fault(
            number,
            row.get("id") if isinstance(row, Mapping) else None,
            '应为 {"id": …, "text": "…", "speaker": …, "role": …}，text 必须是文字',
        )
    try:
        speaker = Speaker(row.get("speaker") or "agent")
        role = Role(row["role"]) if row.get("role") else None
    except ValueError as error:
        return Fault(number, row.get("id"), f"speaker 应为 {'、'.join(Speaker)}，role 应为 {'、'.join(Role)}：{error}")
    return Line(id=row.get("id"), text=row["text"], speaker=speaker, role=role)  # type: ignore[arg-type]  # any id is handed back as it came


@click.command(
    help=say("说明每种方法看到了什么、最近的例句、差一点的禁语。", "What each method saw, nearest exemplars on both sides, near misses.")
)
@click.argument("text")
@click.option("--role", type=click.Choice(ROLES), help=say("坐席的岗位", "The agent's role"))
@click.option("--json", "as_json", is_flag=True, help=say("输出 JSON", "Print JSON"))
@settings_options
def explain(
    text: str, role: str | None, as_json: bool, settings_file: Path | None, lexicons: Sequence[Path], without: Sequence[str]
) -> None:
    """One line, taken apart."""
    from phrasecheck.build import build_matcher
    from phrasecheck.matching.explain import explain as take_apart
    from phrasecheck.matching.explain import to_text
    from phrasecheck.matching.matcher import Line
    from phrasecheck.types import Role

    if not text.strip():
        raise InputError('没有可说明的话：请给出一句文字，例如 phrasecheck explain "条款上写着呢自己看"')
    matcher = build_matcher(make_settings(settings_file, lexicons, without))
    explanation = take_apart(matcher, Line(id="-", text=text, role=Role(role) if role else None))
    click.echo(json.dumps(explanation, ensure_ascii=False, indent=1) if as_json else to_text(explanation, matcher.parts.lexicon))
