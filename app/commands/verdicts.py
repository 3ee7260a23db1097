"""The conditions of a workflow, as a dry run or an execution judged them."""

import json
from collections.abc import Sequence
from typing import Any, Final

from app.commands.showing import Column, clean, heading, show_table

_COLUMNS: Final = (Column("CONDITION", 14, wraps=True), Column("HELD"), Column("WHY", 20, wraps=True))
_LONGEST: Final = 60


def show_verdicts(verdicts: Sequence[dict[str, Any]]) -> None:
    """Print each condition, whether it held, and why."""
    heading("Conditions")
    show_table(_COLUMNS, [_row(one) for one in verdicts], empty="")


def _row(verdict: dict[str, Any]) -> tuple[object, ...]:
    condition = f"{verdict.get('path', '')} {verdict.get('operator', '')} {_short(verdict.get('expected'))}".strip()
    return (condition, "met" if verdict.get("met") else "not met", verdict.get("reason") or "")


def _short(value: object) -> str:
    text = clean(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
