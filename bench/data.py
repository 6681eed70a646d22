"""Reading the labelled folder that every bench script takes as its argument."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def rows(path: Path) -> list[Row]:
    """The objects of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def turns(path: Path) -> list[Row]:
    """The agent's turns of whole calls, as rows like those of dev.jsonl, each with its call's id and role."""
    return [
        {**turn, "id": f"{call['id']}-{number}", "call": call["id"], "role": call["role"], "kind": "call"}
        for call in rows(path)
        for number, turn in enumerate(call["turns"])
        if turn["speaker"] == "agent"
    ]


def agents(data: Sequence[Row]) -> list[Row]:
    """The rows that the agent says."""
    return [row for row in data if row.get("speaker", "agent") == "agent"]


def table(head: Sequence[str], body: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def percent(value: float) -> str:
    """A share as text."""
    return f"{value:.1%}"
