"""A CallResult as the published result file (docs/result.schema.json), and back.

In: a CallResult, or the object read from such a file. Out: the other one. The one decision: times and probabilities are rounded to
four places (0.1 ms), so that files stay readable and equal results give equal files.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from phrasecheck.errors import InputError
from phrasecheck.types import Call, CallResult, Hit, Provenance, Scorecard, SpeakerDecision, Transcript, Utterance

SCHEMA_VERSION = "1.0"


def to_json(result: CallResult) -> dict[str, Any]:
    """The result file's object: plain dicts, lists, strings and numbers. `warnings` stand at the top, not in `call`."""
    call: dict[str, Any] = _adapter(Call).dump_python(result.call, mode="json")
    made = result.provenance
    return {
        "schema_version": SCHEMA_VERSION,
        "warnings": call.pop("warnings"),
        "call": _rounded(call),
        "software": made.software,
        "models": dict(made.models),
        "lexicon": {"name": made.lexicon, "sha256": made.lexicon_sha256},
        "settings": dict(made.settings),
        "speakers": _dump(SpeakerDecision, result.transcript.speakers),
        "utterances": _dump(tuple[Utterance, ...], result.transcript.utterances),
        "hits": _dump(tuple[Hit, ...], result.hits),
        "scorecards": _dump(tuple[Scorecard, ...], result.scorecards),
    }


def from_json(stored: Mapping[str, Any]) -> CallResult:
    """A stored result as values again. Raises InputError, naming the place, for what is not a result of this schema version."""
    version = stored.get("schema_version")
    if version != SCHEMA_VERSION:
        raise InputError(f"结果文件的 schema_version 应为 {SCHEMA_VERSION}，收到 {version!r}：请用同一版本的 phrasecheck 重新检查录音")
    try:
        return CallResult(
            call=_adapter(Call).validate_python({**stored["call"], "warnings": stored["warnings"]}),
            transcript=Transcript(
                utterances=_adapter(tuple[Utterance, ...]).validate_python(stored["utterances"]),
                speakers=_adapter(SpeakerDecision).validate_python(stored["speakers"]),
            ),
            hits=_adapter(tuple[Hit, ...]).validate_python(stored["hits"]),
            scorecards=_adapter(tuple[Scorecard, ...]).validate_python(stored["scorecards"]),
            provenance=_provenance(stored),
        )
    except KeyError as error:
        raise InputError(f"结果文件里缺少 {error}：请用 docs/result.schema.json 核对") from error
    except (ValidationError, TypeError) as error:
        raise InputError(f"结果文件的内容不对，请用 docs/result.schema.json 核对：{_first(error)}") from error


def _provenance(stored: Mapping[str, Any]) -> Provenance:
    return Provenance(
        software=stored["software"],
        lexicon=stored["lexicon"]["name"],
        lexicon_sha256=stored["lexicon"]["sha256"],
        models=dict(stored["models"]),
        settings=dict(stored["settings"]),
    )


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _dump(kind: Any, value: object) -> Any:
    return _rounded(_adapter(kind).dump_python(value, mode="json"))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


def _first(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return str(error)
    fault = error.errors()[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}（收到 {fault['input']!r}）"
